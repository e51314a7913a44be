"""The units of the benchmark that need no library, so that an OS process of theirs has none.

Knows nothing of frames, nor of who calls: StreamPy, or what one would write by hand.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import streampy as sp
from placed.arrivals import Arrivals
from placed.spins import loops_of, same, spin

__all__ = ["Count", "CountBatches", "count_up", "count_up_batches", "forget", "hog", "loops_of", "rest", "same"]
__all__ += ["same_batch", "spin"]


def count_up(*, until: int) -> Iterator[int]:
    """Small items, as fast as possible."""
    yield from range(until)


def count_up_batches(*, until: int, size: int) -> Iterator[sp.Batch[int]]:
    """Small items in batches."""
    for start in range(0, until, size):
        yield sp.Batch(range(start, min(start + size, until)))


def same_batch(numbers: sp.Batch[int]) -> sp.Batch[int]:
    """Do nothing to a batch."""
    return numbers


def hog(*, seconds: float) -> Iterator[int]:
    """Hold the GIL all the time; says something every tenth of a second or so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not sp.worker().stopping:
        yield spin(0, loops=3_000_000)


def forget(number: int) -> None:
    """Behind the hog."""


def rest() -> Iterator[int]:
    """A source that has nothing, until it is stopped."""
    while not sp.worker().sleep(3600.0):
        yield 0


class Count(sp.Unit):
    """The end of a chain of small items."""

    def __init__(self, *, file: str) -> None:
        self._arrivals = Arrivals(file)

    def work(self, number: int) -> None:
        self._arrivals.note(number)

    def stop(self) -> None:
        """Save what came when."""
        self._arrivals.save()


class CountBatches(sp.Unit):
    """The end of a chain of small items in batches."""

    def __init__(self, *, file: str) -> None:
        self._arrivals = Arrivals(file)

    def work(self, numbers: sp.Batch[int]) -> None:
        self._arrivals.note(numbers[-1])

    def stop(self) -> None:
        """Save what came when."""
        self._arrivals.save()
