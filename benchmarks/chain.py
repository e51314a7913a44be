"""Twelve units in a row: latency of 1080p frames at 30 a second, and rate of small items.

    python benchmarks/chain.py [--seconds 10] [--json FILE]

Beside StreamPy stands what one would write by hand: threads with `queue.Queue`, and nested generators. All in one run,
one after another, on the same frames. Latency is from the moment a frame is made to the moment the last unit has it.
Read the ratios: absolute times are those of this machine and of whatever else it did. The rate of small items is that
of passing integers through units that do nothing, so it is all overhead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

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


@dataclass(frozen=True)
class Latency:
    """Of one way (milliseconds)."""

    way: str
    p50: float
    p99: float
    max: float

    def __str__(self) -> str:
        return f"{self.way:<32}{self.p50:>9.3f}{self.p99:>9.3f}{self.max:>9.3f}"


@dataclass(frozen=True)
class Rate:
    """Of one way (items a second): the median of the runs, and their spread."""

    way: str
    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.way:<32}{self.median:>10,.0f}   {self.lowest:,.0f} to {self.highest:,.0f}"


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


def end(number: int) -> None:
    """Behind the twelve."""


def end_batch(numbers: sp.Batch[int]) -> None:
    """Behind the twelve."""


async def end_async(number: int) -> None:
    """Behind the twelve."""


async def same_async(number: int) -> int:
    """A unit of the event loop that does nothing."""
    return number


async def touch_async(frame: Stamped) -> Stamped:
    """As `touch`, in the event loop."""
    return touch(frame)


def capacity_of(way: str) -> int:
    """Items that a pipe of this way holds."""
    return 256 if "256" in way else 64


def chain(source: Callable[..., object], unit: Callable[..., object], way: str, **settings: int) -> sp.Process:
    """Twelve times the same unit."""
    process = sp.Process(way).add("source", source, **settings)
    before = "source"
    batch = {"batch": 64, "capacity": 256} if way == "threads, batches of 64" else {"capacity": capacity_of(way)}
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
    last = end_async if way == "event loop" else end_batch if batched else end
    process.add("last", last, from_=f"unit{UNITS - 1:02}")
    start = time.perf_counter()
    with sp.run(process) as running:
        running.wait()
    return count / (time.perf_counter() - start)


def by_hand(
    source: Iterator[object], unit: Callable[[object], object], sink: Callable[[object], None], capacity: int = 64
) -> None:
    """Twelve threads with queues between them."""
    queues: list[queue.Queue[object]] = [queue.Queue(capacity) for _ in range(UNITS + 1)]

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


def measure_latencies(seconds: float) -> Iterator[Latency]:
    """Of frames, one way after the other."""
    for way, measure in {
        "StreamPy fused": lambda: latencies_of("fused", seconds),
        "StreamPy threads": lambda: latencies_of("threads", seconds),
        "StreamPy event loop": lambda: latencies_of("event loop", seconds),
        "threads with queue.Queue": lambda: plain_latencies(by_hand, seconds),
        "nested generators": lambda: plain_latencies(nested, seconds),
    }.items():
        found = sorted(1000 * one for one in measure())
        yield Latency(way, statistics.median(found), found[int(0.99 * len(found))], found[-1])


def measure_rates(items: int, repeat: int) -> Iterator[Rate]:
    """Of small items, one way after the other, and all of that `repeat` times: so all ways share the noise."""
    ways: dict[str, Callable[[], float]] = {
        "StreamPy fused": lambda: rate_of("fused", items),
        "StreamPy fused, batches of 64": lambda: rate_of("fused, batches of 64", 10 * items),
        "StreamPy threads": lambda: rate_of("threads", items),
        "StreamPy threads, pipes of 256": lambda: rate_of("threads, pipes of 256", items),
        "StreamPy threads, batches of 64": lambda: rate_of("threads, batches of 64", 5 * items),
        "StreamPy event loop": lambda: rate_of("event loop", items // 5),
        "threads with queue.Queue": lambda: plain_rate(by_hand, items),
        "threads with queue.Queue(256)": lambda: plain_rate(partial(by_hand, capacity=256), items),
        "nested generators": lambda: plain_rate(nested, 10 * items),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeat):
        for way, measure in ways.items():
            rates[way].append(measure())
    for way, found in rates.items():
        yield Rate(way, statistics.median(found), min(found), max(found))


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=10.0, help="of frames for each way")
    arguments.add_argument("--items", type=int, default=100_000, help="small items for each way")
    arguments.add_argument("--repeat", type=int, default=3, help="of the rates")
    arguments.add_argument("--json", type=Path, help="file to write the results to")
    chosen = arguments.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {UNITS} units"
    print(f"{machine}\n\n{'1080p frames at 30/s':<32}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    latencies = []
    for latency in measure_latencies(chosen.seconds):
        print(latency)
        latencies.append(latency)
    print(f"\n{'small items':<32}{'items/s':>10}{'spread':>16}")
    rates = list(measure_rates(chosen.items, chosen.repeat))
    print(*rates, sep="\n")
    if chosen.json:
        found = {"machine": machine, "latencies": list(map(asdict, latencies)), "rates": list(map(asdict, rates))}
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
