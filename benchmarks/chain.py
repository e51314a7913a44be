"""Twelve units in a row: latency of 1080p frames at 30 a second, and rate of small items.

    python benchmarks/chain.py [--seconds 10]

Beside StreamPy stands what one would write by hand: threads with `queue.Queue`, and nested generators. All in one run,
one after another, on the same frames. Latency is from the moment a frame is made to the moment the last unit has it.
Read the ratios: absolute times are those of this machine and of whatever else it did. The rate of small items is that
of passing integers through units that do nothing, so it is all overhead.
"""

from __future__ import annotations

import argparse
import os
import platform
import queue
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import streampy as sp

UNITS = 12
RATE = 30.0
_END = object()


@dataclass(frozen=True)
class Stamped:
    """A frame, and when it was made (`time.perf_counter` seconds)."""

    image: np.ndarray
    made: float


def frames(*, count: int) -> Iterator[Stamped]:
    """1080p frames, 30 a second."""
    image = np.zeros((1080, 1920, 3), np.uint8)
    start = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
        yield Stamped(image, time.perf_counter())


def touch(frame: Stamped) -> Stamped:
    """A unit that looks at one pixel and passes the frame on."""
    frame.image[0, 0, 0]
    return frame


def same(number: int) -> int:
    """A unit that does nothing."""
    return number


def count_up(*, until: int) -> Iterator[int]:
    """Small items, as fast as possible."""
    yield from range(until)


def count_up_batches(*, until: int, size: int) -> Iterator[sp.Batch[int]]:
    """Small items in batches."""
    for start in range(0, until, size):
        yield sp.Batch(range(start, min(start + size, until)))


def same_batch(numbers: sp.Batch[int]) -> sp.Batch[int]:
    """A unit that does nothing to a batch."""
    return numbers


async def same_async(number: int) -> int:
    """A unit of the event loop that does nothing."""
    return number


async def touch_async(frame: Stamped) -> Stamped:
    """As `touch`, in the event loop."""
    return touch(frame)


def chain(source: Callable[..., object], unit: Callable[..., object], way: str, **settings: int) -> sp.Process:
    """Twelve times the same unit."""
    process = sp.Process(way).add("source", source, **settings)
    before = "source"
    batch = {"batch": 64, "capacity": 256} if way == "threads, batches of 64" else {"capacity": 64}
    for number in range(UNITS):
        name = f"unit{number:02}"
        process.add(name, unit, from_=before, pipe=None if way.startswith(("fused", "event")) else batch)
        before = name
    return process


def latencies_of(way: str, seconds: float) -> list[float]:
    """Seconds from birth to the end of the chain, for each frame."""
    unit = touch_async if way == "event loop" else touch
    found: list[float] = []
    process = chain(frames, unit, way, count=int(seconds * RATE))

    def last(frame: Stamped) -> None:
        found.append(time.perf_counter() - frame.made)

    process.add("last", last, from_=f"unit{UNITS - 1:02}")
    with sp.run(process) as running:
        running.wait()
    return found


def rate_of(way: str, count: int) -> float:
    """Small items a second."""
    batched = "batches" in way
    unit = same_async if way == "event loop" else same_batch if batched else same
    settings = {"until": count, "size": 64} if batched else {"until": count}
    process = chain(count_up_batches if batched else count_up, unit, way, **settings)
    start = time.perf_counter()
    with sp.run(process) as running:
        running.wait()
    return count / (time.perf_counter() - start)


def by_hand(source: Iterator[object], unit: Callable[[object], object], sink: Callable[[object], None]) -> None:
    """Twelve threads with queues between them."""
    queues: list[queue.Queue[object]] = [queue.Queue(64) for _ in range(UNITS + 1)]

    def work(number: int) -> None:
        get, put = queues[number].get, queues[number + 1].put
        while (item := get()) is not _END:
            put(unit(item))
        put(_END)

    def feed() -> None:
        for item in source:
            queues[0].put(item)
        queues[0].put(_END)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(UNITS)]
    for thread in [*threads, feeder := threading.Thread(target=feed)]:
        thread.start()
    while (item := queues[-1].get()) is not _END:
        sink(item)
    for thread in [*threads, feeder]:
        thread.join()


def nested(source: Iterator[object], unit: Callable[[object], object], sink: Callable[[object], None]) -> None:
    """Twelve generators, each over the one before."""
    items = source
    for _ in range(UNITS):
        items = map_lazily(unit, items)
    for item in items:
        sink(item)


def map_lazily(unit: Callable[[object], object], items: Iterator[object]) -> Iterator[object]:
    """One generator of the nest."""
    for item in items:
        yield unit(item)


def plain_latencies(runner: Callable[..., None], seconds: float) -> list[float]:
    """As `latencies_of`, without StreamPy."""
    found: list[float] = []
    runner(frames(count=int(seconds * RATE)), touch, lambda frame: found.append(time.perf_counter() - frame.made))
    return found


def plain_rate(runner: Callable[..., None], count: int) -> float:
    """As `rate_of`, without StreamPy."""
    start = time.perf_counter()
    runner(iter(range(count)), same, lambda _: None)
    return count / (time.perf_counter() - start)


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=10.0, help="of frames for each way")
    arguments.add_argument("--items", type=int, default=100_000, help="small items for each way")
    arguments.add_argument("--repeat", type=int, default=3, help="of the rates")
    chosen = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {UNITS} units\n")
    print(f"{'1080p frames at 30/s':<30}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for name, measure in {
        "StreamPy fused": lambda: latencies_of("fused", chosen.seconds),
        "StreamPy threads": lambda: latencies_of("threads", chosen.seconds),
        "StreamPy event loop": lambda: latencies_of("event loop", chosen.seconds),
        "threads with queue.Queue": lambda: plain_latencies(by_hand, chosen.seconds),
        "nested generators": lambda: plain_latencies(nested, chosen.seconds),
    }.items():
        found = sorted(1000 * one for one in measure())
        p99 = found[int(0.99 * len(found))]
        print(f"{name:<30}{statistics.median(found):>9.3f}{p99:>9.3f}{found[-1]:>9.3f}")
    print(f"\n{'small items':<30}{'items/s':>12}{'spread':>16}")
    for name, measure_rate in {
        "StreamPy fused": lambda: rate_of("fused", chosen.items),
        "StreamPy fused, batches of 64": lambda: rate_of("fused, batches of 64", 10 * chosen.items),
        "StreamPy threads": lambda: rate_of("threads", chosen.items),
        "StreamPy threads, batches of 64": lambda: rate_of("threads, batches of 64", 5 * chosen.items),
        "StreamPy event loop": lambda: rate_of("event loop", chosen.items // 5),
        "threads with queue.Queue": lambda: plain_rate(by_hand, chosen.items),
        "nested generators": lambda: plain_rate(nested, 10 * chosen.items),
    }.items():
        rates = sorted(measure_rate() for _ in range(chosen.repeat))
        print(f"{name:<32}{statistics.median(rates):>10,.0f}   {rates[0]:,.0f} to {rates[-1]:,.0f}")


if __name__ == "__main__":
    main()
