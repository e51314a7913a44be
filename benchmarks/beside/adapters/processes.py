"""By hand: an OS process for each unit, with a bounded `multiprocessing.Queue` before it.

As `threads.py`, of which it is the sibling: what one writes first.
"""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from beside.asked import main
from beside.job import Job

_END = None
_fork: Any = mp.get_context("fork")


def run(job: Job) -> None:
    """The sink is the main OS process."""
    queues = [_fork.Queue(0 if job.defaults else job.capacity) for _ in range(job.units + 1)]
    programs = [_fork.Process(target=_feed, args=(job, queues[0]))]
    for number, (here, there) in enumerate(pairwise(queues)):
        programs += [_fork.Process(target=_work, args=(here, there, job.unit(number))) for _ in range(job.workers)]
    for program in programs:
        program.start()
    sink, get, left = job.sink(), queues[-1].get, job.workers
    while left:
        if (item := get()) is _END:
            left -= 1
        else:
            sink(item)
    for program in programs:
        program.join()


def _feed(job: Job, there: Any) -> None:
    for item in job.items():
        there.put(item)
    for _ in range(job.workers):
        there.put(_END)


def _work(here: Any, there: Any, unit: Callable[[Any], Any]) -> None:
    get, put = here.get, there.put
    while (item := get()) is not _END:
        put(unit(item))
    put(_END)


if __name__ == "__main__":
    main(run)
