"""pipeline-lib: a task for each unit, of generators in turn, of threads, or of forked OS processes.

OS processes get buffers of shared memory (`max_message_size`), which is what its own benchmark advises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline_lib import PipelineTask, execute

from beside.asked import main
from beside.job import Job

_STRATEGIES = {"coroutine": "coroutine", "threads": "thread", "processes": "process-fork"}


def source(told: str) -> Iterator[Any]:
    """What the job says."""
    yield from Job.of(told).items()


def work(items: Iterable[Any], told: str, number: int) -> Iterator[Any]:
    """A unit of the job."""
    unit = Job.of(told).unit(number)
    for item in items:
        yield unit(item)


def end(items: Iterable[Any], told: str) -> None:
    """The sink of the job."""
    sink = Job.of(told).sink()
    for item in items:
        sink(item)


def run(job: Job) -> None:
    """Types are not checked, because those of units are known only to the job."""
    held: dict[str, Any] = {} if job.defaults or job.way == "coroutine" else {"packets_in_flight": job.capacity}
    if job.way == "processes":
        held |= {"max_message_size": _largest(job), "shared_buffer": True}
    if job.workers > 1:
        held.setdefault("packets_in_flight", job.workers)
    tasks = [PipelineTask(source, constants={"told": job.told}, **held)]
    for number in range(job.units):
        constants = {"told": job.told, "number": number}
        tasks.append(PipelineTask(work, constants=constants, num_workers=job.workers, **held))
    tasks.append(PipelineTask(end, constants={"told": job.told}))
    execute(tasks, parallelism=_STRATEGIES[job.way], type_check_pipeline=False)


def _largest(job: Job) -> int:
    """Bytes of a message, with some room."""
    return 6_300_000 if job.item == "frame" else 1_000_000 if "frame" in job.item else 16_384


if __name__ == "__main__":
    main(run)
