"""What segments say to each other by way of a broker: a letter, which tells who wrote it, too.

Knows nothing of brokers. A letter is a frame, as on a connection; but its first part says what two ends of a connection
have found out before, for whoever wrote it may be gone when it is read.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Frame, FrameReader, to_wire
from streampy.pipes.net.limits import Limits
from streampy.run.segments.packing import Packing
from streampy.run.segments.wire import Peer, Word

if TYPE_CHECKING:
    from streampy.pipes.net.frames import Buffer

VERSION: Final = 1


class Letter(NamedTuple):
    """One that was read."""

    peer: Peer
    """Who wrote it."""
    serial: int
    """How many its writer had written before."""
    word: Word
    what: Any


@final
class Writing:
    """Of one OS process. Any thread may write; numbers are given by who writes."""

    def __init__(self, segment: str, instance: str, other: str, *, serves: bool, packing: Packing) -> None:
        self._who = [VERSION, segment, instance, serves]
        self._other = other
        """The segment whose letters are read."""
        self._packing = packing
        self._codec = WireCodec()
        self._clock = _clock()

    def write(self, serial: int, word: Word, what: Any = None) -> bytes:
        """A letter. Raises ValueError where it is larger than any frame."""
        packed = self._packing.pack_whole(word, what)
        head = self._codec.encode([*self._who, self._clock, serial]).head
        limits = Limits()
        frame = Frame(int(word), parts=[head, *packed.parts])
        return b"".join(to_wire(frame, Limits(limits.frame, limits.head, limits.parts)))

    def read(self, letter: bytes) -> Letter:
        """What somebody wrote. Raises ProtocolError, whatever the bytes are."""
        kind, parts = _parts(letter)
        try:
            word = Word(kind)
            version, segment, instance, serves, clock, serial = self._codec.decode(parts[0])
            self._check(version, segment)
            peer = Peer(str(segment), str(instance), bool(serves), float(clock) - self._clock)
            return Letter(peer, int(serial), word, self._packing.unpack(word, parts[1:]))
        except ProtocolError:
            raise
        except Exception as error:  # whatever it is that came
            raise ProtocolError("a letter", f"none ({type(error).__name__}: {error})", "one of a segment") from error

    def _check(self, version: object, segment: object) -> None:
        if version != VERSION:
            raise ProtocolError("a letter", f"version {version}", f"version {VERSION}, of the same StreamPy")
        if segment != self._other:
            raise ProtocolError("a letter", f"one of {segment!r}", f"one of {self._other!r}")


def _clock() -> float:
    """What this OS process's clock shows when all clocks show 0: those of two machines differ by what NTP leaves."""
    return time.monotonic() - time.time()


def _parts(letter: bytes) -> tuple[int, list[Buffer]]:
    reader = FrameReader(Limits())
    rest = memoryview(letter)
    while True:
        if (frame := reader.take()) is not None:
            return frame.kind, list(frame.parts)
        if not rest:
            raise ProtocolError("a letter", f"{len(letter)} bytes that are no frame", "a whole one")
        room = reader.room()
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        reader.filled(count)
        rest = rest[count:]
