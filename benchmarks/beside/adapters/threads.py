"""By hand: a thread for each unit, with a bounded `queue.Queue` before it.

What a library would do about errors and ends is what one adds when it has hurt: here is what one writes first.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from beside.asked import main
from beside.job import Job

_END = object()


def run(job: Job) -> None:
    """The sink is the main thread."""
    queues: list[queue.Queue[Any]] = [queue.Queue(0 if job.defaults else job.capacity) for _ in range(job.units + 1)]
    threads = [threading.Thread(target=_feed, args=(job.items(), queues[0], job.workers))]
    for number, (here, there) in enumerate(pairwise(queues)):
        threads += [threading.Thread(target=_work, args=(here, there, job.unit(number))) for _ in range(job.workers)]
    for thread in threads:
        thread.start()
    sink, get, left = job.sink(), queues[-1].get, job.workers
    while left:
        if (item := get()) is _END:
            left -= 1
        else:
            sink(item)
    for thread in threads:
        thread.join()


def _feed(items: Iterable[Any], there: queue.Queue[Any], ends: int) -> None:
    for item in items:
        there.put(item)
    for _ in range(ends):
        there.put(_END)


def _work(here: queue.Queue[Any], there: queue.Queue[Any], unit: Callable[[Any], Any]) -> None:
    get, put = here.get, there.put
    while (item := get()) is not _END:
        put(unit(item))
    put(_END)


if __name__ == "__main__":
    main(run)
