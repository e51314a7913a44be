"""What came to a place and when, in a file that outlives whoever wrote it: a SIGKILL loses nothing.

Knows nothing of what came. One writer; any number of readers, at any time, in any OS process.
"""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path

_PAIR = struct.Struct("<dd")


class Notes:
    """Of one place. May be pickled; the file is opened by whoever notes first."""

    def __init__(self, file: str, most: int) -> None:
        self._file, self._most, self._next = file, most, 0
        self._view: memoryview[float] | None = None

    def __reduce__(self) -> tuple[type[Notes], tuple[str, int]]:
        return Notes, (self._file, self._most)

    def note(self, what: float, came: float = 0.0) -> None:
        """Something came now, or then. What comes after the last one that has room is not noted."""
        view = self._view
        if view is None:
            view = self._view = self._open()
        at = 2 * self._next
        if self._next < self._most:
            view[at + 1] = what
            view[at] = came or time.monotonic()  # last: a pair with a time is whole
            self._next += 1

    def _open(self) -> memoryview[float]:
        with Path(self._file).open("w+b") as file:
            file.truncate(_PAIR.size * self._most)
            return memoryview(mmap.mmap(file.fileno(), _PAIR.size * self._most)).cast("d")


def has(file: str | Path, count: int) -> bool:
    """Whether so many were noted by now."""
    try:
        with Path(file).open("rb") as notes:
            notes.seek(_PAIR.size * (count - 1))
            return any(notes.read(8))
    except FileNotFoundError:
        return False


def read(file: str | Path) -> list[tuple[float, float]]:
    """All that was noted so far: `time.monotonic` seconds, and what it was. None where nobody ever noted."""
    try:
        data = Path(file).read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for at, what in _PAIR.iter_unpack(data):
        if not at:
            break
        found.append((at, what))
    return found
