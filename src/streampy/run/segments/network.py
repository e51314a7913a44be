"""The connections of one segment's OS process: it listens, it dials all addresses of a name, and dials again.

Knows nothing of what goes over them. Names are looked up again every second and whenever a connection is lost; who does
not answer is dialled after a pause that grows, up to a second, and is never twice the same.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import random
from socket import socket
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import RunError
from streampy.model.segments import LinkSpec, Tls, parse_address
from streampy.pipes.base import Cancelled
from streampy.pipes.net import tls as net_tls
from streampy.pipes.net.connection import Connection
from streampy.pipes.net.dialling import dial
from streampy.pipes.net.door import Door, listen
from streampy.pipes.net.errors import LinkError, PeerLost
from streampy.pipes.net.handshake import Identity, Terms
from streampy.pipes.net.io_thread import IoThread
from streampy.pipes.net.settings import ConnectionSettings
from streampy.run.segments.addresses import Address, Addresses
from streampy.run.segments.line import NetLine
from streampy.run.segments.packing import Packing
from streampy.run.segments.wire import Hello, Word

if TYPE_CHECKING:
    from streampy.model.item import Header
    from streampy.model.plan import Plan
    from streampy.pipes.net.frames import Frame
    from streampy.run.backend import Backend
    from streampy.run.segments.neighbours import Neighbours

_log: Final = logging.getLogger("streampy.run")
_LOOK_UP: Final = 1.0
"""Seconds after which names are looked up again."""
_PAUSE: Final = 0.05
"""Seconds before an address is dialled again; doubled for each further time ..."""
_LONGEST: Final = 1.0
"""... up to this."""
_HEARTBEAT: Final = 0.2
_LOST_AFTER: Final = 0.8
"""Seconds without a word, after which others are given what it had: with all that follows in under a second."""
_LAST: Final = 1.0
"""Seconds in which what was said last must be on its way."""


@dataclass(slots=True, eq=False)
class _Place:
    """An address that is dialled."""

    address: Address
    connection: Connection | None = None
    failures: int = 0
    next_try: float = 0.0
    trouble: str = ""


@dataclass(slots=True, eq=False)
class _Wire:
    """A link that this segment dials."""

    spec: LinkSpec
    addresses: Addresses
    settings: ConnectionSettings
    places: dict[Address, _Place] = field(default_factory=dict)


@final
class TcpNetwork:
    """See `Network`."""

    def __init__(
        self,
        plan: Plan,
        segment: str,
        backend: Backend,
        packing: Packing,
        *,
        listen_at: str | socket = "",
        dials: Mapping[str, Sequence[str]],
        serves: bool,
    ) -> None:
        """Plan: of the whole process. listen_at, dials (by segment): instead of the addresses in the plan.

        serves: whether others may come that nobody knows of.
        """
        self._plan = plan
        self._segment = segment
        self._backend = backend
        self._listen_at = listen_at or plan.segments[segment].listen
        self._dials = dials
        self._packing = packing
        self._io = IoThread(f"network of {segment}")
        self._lock = backend.lock()
        self._bell = backend.bell(self._lock)
        self._lines: dict[Connection, NetLine] = {}
        self._wires: list[_Wire] = []
        self._door: Door | None = None
        self._neighbours: Neighbours | None = None
        self._met: set[str] = set()
        """The segments in which somebody is there."""
        self._is_closed = False
        self._serves = serves

    def __repr__(self) -> str:
        return f"<TcpNetwork of {self._segment}: {len(self._lines)} lines>"

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens: IP and port; None where it does not."""
        return None if self._door is None else self._door.address

    def pack(self, value: Any, link: str, header: Header) -> Any:
        """See `Network.pack`."""
        return self._packing.pack_value(value, link, header)

    def start(self, neighbours: Neighbours, patience: float) -> None:
        """See `Network.start`."""
        self._neighbours = neighbours
        self._io.start()
        self._listen()
        self._wires = [self._wire(spec) for spec in self._plan.wires if spec.dialler == self._segment and not spec.via]
        if not self._wires:
            return
        self._backend.launch(self._keep_dialling, "dialling")
        self._wait_for_all(self._backend.now() + patience)

    def _listen(self) -> None:
        where = self._listen_at
        if not where or all(wire.via for wire in self._plan.wires if wire.listener == self._segment):
            return
        spec = self._plan.segments[self._segment]
        try:
            place = parse_address(where) if isinstance(where, str) else where
            self._door = listen(self._io, place, self._settings(spec.tls, spec.token), self)
        except (OSError, ValueError) as error:
            raise RunError(f"segment {self._segment!r} can't listen at {where}: {error}") from error

    def _wire(self, spec: LinkSpec) -> _Wire:
        there = self._dials.get(spec.listener, spec.dial)
        if not there:
            raise RunError(
                f"segment {self._segment!r} does not know where {spec.listener!r} is: say it in the process, "
                f"`links: {{{spec}: {{dial: tcp://HOST:PORT}}}}`, or on the command line, "
                f"`--dial {spec.listener}=tcp://HOST:PORT`"
            )
        settings = self._settings(spec.tls, spec.token)
        try:
            if settings.tls is not None:
                settings.tls.dialling()  # now, and not in a thread that nobody hears
        except (OSError, ValueError) as error:
            raise RunError(f"segment {self._segment!r}, links.{spec}.tls: {error}") from error
        return _Wire(spec, Addresses(there), settings)

    def _settings(self, tls: Tls | None, token: str) -> ConnectionSettings:
        who = Identity(self._plan.name, self._segment)
        files = None if tls is None else net_tls.Tls(tls.ca, tls.cert, tls.key, tls.name)
        return ConnectionSettings(
            Terms(who, token, accept=self._accept), files, heartbeat=_HEARTBEAT, lost_after=_LOST_AFTER
        )

    def _accept(self, who: Identity) -> str:
        """See `Terms.accept`."""
        known = {one for wire in self._plan.wires if self._segment in wire.ends for one in wire.ends}
        if who.segment in known - {self._segment}:
            return ""
        return f"no link leads from {self._segment!r} to {who.segment!r}; is it the same version of the process?"

    def _wait_for_all(self, until: float) -> None:
        with self._lock:
            while missing := [wire for wire in self._wires if wire.spec.listener not in self._met]:
                if self._is_closed:
                    raise Cancelled("; ".join(map(_told, missing)))
                try:
                    self._bell.wait(until)
                except TimeoutError:
                    raise RunError("; ".join(map(_told, missing))) from None

    def _keep_dialling(self) -> None:
        """What its thread does."""
        while not self._is_closed:
            found = [(wire, wire.addresses.find()) for wire in self._wires]
            with self._lock:
                for wire, addresses in found:
                    self._dial_all(wire, addresses)
                if not self._is_closed:
                    with suppress(TimeoutError):
                        self._bell.wait(self._next_try())

    def _next_try(self) -> float:
        tries = [place.next_try for wire in self._wires for place in wire.places.values() if place.connection is None]
        return min([self._backend.now() + _LOOK_UP, *tries])

    def _dial_all(self, wire: _Wire, addresses: Sequence[Address]) -> None:
        for address in addresses:
            wire.places.setdefault(address, _Place(address))
        now = self._backend.now()
        for address, place in list(wire.places.items()):
            if place.connection is not None:
                continue
            if address not in addresses:
                del wire.places[address]
            elif place.next_try <= now:
                place.connection = dial(
                    self._io,
                    (address.host, address.port),
                    wire.settings,
                    self,
                    name=address.name,
                    wanted=wire.spec.listener,
                )

    def on_open(self, connection: Connection) -> None:
        """See `Owner`."""
        neighbours = self._known
        hello = Hello(neighbours.instance, self._serves)
        line = NetLine(connection, self._packing, self._backend, neighbours.has_room)
        line.greet(hello)
        with self._lock:
            self._lines[connection] = line
        self._backend.launch(lambda: line.live(self._meet, neighbours.hear, self._left), f"line {connection.where}")

    def on_message(self, connection: Connection, frame: Frame) -> None:
        """See `Owner`."""
        self._lines[connection].came(frame)

    def on_pause(self, connection: Connection) -> None:
        """See `Owner`."""
        self._lines[connection].paused()

    def on_drained(self, connection: Connection) -> None:
        """See `Owner`."""
        line = self._lines[connection]
        if line.is_met:
            self._known.drained(line)

    def on_going(self, connection: Connection) -> None:
        """See `Owner`."""

    def on_down(self, connection: Connection, error: LinkError | None) -> None:
        """See `Owner`."""
        with self._lock:
            line = self._lines.pop(connection, None)
            place = self._place_of(connection)
            if place is not None:
                self._try_later(place, "" if error is None else str(error), was_open=line is not None)
            self._bell.ring()
        if line is not None:
            line.down(is_left=error is None)
        if error is not None and not self._is_closed and (line is not None or place is None or place.failures == 1):
            _log.warning("segment %s: %s", self._segment, error)

    def _place_of(self, connection: Connection) -> _Place | None:
        places = (place for wire in self._wires for place in wire.places.values())
        return next((place for place in places if place.connection is connection), None)

    def _try_later(self, place: _Place, trouble: str, *, was_open: bool) -> None:
        place.connection = None
        place.failures = 1 if was_open else place.failures + 1
        place.trouble = trouble
        pause = min(_LONGEST, _PAUSE * 2 ** min(10, place.failures - 1))
        place.next_try = self._backend.now() + pause * (0.5 + random() / 2)  # noqa: S311 - so that not all come at once

    def _meet(self, line: NetLine) -> None:
        """It is known who is at the other end. In the line's thread."""
        if self._dials_twice(line):
            line.abort(PeerLost(f"{line.peer.instance} is there under another address too"))
            raise Cancelled
        with self._lock:
            self._met.add(line.peer.segment)  # first: by what comes next all may be over, and nobody is missing then
        self._known.came(line)
        with self._lock:
            self._bell.ring()

    def _left(self, line: NetLine) -> None:
        """It is over. In its own thread."""
        self._known.went(line, for_good=line.is_left)

    def _dials_twice(self, line: NetLine) -> bool:
        """Whether a name stands for several addresses of one OS process: one line is enough."""
        return any(
            other is not line and other.is_met and other.peer.instance == line.peer.instance
            for other in list(self._lines.values())
        ) and any(spec.listener == line.peer.segment for spec in (wire.spec for wire in self._wires))

    @property
    def _known(self) -> Neighbours:
        assert self._neighbours is not None, "nothing is opened before `start`"  # noqa: S101 - narrows the type
        return self._neighbours

    def finish(self) -> None:
        """See `Network.finish`."""

    def tell_all(self, word: Word, what: Any) -> None:
        """See `Network.tell_all`."""
        with self._lock:
            lines = list(self._lines.values())
        for line in lines:
            line.say(word, what)

    @property
    def is_here(self) -> bool:
        """See `Network.is_here`."""
        return self._io.is_here

    def cancel(self) -> None:
        """See `Network.cancel`."""
        with self._lock:
            self._is_closed = True
            self._bell.ring()

    def close(self) -> None:
        """See `Network.close`."""
        self.cancel()
        with self._lock:
            lines = list(self._lines)
        if self._door is not None:
            self._door.close()
        until = self._backend.now() + _LAST
        for connection in lines:
            connection.close(until)
        self._io.close()


def _told(wire: _Wire) -> str:
    """Why nobody is there."""
    places = [f"{place.address}: {place.trouble or 'no answer yet'}" for place in wire.places.values()]
    why = "; ".join([*places, *filter(None, [wire.addresses.trouble])]) or "no address"
    return f"no OS process of segment {wire.spec.listener!r} could be reached ({wire.addresses}): {why}"
