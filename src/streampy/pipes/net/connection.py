"""One TCP connection to another segment: frames both ways, heartbeats, a graceful end, and the news of a death.

Knows nothing of what the frames are for.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from math import inf
from threading import Event
from time import monotonic
from typing import Final, Self, final

from streampy.pipes.base import wait_for
from streampy.pipes.net.clocks import Offset
from streampy.pipes.net.errors import LinkError, PeerLost, ProtocolError, Refused, Why
from streampy.pipes.net.frames import OWNERS, Buffer, Frame, FrameReader, Kind, kind_name, to_wire
from streampy.pipes.net.handshake import Greeted, Handshake, Identity, last_words, printable
from streampy.pipes.net.heartbeat import Heartbeat, answer
from streampy.pipes.net.io_thread import READ, WRITE, IoThread
from streampy.pipes.net.limits import GREETING, Limits
from streampy.pipes.net.outgoing import Outgoing
from streampy.pipes.net.owner import ConnectionStats, Owner
from streampy.pipes.net.settings import ConnectionSettings
from streampy.pipes.net.tls import explain
from streampy.pipes.net.transport import Transport

_FAIR: Final = 4 << 20
"""Bytes that are received before it is another connection's turn."""
_LINGER: Final = 1.0
"""Seconds that last words are given to arrive: closing at once would take them back where there is something unread."""
_LONGEST: Final = 500
"""Characters of last words."""
_log: Final = logging.getLogger("streampy.net")


class _Stage(Enum):
    CONNECTING = auto()
    SECURING = auto()
    GREETING = auto()
    OPEN = auto()
    LINGERING = auto()
    """Down, but for the other end to read the last words."""
    DOWN = auto()


_TALKING: Final = frozenset({_Stage.SECURING, _Stage.GREETING, _Stage.OPEN})
_HEARTBEATS: Final = frozenset({Kind.PING, Kind.PONG})


@final
class Connection:
    """See `dial` and `listen`. Any thread may send; nothing blocks but `send` and `close`."""

    def __init__(  # noqa: PLR0917 - made in two places only
        self,
        io: IoThread,
        transport: Transport,
        handshake: Handshake,
        settings: ConnectionSettings,
        owner: Owner,
        where: str,
        settled: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self.where = where
        """The address of the other end."""
        self._io = io
        self._transport = transport
        self._handshake = handshake
        self._settings = settings
        self._owner = owner
        self._settled = settled
        """Told once that it is open, or down."""
        self._stage = _Stage.CONNECTING
        self._is_open = False
        """Whether the stage is OPEN: asked for each frame, an Enum takes too long."""
        self._out = Outgoing(io, transport, self, where, settings.outbox)
        self._reader = FrameReader(GREETING, settings.allocate())
        self._received = 0
        self._heard_bye = False
        self._heart = Heartbeat(settings.heartbeat, settings.lost_after, Offset(), 0.0)
        self._gone = Event()

    def __repr__(self) -> str:
        greeted = self._handshake.greeted
        peer = "" if greeted is None else f" {greeted.who}"
        return f"<Connection {self.where}{peer} {self._stage.name.lower()}, {self._out.waiting} bytes to be sent>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(monotonic() + self._settings.lost_after)

    @property
    def peer(self) -> Identity:
        """Who is at the other end; known from `on_open` on."""
        return self._greeted().who

    @property
    def limits(self) -> Limits:
        """Of a frame, both ways; known from `on_open` on."""
        return self._greeted().limits

    @property
    def clock(self) -> Offset:
        """The other end's `time.monotonic` less the one here: `theirs - clock.seconds` is a time here."""
        return self._heart.offset

    @property
    def stats(self) -> ConnectionStats:
        """What went through."""
        return ConnectionStats(self._out.sent, self._received, self._out.waiting)

    @property
    def is_full(self) -> bool:
        """Whether the outbox is: `Owner.on_drained` is told when it is not any more."""
        return self._out.is_full

    def send(self, frame: Frame, until: float = inf) -> None:
        """Send a frame, or put it into the outbox, waiting for room there; its parts must not change until it is sent.

        until: `time.monotonic` seconds. In the I/O thread it never waits. That a frame was sent does not mean that it
        arrives. Raises TimeoutError past `until`, or when it can't wait; LinkError when the connection is down;
        ValueError where the frame is beyond the limits.
        """
        self._out.send(frame, until)

    def post(self, frame: Frame) -> None:
        """Send a small frame without which the other end might not go on, such as credit. Never waits for room.

        Raises LinkError, ValueError, as `send` does.
        """
        self._out.post(frame)

    def going(self) -> None:
        """Tell the other end to give no more work; frames go on both ways. Raises LinkError."""
        self._out.post(Frame(Kind.GOING))

    def leave(self) -> None:
        """Take leave: what was sent still goes, then nothing more. What the other end has under way still comes.

        `on_down` tells when it has taken its leave, too.
        """
        self._out.leave()
        if not self._out.has_left:
            self.abort(LinkError(f"{self.where}: closed before it was open"))

    def close(self, until: float = inf) -> None:
        """Leave, and wait until the other end has left too; past `until` (`time.monotonic` seconds) do without."""
        if self._gone.is_set():
            return
        self.leave()
        if not self._io.is_here and not wait_for(self._gone, until):
            self.abort(PeerLost(f"{self.where} did not take its leave in time"))
            wait_for(self._gone)

    def abort(self, error: LinkError) -> None:
        """Down with it, for this reason; the other end is told."""
        if not self._gone.is_set():
            self._io.call(lambda: self._end(error))

    # What follows is called by the I/O thread.

    def begin(self, address: tuple[str, int] | None = None) -> None:
        """Be watched; an address: connect to it first."""
        self._io.watch(self, READ if address is None else WRITE)
        self._io.schedule(self, monotonic() + self._settings.greet_within)
        if address is None:
            self._stage = _Stage.SECURING
            self.ready(0)
            return
        try:
            self._transport.connect(address)
        except OSError as error:
            self._end(PeerLost(f"{self.where}: {error.strerror or error}"))

    def fileno(self) -> int:
        """See `Watched`."""
        return self._transport.fileno()

    def ready(self, events: int) -> bool:
        """See `Watched`."""
        try:
            if self._is_open and events == READ:
                return self._receive()
            return self._go_on(events)
        except LinkError as error:
            self._end(error)
        except ssl.SSLError as error:
            self._end(explain(error))
        except OSError as error:
            self._end(PeerLost(f"{self.where}: {error.strerror or error}"))
        except Exception as error:  # the owner's
            failed = LinkError(f"{self.where}: what came could not be taken: {type(error).__name__}: {error}")
            failed.__cause__ = error
            self._end(failed)
        return False

    def tick(self, now: float) -> float:
        """See `Watched`."""
        within = f"{self._settings.greet_within:g} s"
        match self._stage:
            case _Stage.OPEN:
                return self._beat(now)
            case _Stage.LINGERING:
                self._shut()
            case _Stage.CONNECTING:
                self._end(PeerLost(f"{self.where} does not answer: waited {within}"))
            case _:
                hint = "is there a segment of StreamPy at both ends, with `tls` at both or none?"
                self._end(Refused(Why.TIMEOUT, f"{self.where}: the handshake was not done within {within}; {hint}"))
        return self._linger_until(now)

    def abandon(self) -> None:
        """See `Watched`."""
        self._end(LinkError(f"{self.where}: this end was closed"))
        self._shut()

    def _go_on(self, events: int) -> bool:
        match self._stage:
            case _Stage.OPEN:
                more = events != WRITE and self._receive()  # first: it may be the reason why nothing can be sent
                if self._is_open and self._flush():
                    self._end_if_both_left()
                return more
            case _Stage.LINGERING:
                return self._discard()
            case _Stage.CONNECTING:
                self._transport.check_connected()
                self._stage = _Stage.SECURING
        if self._stage is _Stage.SECURING and not self._secure():
            return False
        if events & WRITE:
            self._flush()
        return self._receive()

    def _secure(self) -> bool:
        events = READ
        try:
            is_done = self._transport.secure()
        except BlockingIOError:
            is_done, events = False, READ | WRITE
        self._io.change(self, events)
        if is_done:
            self._stage = _Stage.GREETING
            self._out.say(self._handshake.start())
        return is_done

    def _receive(self) -> bool:
        """All that has come, or as much as is fair; whether there is more that epoll does not tell of."""
        reader, transport = self._reader, self._transport
        total = 0
        while total < _FAIR:
            place = reader.room()
            try:
                count = transport.receive(place)
            except BlockingIOError:
                return False
            if not count:
                self._ended()
                return False
            total += count
            self._received += count
            self._heart.is_heard = True
            reader.filled(count)
            if not self._is_open and not self._greet(reader):
                return False
            self._give(reader)
            if not self._is_open:
                return False
            if count < len(place) and transport.is_dry_after_less:
                return False
        return transport.has_more

    def _give(self, reader: FrameReader) -> None:
        """Each frame that is wholly there to whom it is for."""
        owner, is_given = self._owner, False
        while self._is_open and (frame := reader.take()) is not None:
            if frame.kind in OWNERS and not self._heard_bye:
                owner.on_message(self, frame)
                is_given = True
            else:
                self._take_own(frame)
        if is_given and self._is_open:
            owner.on_pause(self)

    def _greet(self, reader: FrameReader) -> bool:
        """Go on with the handshake; whether it is done."""
        said = self._handshake.go_on(reader)
        if said:
            self._out.say(said)
        if (greeted := self._handshake.greeted) is None:
            return False
        now = monotonic()
        self._heart = Heartbeat(self._settings.heartbeat, self._settings.lost_after, greeted.clock, now)
        self._stage, self._is_open = _Stage.OPEN, True
        self._out.limits = greeted.limits
        self._out.open()
        self._io.schedule(self, now + self._settings.heartbeat)
        self._settled(self)
        self._owner.on_open(self)
        return True

    def _flush(self) -> bool:
        """Send on what waits; whether nothing does any more."""
        is_empty, has_drained = self._out.flush()
        if has_drained:
            self._owner.on_drained(self)
        return is_empty

    def _take_own(self, frame: Frame) -> None:
        if self._heard_bye and frame.kind not in _HEARTBEATS:
            raise ProtocolError(self.where, f"a frame of kind {kind_name(frame.kind)} after BYE", "no more")
        match frame.kind:
            case Kind.PING:
                self._say(answer(frame, monotonic()))
            case Kind.PONG:
                self._heart.learn(frame, monotonic())
            case Kind.GOING:
                self._owner.on_going(self)
            case Kind.BYE:
                self._heard_bye = True
                self._out.leave()
                if self._flush():
                    self._end_if_both_left()
            case Kind.ERROR:
                text = bytes(frame.parts[0]).decode(errors="replace") if frame.parts else ""
                raise LinkError(f"{self.where} gave up: {printable(text)}")
            case _:
                raise ProtocolError(self.where, f"a frame of kind {kind_name(frame.kind)}", "none of the handshake")

    def _say(self, frame: Frame) -> None:
        self._out.say(b"".join(to_wire(frame, GREETING)))

    def _beat(self, now: float) -> float:
        if self._heart.is_lost(now):
            silent = f"nothing was heard for {self._heart.look(now):.1f} s"
            self._end(PeerLost(f"{self.where}: {silent}: its OS process hangs, or the network is cut"))
            return inf
        question, due = self._heart.ask(now)
        try:
            self._say(question)
        except LinkError as error:
            self._end(error)
            return self._linger_until(now)
        return due

    def _linger_until(self, now: float) -> float:
        return now + _LINGER if self._stage is _Stage.LINGERING else inf

    def _ended(self) -> None:
        """The stream of the other end is over."""
        if self._stage is _Stage.GREETING:
            text = "closed amid the handshake without a word; perhaps it has `tls`, or is no segment of StreamPy"
            raise PeerLost(f"{self.where}: {text}")
        raise PeerLost(f"{self.where}: closed without a word: its OS process ended")

    def _end_if_both_left(self) -> None:
        """Once nothing waits to be sent."""
        if self._heard_bye and self._out.has_left:
            self._end(None)

    def _end(self, error: LinkError | None) -> None:
        """Down, with or without last words; None: both have left."""
        if self._stage in {_Stage.LINGERING, _Stage.DOWN}:
            return
        was_open = self._is_open
        lingers = self._out.stop(error, self._words(error))
        self._stage, self._is_open = _Stage.LINGERING, False
        self._handshake.close()
        if lingers:
            self._io.schedule(self, monotonic() + _LINGER)
        else:
            self._shut()
        if not was_open:
            self._settled(self)
        self._gone.set()
        try:
            self._owner.on_down(self, error)
        except Exception:  # it is down already, and nobody else is to suffer
            _log.exception("%s: the news that it is down could not be taken", self.where)

    def _words(self, error: LinkError | None) -> Sequence[Buffer] | None:
        """What the other end is told; None where it can't be."""
        if isinstance(error, PeerLost) or self._stage not in _TALKING:
            return None
        if error is None or self._stage is _Stage.SECURING:
            return ()
        if self._stage is _Stage.GREETING:
            return [last_words(error)]
        return to_wire(Frame(Kind.ERROR, parts=(str(error)[:_LONGEST].encode(),)), GREETING)

    def _discard(self) -> bool:
        """What comes after the last words."""
        with suppress(OSError):
            try:
                if self._transport.discard():
                    return False
            except BlockingIOError:
                return False
        self._shut()
        return False

    def _shut(self) -> None:
        if self._stage is not _Stage.DOWN:
            self._stage = _Stage.DOWN
            self._io.forget(self)
            self._transport.close()

    def _greeted(self) -> Greeted:
        if self._handshake.greeted is None:
            raise LinkError(f"{self.where}: not open yet, so nobody knows who is there")
        return self._handshake.greeted
