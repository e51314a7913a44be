"""Finds room: which stretches of a row of places are free.

Pure, numbers only. One at a time calls it.
"""

from __future__ import annotations

from typing import Final, final

_FINE: Final = 3
"""Each doubling of the length is divided into 2 to the power of it classes."""


@final
class Spans:
    """Free stretches by length, neighbours joined at once.

    Good fit: a stretch of the right class where one is long enough, else one of the next larger class that has any. So
    what there is room for is found, and a place that was given back is taken again by what is as long.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        """Places in all."""
        self.free = 0
        """Places that are free."""
        self._lengths: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._classes: list[dict[int, None]] = [{} for _ in range(_class_of(count) + 1)]
        self._filled = 0
        if count:
            self._add(0, count)

    def __repr__(self) -> str:
        return f"<Spans: {self.free} of {self.count} places free, in {len(self._lengths)} stretches>"

    def take(self, count: int) -> int | None:
        """The first of `count` places (at least 1) in a row, which are taken now; None where there are no such."""
        start = self._find(count)
        if start is None:
            return None
        length = self._remove(start)
        if length > count:
            self._add(start + count, length - count)
        return start

    def give_back(self, start: int, count: int) -> None:
        """The places are free again; they were taken at once, and are given back so."""
        before = self._starts.get(start)
        if before is not None:
            count += self._remove(before)
            start = before
        if start + count in self._lengths:
            count += self._remove(start + count)
        self._add(start, count)

    def _find(self, count: int) -> int | None:
        right = _class_of(count)
        if right >= len(self._classes):
            return None
        lengths = self._lengths
        for start in reversed(self._classes[right]):
            if lengths[start] >= count:
                return start
        larger = self._filled >> (right + 1)
        if not larger:
            return None
        return next(reversed(self._classes[right + (larger & -larger).bit_length()]))

    def _add(self, start: int, length: int) -> None:
        kind = _class_of(length)
        self._lengths[start] = length
        self._starts[start + length] = start
        self._classes[kind][start] = None
        self._filled |= 1 << kind
        self.free += length

    def _remove(self, start: int) -> int:
        length = self._lengths.pop(start)
        del self._starts[start + length]
        kind = _class_of(length)
        of_class = self._classes[kind]
        del of_class[start]
        if not of_class:
            self._filled ^= 1 << kind
        self.free -= length
        return length


def _class_of(length: int) -> int:
    """Up to 15 each length is a class; above, each of the eighths between two powers of two."""
    scale = length.bit_length() - _FINE - 1
    return length if scale < 0 else (scale << _FINE) + (length >> scale)
