"""What one would write by hand: an OS process for each unit, with a `multiprocessing.Queue` before it.

Knows nothing of errors and deaths: where an OS process is killed, these chains hang.
"""

from __future__ import annotations

import multiprocessing as mp
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from placed import frames, plain
from placed.arrivals import Arrivals
from placed.looks import Cost, cost_while

UNITS = 12
_END = None
_fork: Any = mp.get_context("fork")


def latency(file: str, *, seconds: float, rate: float) -> None:
    """See `ours.latency`: the queues carry arrays."""
    items = _Frames(int(seconds * rate), rate)
    _chain(items, frames.touch, UNITS, file, frames.made, capacity=8)


def throughput(file: str, *, count: int, writes: bool) -> None:
    """See `ours.throughput`."""
    unit = frames.copy if writes else frames.pass_on
    _chain(_Frames(count, float("inf")), unit, 2, file, frames.made, capacity=4)


def small(file: str, *, items: int, size: int) -> None:
    """See `ours.small`; batches are lists."""
    if size == 1:
        _chain(range(items), plain.same, UNITS, file, lambda number: number, capacity=256)
        return
    lists = [list(range(start, start + size)) for start in range(0, items, size)]
    _chain(lists, plain.same, UNITS, file, lambda numbers: numbers[-1], capacity=4)


def pool(file: str, *, items: int, loops: int, workers: int) -> None:
    """See `ours.pool`: the workers share one queue, so the results come in any order."""
    given, found = _fork.Queue(8), _fork.Queue(8)
    programs = [_fork.Process(target=_work, args=(given, found, _Spin(loops))) for _ in range(workers)]
    programs.append(_fork.Process(target=_feed, args=(range(items), given, workers)))
    _through(programs, found, file, lambda number: number, ends=workers)


def start(*, count: int) -> float:
    """Seconds until so many OS processes that were spawned say hello."""
    spawn = mp.get_context("spawn")
    begin = time.monotonic()
    hello = spawn.SimpleQueue()
    programs = [spawn.Process(target=_greet, args=(hello,)) for _ in range(count)]
    for program in programs:
        program.start()
    for _ in programs:
        hello.get()
    seconds = time.monotonic() - begin
    for program in programs:
        program.join()
    return seconds


def idle(*, seconds: float) -> Cost:
    """What twelve OS processes cost that wait at a queue each."""
    queues = [_fork.Queue(8) for _ in range(UNITS + 1)]
    programs = _units(queues, plain.same)
    for program in programs:
        program.start()
    time.sleep(1.0)
    cost = cost_while(lambda: time.sleep(seconds))
    queues[0].put(_END)
    while queues[-1].get() is not _END:
        pass
    for program in programs:
        program.join()
    return cost


class _Frames:
    """The frames of the source, made in its OS process."""

    def __init__(self, count: int, rate: float) -> None:
        self._count, self._rate = count, rate

    def __iter__(self) -> Any:
        return frames.plain_frames(count=self._count, rate=self._rate)


class _Spin:
    def __init__(self, loops: int) -> None:
        self._loops = loops

    def __call__(self, number: int) -> int:
        return plain.spin(number, loops=self._loops)


def _chain(
    items: Iterable[Any],
    unit: Callable[[Any], Any],
    count: int,
    file: str,
    tell: Callable[[Any], float],
    *,
    capacity: int,
) -> None:
    queues = [_fork.Queue(capacity) for _ in range(count + 1)]
    programs = [*_units(queues, unit), _fork.Process(target=_feed, args=(items, queues[0], 1))]
    _through(programs, queues[-1], file, tell, ends=1)


def _units(queues: list[Any], unit: Callable[[Any], Any]) -> list[Any]:
    return [_fork.Process(target=_work, args=(here, there, unit)) for here, there in pairwise(queues)]


def _through(programs: list[Any], found: Any, file: str, tell: Callable[[Any], float], *, ends: int) -> None:
    """Start all, note what comes out, and wait for all. The sink is this OS process, which does nothing else."""
    for program in programs:
        program.start()
    arrivals, left = Arrivals(file), ends
    while left:
        what = found.get()
        if what is _END:
            left -= 1
        else:
            arrivals.note(tell(what))
    for program in programs:
        program.join()
    arrivals.save()


def _feed(items: Iterable[Any], there: Any, ends: int) -> None:
    for item in items:
        there.put(item)
    for _ in range(ends):
        there.put(_END)


def _work(here: Any, there: Any, unit: Callable[[Any], Any]) -> None:
    while (item := here.get()) is not _END:
        there.put(unit(item))
    there.put(_END)


def _greet(hello: Any) -> None:
    hello.put(0)
