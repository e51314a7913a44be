"""Sees and steers running segments from another program: one by its address, or all that this user runs.

Knows nothing of what is shown. One thread uses a client; nothing is waited for longer than it is told.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, final

from streampy.errors import RunError, StreamPyError
from streampy.model.segments import parse_address
from streampy.model.suggest import did_you_mean
from streampy.run.control import folder
from streampy.run.control.verbs import BadRequest, NoSuch

_PATIENCE: Final = 10.0
"""Seconds for an answer, beyond those that the verb itself may take."""
_TAKES: Final = ("timeout", "seconds", "wait")
"""What goes with a verb and says how many seconds it may take."""


class Gone(RunError):
    """The segment has ended, or can't be reached."""


class Refused(StreamPyError):
    """The segment did not do what was asked; `kind` is the name of its error, `trace` a unit's own traceback."""

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        self.kind, self.trace = kind, trace
        super().__init__(message)


@final
class Client:
    """One segment. Leaving the `with` block lets it go."""

    def __init__(self, address: str, token: str = "") -> None:
        """Address: the path of a unix socket, or `tcp://HOST:PORT`. Raises Gone where nobody answers there."""
        self.address = address
        self._token = token
        self._numbers = 0
        self._socket = _connect(address)
        self._file = self._socket.makefile("rb")

    def __repr__(self) -> str:
        return f"<Client of {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ask no more."""
        self._file.close()
        self._socket.close()

    def hello(self) -> dict[str, Any]:
        """Who it is: process, segment, replica, pid, host, state, ..."""
        told: dict[str, Any] = self.do("hello")
        return told

    def snapshot(self) -> dict[str, Any]:
        """All there is to know: as `hello`, with `plan` and `stats`."""
        told: dict[str, Any] = self.do("snapshot")
        return told

    def stats(self) -> dict[str, Any] | None:
        """How it goes; None while it starts."""
        told: dict[str, Any] | None = self.do("stats")["stats"]
        return told

    def do(self, verb: str, **fields: Any) -> Any:
        """Have something done, and return what comes of it. unit=...: to that unit.

        Raises NoSuch, BadRequest or Refused where it was not done, Gone where the segment has ended.
        """
        seconds = [float(fields[name]) for name in _TAKES if isinstance(fields.get(name), int | float)]
        self._socket.settimeout(_PATIENCE + sum(seconds))
        number = self._ask(verb, fields)
        while True:
            told = self._hear()
            if told.get("id") in {number, None}:
                return _result(told)

    def watch(self, every: float = 1.0) -> Iterator[dict[str, Any]]:
        """A snapshot, then every so many seconds `state`, `uptime` and `stats`, until the segment ends.

        It has a connection of its own. What is not fetched in time is left out: what comes is the newest.
        """
        with Client(self.address, self._token) as beside:
            beside._ask("watch", {"every": every})
            beside._socket.settimeout(_PATIENCE + every)
            try:
                yield _result(beside._hear())
                while (told := beside._hear()).get("event") == "stats":
                    yield told["data"]
            except Gone:
                return

    def _ask(self, verb: str, fields: dict[str, Any]) -> int:
        self._numbers += 1
        request = {"id": self._numbers, "do": verb, **fields}
        if self._token and self._numbers == 1:
            request["token"] = self._token
        try:
            line = json.dumps(request, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise BadRequest(f"JSON can't say what goes with {verb!r}: {error}") from error
        try:
            self._socket.sendall(line + b"\n")
        except OSError as error:
            raise Gone(f"{self.address}: {error}") from error
        return self._numbers

    def _hear(self) -> dict[str, Any]:
        try:
            line = self._file.readline()
        except TimeoutError:
            raise Gone(f"{self.address} did not answer within {self._socket.gettimeout():g} s") from None
        except OSError as error:
            raise Gone(f"{self.address}: {error}") from error
        if not line.endswith(b"\n"):
            raise Gone(f"the segment at {self.address} has ended")
        told: dict[str, Any] = json.loads(line)
        return told


def _connect(address: str) -> socket.socket:
    try:
        if address.startswith("tcp://"):
            return socket.create_connection(parse_address(address), timeout=_PATIENCE)
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:  # with `settimeout` it would not wait at all while many others come
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(_PATIENCE), 0))
            connected.connect(address)
            connected.settimeout(_PATIENCE)
        except BaseException:
            connected.close()
            raise
    except OSError as error:
        raise Gone(f"nobody answers at {address}: {error}") from error
    return connected


def _result(told: dict[str, Any]) -> Any:
    if told.get("ok"):
        return told["result"]
    error = told["error"]
    kinds: dict[str, type[StreamPyError]] = {"NoSuch": NoSuch, "BadRequest": BadRequest}
    if error["kind"] in kinds:
        raise kinds[error["kind"]](error["message"])
    raise Refused(error["kind"], error["message"], error["traceback"])


class Address(NamedTuple):
    """A segment that runs."""

    address: str
    """For `Client`."""
    head: dict[str, Any]
    """See `Client.hello`."""

    @property
    def name(self) -> str:
        """`faces`, `faces/core`, or `faces/core#1`."""
        head = self.head
        of_segment = f"/{head['segment']}" if head["segment"] else ""
        return f"{head['process']}{of_segment}{'#' + str(head['replica']) if head['replica'] else ''}"


def find(also: Sequence[str] = (), token: str = "") -> list[Address]:
    """All segments that this user runs on this machine, and those at the addresses, in the order of their names.

    What is left of dead ones is swept. also: `tcp://HOST:PORT`. Raises Gone where nobody answers at one of these, and
    Unsafe where others could have a hand in the folder of the sockets.
    """
    found = []
    for one in folder.find():
        with suppress(Gone):  # it ended just now
            found.append(_look(str(one.path), ""))
    found += [_look(address, token) for address in also]
    return sorted(
        found, key=lambda one: (one.head["process"], one.head["run"], one.head["segment"], one.head["replica"])
    )


def _look(address: str, token: str) -> Address:
    with Client(address, token) as client:
        return Address(address, client.hello())


def choose(there: Sequence[Address], which: str) -> list[Address]:
    """Those that are meant by `PROCESS`, `PROCESS/SEGMENT`, `PROCESS/SEGMENT#REPLICA`, or a pid.

    "" means all, where these are of one run.
    Raises NoSuch where nobody is meant, and where several runs have that name, of which a pid names one.
    """
    if not there:
        raise NoSuch(f"nothing runs here: no socket in {folder.folder()}")
    process, _, segment = which.partition("/")
    segment, _, replica = segment.partition("#")
    if which.isdecimal():
        meant = [one for one in there if int(which) in {one.head["pid"], one.head["run"]}]
    else:
        meant = [
            one
            for one in there
            if process in {"", one.head["process"]}
            and segment in {"", one.head["segment"]}
            and replica in {"", str(one.head["replica"])}
        ]
    if not meant:
        raise NoSuch(f"nothing that runs is called {which!r}{did_you_mean(which, sorted({one.name for one in there}))}")
    runs = {(one.head["process"], one.head["run"]) for one in meant}
    if len(runs) > 1:
        told = ", ".join(f"{name} (pid {run})" for name, run in sorted(runs))
        raise NoSuch(f"several runs are meant: {told}; name one, or say its pid")
    return meant
