"""Measures: distributions with percentiles, cheap enough for every item.

Pure. A distribution has one writer at a time; anyone may read it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

_PER_OCTAVE = 16
_LOWEST, _OCTAVES = 2.0**-24, 44
"""From 60 ns, or a count of 1, up to a million: each bucket is 4.4 % wide, so a percentile is right within that."""
_BOUNDS = [_LOWEST * 2 ** (step / _PER_OCTAVE) for step in range(_OCTAVES * _PER_OCTAVE)]
_FOLD_AT = 1024


@dataclass(frozen=True, slots=True)
class Summary:
    """What a distribution says; in the unit of what was measured (seconds, or items for batches). All 0 if empty."""

    count: int = 0
    mean: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    buckets: tuple[tuple[float, int], ...] = ()
    """How many samples are at most as large as each bound, and larger than half of it; the bounds are powers of two,
    ascending, and those that nothing fell into are left out."""


class Recorded(NamedTuple):
    """What a distribution has recorded, on its way to another one."""

    samples: list[float]
    buckets: dict[int, int]
    """How many samples were sorted into each; the next three are of these samples."""
    number: int
    total: float
    max: float


class Distribution:
    """A log-linear histogram. `record` only appends; a thousand at a time are sorted into the buckets.

    Sorting in C and finding the few buckets that are hit costs 80 ns a sample, computing a bucket in Python 150.
    """

    __slots__ = ("_count", "_counts", "_max", "_pending", "_total", "append")

    def __init__(self) -> None:
        self._count = 0
        self._total = 0.0
        self._max = 0.0
        self._counts: dict[int, int] = {}
        self._pending: list[float] = []
        self.append = self._pending.append
        """As `record`, but whoever calls it calls `fold` every thousand samples or so."""

    def record(self, sample: float) -> None:
        """Add one sample."""
        self.append(sample)
        if len(self._pending) >= _FOLD_AT:
            self.fold()

    def extend(self, samples: Iterable[float]) -> None:
        """Add several."""
        self._pending.extend(samples)
        if len(self._pending) >= _FOLD_AT:
            self.fold()

    def repeat(self, sample: float, times: int) -> None:
        """Add one sample, so many times: at the price of one."""
        bucket = bisect_left(_BOUNDS, sample)
        self._counts[bucket] = self._counts.get(bucket, 0) + times
        self._count += times
        self._total += sample * times
        self._max = max(self._max, sample)

    def fold(self) -> None:
        """Sort what was appended into the buckets."""
        samples = self._pending.copy()
        if not samples:
            return
        self._pending.clear()
        _sort_in(samples, self._counts)
        self._count += len(samples)
        self._total += sum(samples)
        self._max = max(self._max, samples[-1])

    def take(self) -> Recorded:
        """All that was recorded, which is then no longer here: for `add` of another one."""
        samples = self._pending.copy()
        self._pending.clear()
        taken = Recorded(samples, self._counts, self._count, self._total, self._max)
        self._count, self._total, self._max, self._counts = 0, 0.0, 0.0, {}
        return taken

    def copy(self) -> Recorded:
        """All that was recorded; it stays here too. For any thread."""
        return Recorded(list(self._pending), dict(self._counts), self._count, self._total, self._max)

    def add(self, recorded: Recorded) -> None:
        """What another one recorded."""
        for bucket, count in recorded.buckets.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self._count += recorded.number
        self._total += recorded.total
        self._max = max(self._max, recorded.max)
        self.extend(recorded.samples)

    @property
    def count(self) -> int:
        """How many samples."""
        return self._count + len(self._pending)

    @property
    def latest(self) -> float:
        """The last sample; 0 right after it was sorted in."""
        return self._pending[-1] if self._pending else 0.0

    @property
    def total(self) -> float:
        """The sum of all samples."""
        return self._total + sum(list(self._pending))

    def summary(self) -> Summary:
        """The percentiles so far."""
        return summarize([self])


def summarize(distributions: Iterable[Distribution]) -> Summary:
    """The percentiles of several distributions together, such as those of the workers of a unit."""
    counts: dict[int, int] = {}
    count, total, most = 0, 0.0, 0.0
    for one in distributions:
        pending = list(one._pending)
        for bucket, hits in list(one._counts.items()):
            counts[bucket] = counts.get(bucket, 0) + hits
        _sort_in(pending, counts)
        count += one._count + len(pending)
        total += one._total + sum(pending)
        most = max(most, one._max, pending[-1] if pending else 0.0)
    if not count:
        return Summary()
    p50, p95, p99 = (_percentile(counts, count, share, most) for share in (0.50, 0.95, 0.99))
    return Summary(count, total / count, p50, p95, p99, most, _octaves(counts))


def _octaves(counts: dict[int, int]) -> tuple[tuple[float, int], ...]:
    """Exact, for each octave is so many of the buckets."""
    octaves: dict[int, int] = {}
    for bucket, count in counts.items():
        octave = min(-(-bucket // _PER_OCTAVE), _OCTAVES)
        octaves[octave] = octaves.get(octave, 0) + count
    return tuple((_LOWEST * 2**octave, octaves[octave]) for octave in sorted(octaves))


def _sort_in(samples: list[float], counts: dict[int, int]) -> None:
    """Sort the samples, and count each stretch of them that falls into one bucket."""
    samples.sort()
    start, end = 0, len(samples)
    while start < end:
        bucket = bisect_left(_BOUNDS, samples[start])
        upper = _BOUNDS[bucket] if bucket < len(_BOUNDS) else inf
        stop = bisect_right(samples, upper, start)
        counts[bucket] = counts.get(bucket, 0) + stop - start
        start = stop


def _percentile(counts: dict[int, int], count: int, share: float, most: float) -> float:
    wanted = share * count
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            middle = _BOUNDS[min(bucket, len(_BOUNDS) - 1)] * 2 ** (-0.5 / _PER_OCTAVE)
            return min(middle, most)
    return most
