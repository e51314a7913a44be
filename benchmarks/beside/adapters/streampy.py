"""StreamPy, in its three ways: fused, a thread for each unit, an OS process for each unit.

A unit says what it takes by its signature, so the functions that all ways share are called from units that do.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from inspect import isfunction
from typing import Any

import streampy as sp
from beside.asked import main
from beside.job import Job
from placed import plain


def source(*, told: str) -> Iterator[Any]:
    """What the job says; frames in memory that can be sent from uncopied."""
    yield from Job.of(told).items(sp.empty)


def batches(*, told: str) -> Iterator[sp.Batch[int]]:
    """As `source`, where the items come in batches."""
    for numbers in Job.of(told).items():
        yield sp.Batch(numbers)


class Unit(sp.Unit):
    """A unit that is no plain function."""

    def __init__(self, *, told: str, number: int) -> None:
        self._does = Job.of(told).unit(number)

    def work(self, item: Any) -> Any:
        return self._does(item)


class Sink(sp.Unit):
    """The sink of the job."""

    def __init__(self, *, told: str) -> None:
        self._sink = Job.of(told).sink()

    def work(self, item: Any) -> None:
        self._sink(item)


class BatchedSink(sp.Unit):
    """As `Sink`, where the items come in batches."""

    def __init__(self, *, told: str) -> None:
        self._sink = Job.of(told).sink()

    def work(self, items: sp.Batch[int]) -> None:
        self._sink(items)


def run(job: Job) -> dict[str, float]:
    """All streams in one process. What was lost is what the ledger says."""
    process = sp.Process("beside")
    jobs = [job] if job.streams == 1 else [job.stream(number) for number in range(job.streams)]
    for number, one in enumerate(jobs):
        _chain(process, one, f"s{number}_" if len(jobs) > 1 else "")
    with sp.run(process) as running:
        running.wait()
    ledger = running.stats().ledger
    return {"lost": ledger.dropped + ledger.expired + ledger.failed}


def _chain(process: sp.Process, job: Job, prefix: str) -> None:
    batched = job.item == "batch"
    place: dict[str, Any] = {"place": "own"} if job.way == "processes" else {}
    pipe = None if job.way == "fused" else _pipe(job)
    process.add(f"{prefix}source", batches if batched else source, told=job.told, **place)
    before = f"{prefix}source"
    for number in range(job.units):
        workers: dict[str, Any] = {"workers": job.workers} if job.workers > 1 else {}
        name = f"{prefix}unit{number:04}"
        use, settings = _unit(job, number)
        process.add(name, use, from_=before, pipe=pipe, **settings, **place, **workers)
        before = name
    use_last = BatchedSink if batched else Sink
    process.add(f"{prefix}sink", use_last, from_=before, pipe=pipe, told=job.told, **place)


def _unit(job: Job, number: int) -> tuple[Any, dict[str, Any]]:
    """What to use, and its settings: the plain functions that all ways share are units as they are."""
    if job.item == "batch":
        return plain.same_batch, {}
    does = job.unit(number)
    if isinstance(does, partial):
        return does.func, does.keywords
    return (does, {}) if isfunction(does) else (Unit, {"told": job.told, "number": number})


def _pipe(job: Job) -> dict[str, int]:
    if job.defaults:
        return {"capacity": sp.Pipe().capacity}  # that it is said makes the unit a thread of its own
    return {"capacity": job.capacity * job.size, "batch": job.size}


if __name__ == "__main__":
    main(run, takes_streams=True)
