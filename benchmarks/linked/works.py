"""What all ways carry, and how the OS process at the other end is had. Needs nothing that is not in Python itself.

Knows nothing of how anything is carried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Final

FRAME: Final = 1080 * 1920 * 3
"""Bytes."""
SMALL: Final = bytes(range(64))
_WARM: Final = 0.1
"""Share of what is sent as fast as possible that is discarded."""


@contextmanager
def other(main: Callable[..., None], *arguments: Any) -> Iterator[tuple[Any, Callable[[], Any]]]:
    """An OS process for the other end. `main` is given a function to tell something with, and the arguments.

    Gives what it told first, where it can be reached, and a function that waits for what it tells next.
    """
    context = get_context("spawn")
    told = context.SimpleQueue()
    process = context.Process(target=main, args=(told.put, *arguments), daemon=True)
    process.start()
    try:
        yield told.get(), told.get
    finally:
        process.join(10.0)
        process.kill()


class Rate:
    """So many things arrive; how many a second, but for the first tenth."""

    def __init__(self, count: int) -> None:
        self._warm, self._count = int(count * _WARM), count
        self._seen = 0
        self._since = self._until = 0.0

    def came(self, count: int = 1) -> None:
        """So many are there."""
        self._seen += count
        if not self._since and self._seen > self._warm:
            self._since, self._warm = time.perf_counter(), self._seen
        if self._seen >= self._count:
            self._until = time.perf_counter()

    @property
    def is_done(self) -> bool:
        """Whether all are there."""
        return self._seen >= self._count

    @property
    def a_second(self) -> float:
        """Once all are there."""
        return (self._seen - self._warm) / (self._until - self._since)


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in microseconds, but for the first tenth."""
    kept = sorted(seconds[int(len(seconds) * _WARM) :])
    return 1e6 * kept[len(kept) // 2], 1e6 * kept[int(len(kept) * 0.99)]
