"""Ray: an actor for each unit, called in a row, or as a compiled graph.

Called in a row, each gets the reference of what the one before it gives; in a compiled graph they hand on through
channels of shared memory. The driver is source and sink. How many items are under way is bounded by hand, as Ray's
documentation advises.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

import ray

from beside.asked import main
from beside.job import Job

_END = object()


class Unit:
    """A unit of the job."""

    def __init__(self, told: str, number: int) -> None:
        self._unit = Job.of(told).unit(number)

    def work(self, item: Any) -> Any:
        return self._unit(item)


Actor: Any = ray.remote(num_cpus=0)(Unit)


def run(job: Job) -> None:
    """Ray is started here, and is over with it."""
    ray.init(
        num_cpus=2, include_dashboard=False, _temp_dir=f"{job.folder}/ray", log_to_driver=False, logging_level="error"
    )
    try:
        if job.way == "compiled":
            asyncio.run(_compiled(job))
        else:
            _actors(job)
    finally:
        ray.shutdown()


def _actors(job: Job) -> None:
    rows = [[Actor.remote(job.told, number) for _ in range(job.workers)] for number in range(job.units)]
    under_way: queue.Queue[Any] = queue.Queue(0 if job.defaults else job.capacity * job.units)
    threading.Thread(target=_submit, args=(job, rows, under_way), daemon=True).start()
    sink = job.sink()
    while (found := under_way.get()) is not _END:
        sink(ray.get(found))


def _submit(job: Job, rows: list[list[Any]], under_way: queue.Queue[Any]) -> None:
    for number, item in enumerate(job.items()):
        found = ray.put(item)
        for row in rows:
            found = row[number % len(row)].work.remote(found)
        under_way.put(found)
    under_way.put(_END)


async def _compiled(job: Job) -> None:
    from ray.dag import InputNode  # noqa: PLC0415 - the actors need it not

    largest = 7_000_000 if job.item == "frame" else 1_000_000
    with InputNode() as node:
        for number in range(job.units):
            node = Actor.remote(job.told, number).work.bind(node)  # noqa: PLW2901 - the chain grows so
    graph = node.experimental_compile(
        enable_asyncio=True,
        _max_inflight_executions=job.capacity,
        _max_buffered_results=job.capacity,
        _buffer_size_bytes=largest,
    )
    under_way: asyncio.Queue[Any] = asyncio.Queue(max(1, job.capacity - 2))  # one is fed, one is awaited
    sink = job.sink()
    async with asyncio.TaskGroup() as group:  # whichever of the two fails ends the other
        group.create_task(_feed(job, graph, under_way))
        while (found := await under_way.get()) is not _END:
            sink(await found)
    graph.teardown()


async def _feed(job: Job, graph: Any, under_way: asyncio.Queue[Any]) -> None:
    items = job.items()
    while (item := await asyncio.to_thread(next, items, _END)) is not _END:
        await under_way.put(await graph.execute_async(item))
    await under_way.put(_END)


if __name__ == "__main__":
    main(run)
