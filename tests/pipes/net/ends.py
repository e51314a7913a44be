"""Both ends of a connection over loopback, and an owner that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

from streampy.pipes.net.connection import Connection
from streampy.pipes.net.dialling import dial
from streampy.pipes.net.door import Door, listen
from streampy.pipes.net.errors import LinkError
from streampy.pipes.net.frames import OWNERS, Frame, FrameReader
from streampy.pipes.net.handshake import Identity, Terms
from streampy.pipes.net.io_thread import IoThread
from streampy.pipes.net.settings import ConnectionSettings
from streampy.pipes.net.tls import Tls

ITEMS, ENDED, CREDIT, END, NEWS = OWNERS[:5]
"""Kinds of frames, as whoever uses connections may call them."""

SOON = 10.0
"""Seconds in which what must happen has to happen."""
EDGE = Identity("faces", "edge")
CORE = Identity("faces", "core", "core-1", 3)


class Kept:
    """What an owner is told; `answer` may do something with a frame at once."""

    def __init__(self, answer: Callable[[Connection, Frame], None] = lambda *_: None) -> None:
        self.opened: Queue[Connection] = Queue()
        self.frames: Queue[Frame] = Queue()
        self.downs: Queue[LinkError | None] = Queue()
        self.is_told_going = Event()
        self._answer = answer

    def on_open(self, connection: Connection) -> None:
        self.opened.put(connection)

    def on_message(self, connection: Connection, frame: Frame) -> None:
        self.frames.put(frame)
        self._answer(connection, frame)

    def on_pause(self, _: Connection) -> None:
        """Each frame was kept as it came."""

    def on_drained(self, _: Connection) -> None:
        """See `Owner`."""

    def on_going(self, _: Connection) -> None:
        self.is_told_going.set()

    def on_down(self, _: Connection, error: LinkError | None) -> None:
        self.downs.put(error)

    def connection(self) -> Connection:
        return self.opened.get(timeout=SOON)

    def frame(self) -> Frame:
        return self.frames.get(timeout=SOON)

    def down(self) -> LinkError | None:
        return self.downs.get(timeout=SOON)


class Ends(NamedTuple):
    """Two connections that are one."""

    edge: Connection
    core: Connection
    edge_owner: Kept
    core_owner: Kept


def settings(who: Identity = EDGE, *, token: str = "", tls: Tls | None = None, **more: Any) -> ConnectionSettings:
    terms = {name: more.pop(name) for name in ("limits", "accept") if name in more}
    return ConnectionSettings(Terms(who, token, **terms), tls, **more)


@contextmanager
def started() -> Iterator[IoThread]:
    with IoThread("net of a test") as io:
        yield io


@contextmanager
def a_door(io: IoThread, owner: Kept, core: ConnectionSettings | None = None) -> Iterator[Door]:
    with listen(io, ("127.0.0.1", 0), core or settings(CORE), owner) as door:
        yield door


@contextmanager
def both_ends(
    edge: ConnectionSettings | None = None,
    core: ConnectionSettings | None = None,
    edge_owner: Kept | None = None,
    core_owner: Kept | None = None,
) -> Iterator[Ends]:
    """An open connection; each end has an I/O thread of its own."""
    edge_owner, core_owner = edge_owner or Kept(), core_owner or Kept()
    with started() as there, started() as here, a_door(there, core_owner, core) as door:
        ours = dial(here, door.address, edge or settings(), edge_owner)
        yield Ends(edge_owner.connection(), core_owner.connection(), edge_owner, core_owner)
        ours.close(monotonic() + SOON)


def refused(
    edge: ConnectionSettings, core: ConnectionSettings, **how: Any
) -> tuple[LinkError | None, LinkError | None]:
    """Why no connection came to be, at the end that dials and at the one that listens."""
    edge_owner, core_owner = Kept(), Kept()
    with started() as there, started() as here, a_door(there, core_owner, core) as door:
        dial(here, door.address, edge, edge_owner, **how)
        told = edge_owner.down(), core_owner.down()
        assert core_owner.opened.empty(), "whoever is refused is never open"
    return told


def feed(reader: FrameReader, data: bytes) -> Iterator[Frame]:
    """The frames of these bytes; they are given as much at once as the reader has room for."""
    rest = memoryview(data)
    while rest:
        room = reader.room()
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        reader.filled(count)
        rest = rest[count:]
        while (frame := reader.take()) is not None:
            yield frame
