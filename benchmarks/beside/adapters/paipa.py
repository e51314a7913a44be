"""paipa: a step for each unit, in a thread of its own; or its pipelines of generators, in one.

Python 3.9 took `Thread.isAlive` away, without which its threads can't run at all. It is put back here, so that what its
authors meant can be seen; as it is published it runs on no Python that is supported. Only function steps: its iterator
steps end in an error since Python 3.7.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from beside.asked import main
from beside.job import Job

threading.Thread.isAlive = threading.Thread.is_alive  # type: ignore[attr-defined]

from paipa.coroutines import combine_pipeline  # noqa: E402 - not before the line above
from paipa.threaded import Pipeline, funcstep  # noqa: E402

logging.basicConfig(level=logging.ERROR)


def run(job: Job) -> None:
    """Errors are passed on (`max_retries=0`) where the default tries an item ten times and drops it."""
    if job.way == "coroutine":
        sink = job.sink()
        for item in combine_pipeline(job.items(), [_each(job.unit(number)) for number in range(job.units)]):
            sink(item)
        return
    steps = [(funcstep(job.unit(number)), job.workers) for number in range(job.units)]
    threshold = {} if job.defaults else {"threshold": job.capacity}
    pipeline = Pipeline([*steps, (funcstep(job.sink()), 1)], quiet=True, max_retries=0, **threshold)
    pipeline.put_iterable(job.items())
    pipeline.run()


def _each(unit: Callable[[Any], Any]) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def step(items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            yield unit(item)

    return step


if __name__ == "__main__":
    main(run)
