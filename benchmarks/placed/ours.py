"""The ways of StreamPy: units in OS processes, or in threads, of a process.

Knows nothing of the other ways, nor of what is done with what was found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Any

import streampy as sp
from placed import plain
from placed.looks import Cost, Memory, cost_while, memory_of_all

UNITS = 12
CAPACITY = 256
"""Items that a pipe holds in the chains of small ones; as many in the queues of the other ways."""


def latency(
    file: str, *, seconds: float, rate: float, place: str = "own", hog: str = "", source: str = "frames"
) -> None:
    """Frames through twelve units, each of which touches them; all in OS processes of their own, or in `main`.

    hog: where a unit that holds the GIL is, in no other way linked to these; "": nowhere.
    """
    from placed import frames  # noqa: PLC0415 - NumPy, which the other ways here do without

    process = sp.Process("latency")
    if hog:
        process.add("hog", plain.hog, seconds=seconds + 1, place=hog)
        process.add("forget", plain.forget, from_="hog", place=hog)
    process.add("source", getattr(frames, source), place=place, count=int(seconds * rate), rate=rate)
    _chain(process, frames.touch, place, {"capacity": 8})
    process.add("last", frames.Look, from_=f"unit{UNITS - 1:02}", place=place, pipe={"capacity": 8}, file=file)
    _run(process)


def throughput(file: str, *, count: int, writes: bool) -> None:
    """Frames through two units, as fast as possible; `writes`: each unit writes a new one."""
    from placed import frames  # noqa: PLC0415

    work = frames.copy if writes else frames.pass_on
    process = sp.Process("throughput").add("source", frames.frames, place="own", count=count, rate=inf)
    for name, before in (("one", "source"), ("two", "one")):
        process.add(name, work, from_=before, place="own", pipe={"capacity": 4})
    process.add("last", frames.Look, from_="two", place="own", pipe={"capacity": 4}, file=file)
    _run(process)


def small(file: str, *, items: int, size: int) -> None:
    """Small items through twelve units, in batches of `size`, or singly."""
    pipe = {"capacity": CAPACITY if size == 1 else 4 * size, "batch": size}
    process = sp.Process("small")
    if size == 1:
        process.add("source", plain.count_up, place="own", until=items)
    else:
        process.add("source", plain.count_up_batches, place="own", until=items, size=size)
    _chain(process, plain.same if size == 1 else plain.same_batch, "own", pipe)
    last = plain.Count if size == 1 else plain.CountBatches
    process.add("last", last, from_=f"unit{UNITS - 1:02}", place="own", pipe=pipe, file=file)
    _run(process)


def pool(file: str, *, items: int, loops: int, workers: int) -> None:
    """One unit of pure Python with so many workers, its results in order."""
    process = sp.Process("pool").add("source", plain.count_up, until=items)
    process.add("spin", plain.spin, from_="source", place="own", workers=workers, loops=loops, pipe={"capacity": 8})
    _run(process.add("last", plain.Count, from_="spin", pipe={"capacity": 8}, file=file))


def start(*, count: int) -> float:
    """Seconds until so many units have started, each in an OS process of its own."""
    process = _resting(count)
    begin = time.monotonic()
    with sp.run(process):
        return time.monotonic() - begin


def idle(*, seconds: float) -> Cost:
    """What twelve units cost that have nothing to do."""
    with sp.run(_resting(UNITS)):
        time.sleep(1.0)  # what is done once, behind the start
        return cost_while(lambda: time.sleep(seconds))


def memory(*, with_numpy: bool) -> dict[str, Memory]:
    """Of each OS process of a run of twelve units."""
    if with_numpy:
        from placed import frames  # noqa: PLC0415

        process = sp.Process("memory").add("source", frames.few_frames)
        _chain(process, frames.touch, "own", {"capacity": 8})
    else:
        process = _resting(UNITS)
    with sp.run(process):
        time.sleep(1.0)
        return memory_of_all()


def _resting(count: int) -> sp.Process:
    process = sp.Process("resting").add("source", plain.rest)
    return _chain(process, plain.same, "own", {"capacity": CAPACITY}, count)


def _chain(
    process: sp.Process, unit: Callable[..., Any], place: str, pipe: dict[str, int], count: int = UNITS
) -> sp.Process:
    before = "source"
    for number in range(count):
        name = f"unit{number:02}"
        process.add(name, unit, from_=before, place=place, pipe=pipe)
        before = name
    return process


def _run(process: sp.Process) -> None:
    with sp.run(process) as running:
        running.wait()
