"""Frames on a stream of bytes: each a head and parts; and how they come out again, however the stream is cut.

Knows nothing of sockets, nor of what the parts say. It trusts nobody: what a head claims is held against the limits
before any memory is taken. A frame, little endian:

    head    kind u8, flags u8, number of parts u16, channel u32, number u64 (what these say depends on the kind)
    sizes   u64 for each part
    parts   the bytes, one part behind the other
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias, final

from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.limits import Limits

Buffer: TypeAlias = "bytes | bytearray | memoryview"
Allocate: TypeAlias = "Callable[[int], bytearray | memoryview]"
"""Gives exactly so many bytes that may be written: where a part other than the first is received. It must not wait."""

_HEAD: Final = struct.Struct("<BBHIQ")
_ONE: Final = struct.Struct("<BBHIQQ")
"""Head and size of a frame with one part: most are that, and small."""
_WIDTH: Final = 8
_SCRATCH: Final = 1 << 16
"""Bytes that are read at once where it is not known what comes."""
_JOINED: Final = 1 << 14
"""Bytes of a frame that are sent in one piece: copying them is cheaper than telling the kernel of pieces."""
_DIRECT: Final = 1 << 14
"""Bytes that are missing from a part from which on they are received at their place."""
_MOST_COUNT: Final = (1 << 16) - 1


class Kind(IntEnum):
    """What a frame is about. Below 32: the connection's own affair; the others are those of who uses it."""

    HELLO = 1
    CHALLENGE = 2
    PROOF = 3
    WELCOME = 4
    READY = 5
    REFUSED = 6
    PING = 8
    PONG = 9
    GOING = 10
    """Whoever sends it will leave soon: give it no more work."""
    BYE = 11
    """The last frame of who sends it."""
    ERROR = 12
    """The last words of who can't go on with this connection."""


OWNERS: Final = range(32, 64)
"""Kinds of those who use connections; what they mean is theirs."""
_KINDS: Final = frozenset({*map(int, Kind), *OWNERS})


def kind_name(kind: int) -> str:
    """What a kind is called, for people; those of the owners are numbers."""
    return Kind(kind).name if kind not in OWNERS else str(int(kind))


class Frame(NamedTuple):
    """One frame."""

    kind: int
    number: int = 0
    """0 to 2**64 - 1."""
    channel: int = 0
    """0 to 2**32 - 1: which of those that share a connection it is for."""
    flags: int = 0
    """0 to 255."""
    parts: Sequence[Buffer] = ()


_new: Final = tuple.__new__
"""Makes a frame in half the time that its own `__new__` takes, which is written in Python."""


def to_piece(frame: Frame, limits: Limits) -> bytes | None:
    """The bytes of a small frame in one piece; None for others, see `to_wire`."""
    kind, number, channel, flags, parts = frame
    if not parts:
        return _HEAD.pack(kind, flags, 0, channel, number)
    if len(parts) == 1 and type(part := parts[0]) is bytes and (size := len(part)) <= _JOINED and size <= limits.head:
        return _ONE.pack(kind, flags, 1, channel, number, size) + part
    return None


def to_wire(frame: Frame, limits: Limits) -> list[Buffer]:
    """The bytes of a frame as buffers, the large ones uncopied. Raises ValueError where it is beyond the limits."""
    if (piece := to_piece(frame, limits)) is not None:
        return [piece]
    kind, number, channel, flags, parts = frame
    views = [part if type(part) is bytes else memoryview(part).cast("B") for part in parts]
    sizes = list(map(len, views))
    total = sum(sizes)
    if (broken := _broken(sizes, total, limits)) is not None:
        raise ValueError(f"a frame of {broken[0]}: expected {broken[1]}; send less at once, or raise the limits")
    head = _HEAD.pack(kind, flags, len(views), channel, number) + struct.pack(f"<{len(views)}Q", *sizes)
    if total <= _JOINED:
        return [b"".join([head, *views])]
    return [head, *filter(len, views)]


def _broken(sizes: Sequence[int], total: int, limits: Limits) -> tuple[str, str] | None:
    """Got and expected, where the limits are broken."""
    if len(sizes) > limits.parts:
        return f"{len(sizes)} parts", f"at most {limits.parts}"
    if sizes and sizes[0] > limits.head:
        return f"{sizes[0]} bytes in the first part", f"at most {limits.head}"
    if total > limits.frame:
        return f"{total} bytes", f"at most {limits.frame}"
    return None


class _Claim(NamedTuple):
    """What a head says."""

    kind: int
    flags: int
    channel: int
    number: int
    sizes: tuple[int, ...]
    length: int
    """Bytes of head and sizes."""
    total: int
    """Bytes of all parts."""


@final
class FrameReader:
    """Makes frames of a stream of bytes. One thread; it does no I/O.

    Put bytes into `room()`, say how many by `filled`, then `take` until there is nothing more. Small frames are read
    many at a time; the parts of a large one are received where they stay: the first in memory of this reader's, each
    other one in what `allocate` gives. A part belongs to whoever takes the frame.
    """

    __slots__ = ("_allocate", "_claim", "_end", "_free", "_open", "_parts", "_scratch", "_start", "limits")

    def __init__(self, limits: Limits, allocate: Allocate = bytearray) -> None:
        self.limits = limits
        """They may be changed between two frames."""
        self._allocate = allocate
        self._scratch = memoryview(bytearray(_SCRATCH))
        self._start = self._end = 0
        """What is in `_scratch` and not yet taken lies between these two."""
        self._claim: _Claim | None = None
        """Of the frame that is received at its place: one that `_scratch` can't hold."""
        self._parts: list[Buffer] = []
        self._open: list[memoryview] = []
        """What is missing of its parts, the next one last."""
        self._free = self._scratch
        """What `room` gave last."""

    def room(self) -> memoryview:
        """Where the next bytes of the stream go: at least one."""
        if self._start == self._end and not self._open:
            self._start = self._end = 0
            self._free = self._scratch
        elif self._open and len(self._open[-1]) >= _DIRECT:
            self._free = self._open[-1]
        else:
            rest = bytes(self._scratch[self._start : self._end])
            self._start, self._end = 0, len(rest)
            self._scratch[: len(rest)] = rest
            self._free = self._scratch[self._end :]
        return self._free

    def filled(self, count: int) -> None:
        """So many bytes were put into what `room` gave last."""
        if not self._open or self._free is not self._open[-1]:
            self._end += count
        else:
            self._open[-1] = self._free[count:]

    def take_bytes(self, count: int) -> bytes | None:
        """So many bytes (at most some dozens) that are no frame; None while they are not all there."""
        if self._end - self._start < count:
            return None
        taken = bytes(self._scratch[self._start : self._start + count])
        self._start += count
        return taken

    def peek(self) -> bytes:
        """What has come and was not taken, for a look at it."""
        return bytes(self._scratch[self._start : self._end])

    def take(self) -> Frame | None:
        """The next frame; None where it is not wholly there. Raises ProtocolError; the stream is then lost."""
        start = self._start
        there = self._end - start
        if there >= _ONE.size and self._claim is None:
            kind, flags, count, channel, number, size = _ONE.unpack_from(self._scratch, start)
            length = _ONE.size + size
            if count == 1 and length <= there and size <= self.limits.head and kind in _KINDS:
                self._start = start + length
                part = bytes(self._scratch[start + _ONE.size : start + length])
                return _new(Frame, (kind, number, channel, flags, (part,)))
        elif there < _HEAD.size and self._claim is None:
            return None
        return self._take()

    def _take(self) -> Frame | None:
        """Any frame; `take` has the one that most are."""
        if self._claim is not None:
            return self._go_on(self._claim)
        start, there = self._start, self._end - self._start
        kind, flags, count, channel, number = _HEAD.unpack_from(self._scratch, start)
        if kind not in _KINDS or count > self.limits.parts:
            raise self._garbage(kind, count)
        length = _HEAD.size + _WIDTH * count
        if there < length:
            return None
        sizes = struct.unpack_from(f"<{count}Q", self._scratch, start + _HEAD.size)
        total = sum(sizes)
        if (broken := _broken(sizes, total, self.limits)) is not None:
            raise ProtocolError(f"a frame of kind {kind_name(kind)}", *broken)
        if there >= length + total:
            self._start = start + length + total
            return Frame(kind, number, channel, flags, self._copied(start + length, sizes))
        if length + total > _SCRATCH:
            return self._begin(_Claim(kind, flags, channel, number, sizes, length, total))
        return None

    def _garbage(self, kind: int, count: int) -> ProtocolError:
        if kind not in _KINDS:
            return ProtocolError("the head of a frame", f"kind {kind}", "one of those that there are")
        return ProtocolError(f"a frame of kind {kind_name(kind)}", f"{count} parts", f"at most {self.limits.parts}")

    def _copied(self, start: int, sizes: tuple[int, ...]) -> tuple[Buffer, ...]:
        """The parts of a frame that lies in `_scratch`."""
        if not sizes:
            return ()
        parts: list[Buffer] = [bytes(self._scratch[start : start + sizes[0]])]
        at = start + sizes[0]
        for size in sizes[1:]:
            place = self._allocate(size)
            memoryview(place).cast("B")[:] = self._scratch[at : at + size]
            parts.append(place)
            at += size
        return tuple(parts)

    def _begin(self, claim: _Claim) -> Frame | None:
        self._claim = claim
        self._parts = [bytearray(claim.sizes[0]), *map(self._allocate, claim.sizes[1:])]
        self._open = [memoryview(part).cast("B") for part in reversed(self._parts) if len(part)]
        self._start += claim.length
        return self._go_on(claim)

    def _go_on(self, claim: _Claim) -> Frame | None:
        while self._open:
            place = self._open[-1]
            count = min(len(place), self._end - self._start)
            if count:
                place[:count] = self._scratch[self._start : self._start + count]
                self._start += count
            if count < len(place):
                self._open[-1] = place[count:]
                return None
            self._open.pop()
        frame = Frame(claim.kind, claim.number, claim.channel, claim.flags, tuple(self._parts))
        self._claim, self._parts, self._free = None, [], self._scratch
        return frame
