"""Records in a file, one behind the other: how they lie there, and how they are found again wherever the file was cut.

Knows nothing of what is in them. It trusts no file: what a record claims is held against the limits and against what
there is before any memory is taken. Little endian:

    file    MAGIC, then records; the first one says what the file is about
    record  kind u8, nothing u8, number of parts u16, crc32 u32 of the sizes and of the first part
            size u64 for each part
            the parts
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import IO, Final, NamedTuple, final
from zlib import crc32

from streampy.errors import StreamPyError
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.limits import Limits

MAGIC: Final = b"\x89SPREC\r\n"
"""No text begins like that, and a copy that changes line ends is not taken for one."""
VERSION: Final = 1
_HEAD: Final = struct.Struct("<BBHI")
_WIDTH: Final = 8
_OWN: Final = 2
"""Parts of a record beside the buffers of its value."""


class Kind(IntEnum):
    """What a record is."""

    ABOUT = 1
    ITEM = 2
    LETTER = 3


class RecordingError(StreamPyError):
    """A file is no recording, or is damaged, at this byte."""

    def __init__(self, path: str, offset: int, got: str, expected: str) -> None:
        self.path, self.offset, self.got, self.expected = path, offset, got, expected
        super().__init__(path, offset, got, expected)

    def __str__(self) -> str:
        return f"{self.path}, byte {self.offset}: got {self.got}, expected {self.expected}"


class Record(NamedTuple):
    """One record."""

    kind: Kind
    parts: Sequence[Buffer]
    offset: int
    """Where it begins in the file."""


def pack(kind: Kind, parts: Sequence[Buffer], limits: Limits) -> list[Buffer]:
    """The bytes of a record: the small ones in one piece, then the buffers. Raises ValueError beyond the limits."""
    views = [memoryview(part).cast("B") for part in parts]
    sizes = list(map(len, views))
    if (broken := _broken(sizes, limits)) is not None:
        raise ValueError(f"a record of {broken[0]}: expected {broken[1]}; record a pipe where items are smaller")
    lengths = struct.pack(f"<{len(sizes)}Q", *sizes)
    head = _HEAD.pack(kind, 0, len(sizes), crc32(views[0], crc32(lengths)))
    return [b"".join([head, lengths, *views[:_OWN]]), *filter(len, views[_OWN:])]


def _broken(sizes: Sequence[int], limits: Limits) -> tuple[str, str] | None:
    """Got and expected, where the limits are broken."""
    if len(sizes) > limits.parts + _OWN:
        return f"{len(sizes)} parts", f"at most {limits.parts + _OWN}"
    if max(sizes[:_OWN]) > limits.head:
        return f"{max(sizes[:_OWN])} bytes that are decoded", f"at most {limits.head}"
    if sum(sizes) > limits.frame:
        return f"{sum(sizes)} bytes", f"at most {limits.frame}"
    return None


@final
class Records:
    """Reads the records of a file, from its beginning. One thread."""

    def __init__(self, path: str | os.PathLike[str], limits: Limits) -> None:
        """Open it. Raises OSError, and RecordingError where it is no recording."""
        self.path = str(path)
        self.cut: int | None = None
        """At which byte the last record begins, of which a part is missing; None where the file is whole."""
        self._limits = limits
        self._file: IO[bytes] = Path(path).open("rb")  # noqa: SIM115 - closed by `close`
        magic = self._file.read(len(MAGIC))
        if magic != MAGIC:
            self.close()
            raise RecordingError(self.path, 0, f"{magic!r}", f"{MAGIC!r}, with which a recording begins")
        self._offset = len(MAGIC)
        self._size = self._measure()

    def close(self) -> None:
        """Read no more."""
        self._file.close()

    def next(self) -> Record | None:
        """The next one; None at the end, and where the file was cut (`cut` says where). Raises RecordingError."""
        offset = self._offset
        claim = self._claim()
        if claim is None:
            return None
        kind, checksum, lengths, sizes = claim
        parts = [self._file.read(size) for size in sizes]
        if crc32(parts[0], crc32(lengths)) != checksum:
            raise self._error("a damaged record", "what was written")
        self._offset = offset + _HEAD.size + len(lengths) + sum(sizes)
        return Record(kind, parts, offset)

    def skip(self) -> bool:
        """Pass over the next record; returns whether there was one. Raises RecordingError."""
        claim = self._claim()
        if claim is None:
            return False
        _, _, lengths, sizes = claim
        self._offset += _HEAD.size + len(lengths) + sum(sizes)
        self._file.seek(self._offset)
        return True

    def _claim(self) -> tuple[Kind, int, bytes, tuple[int, ...]] | None:
        """What the head of the next record says, all of which is there."""
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            self.cut = self._offset if head else None
            return None
        kind, nothing, count, checksum = _HEAD.unpack(head)
        if kind not in set(Kind) or nothing or not 1 <= count <= self._limits.parts + _OWN:
            raise self._error(f"{head!r}", "the head of a record")
        lengths = self._file.read(_WIDTH * count)
        if len(lengths) < _WIDTH * count:
            self.cut = self._offset
            return None
        sizes = struct.unpack(f"<{count}Q", lengths)
        if (broken := _broken(sizes, self._limits)) is not None:
            raise self._error(f"a record of {broken[0]}", broken[1])
        if not self._is_there(self._offset + _HEAD.size + len(lengths) + sum(sizes)):
            self.cut = self._offset
            return None
        return Kind(kind), checksum, lengths, sizes

    def _is_there(self, end: int) -> bool:
        if end > self._size:
            self._size = self._measure()  # it may be written still
        return end <= self._size

    def _measure(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _error(self, got: str, expected: str) -> RecordingError:
        return RecordingError(self.path, self._offset, got, expected)
