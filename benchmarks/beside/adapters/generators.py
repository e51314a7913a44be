"""By hand: nested generators, each over the one before. What Python calls cost, and no more: the floor of a thread.

Knows nothing of queues, errors and workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from beside.asked import main
from beside.job import Job


def run(job: Job) -> None:
    """All in the main thread."""
    items: Iterable[Any] = job.items()
    for number in range(job.units):
        items = _each(job.unit(number), items)
    sink = job.sink()
    for item in items:
        sink(item)


def _each(unit: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        yield unit(item)


if __name__ == "__main__":
    main(run)
