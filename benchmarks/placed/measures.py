"""What is measured, and how it becomes a table. The ways take turns, round by round, so they share the noise.

Knows nothing of how the ways do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from placed.frames import RATE
from placed.one import measure
from placed.plain import loops_of
from placed.tables import Table, percentile, spread

WORK = 0.005
"""Seconds of pure Python for each item of the CPU-bound unit."""
_WARM = 1.0
"""Seconds of frames, and ..."""
_WARM_SHARE = 0.1
"""... the share of what was sent as fast as possible, that is discarded: memory and caches are new then."""
_Way = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    rounds: int
    seconds: float
    """Of frames at their rate, and of what is as fast as possible about as many."""


def latency(extent: Extent) -> Table:
    """A. Twelve OS processes, 1080p frames at 30 a second."""
    arguments = {"seconds": extent.seconds + _WARM, "rate": RATE}
    rounds = _in_turn(
        extent.rounds,
        {
            "the floor": lambda: measure("floor", "latency", **arguments),
            "StreamPy, `place: own`": lambda: measure("ours", "latency", **arguments),
            "StreamPy, frames not from `sp.empty`": lambda: measure(
                "ours", "latency", source="plain_frames", **arguments
            ),
            "`multiprocessing.Queue`, by hand": lambda: measure("queues", "latency", **arguments),
        },
    )
    touch = 1000 * measure("floor", "touches", seconds=1.0)
    note = f"One touch of a frame takes {touch:.3f} ms in an OS process that does nothing else."
    return _latencies("latency", rounds, note)


def hog(extent: Extent) -> Table:
    """H. The same while another unit holds the GIL of the main OS process all the time."""
    arguments = {"seconds": extent.seconds + _WARM, "rate": RATE}

    def ours(place: str, hog: str) -> _Way:
        return lambda: measure("ours", "latency", place=place, hog=hog, **arguments)

    rounds = _in_turn(
        extent.rounds,
        {
            "`place: own`, no hog": ours("own", ""),
            "`place: own`, the hog in `main`": ours("own", "main"),
            "`place: own`, the hog in an OS process too": ours("own", "elsewhere"),
            "threads, no hog": ours("main", ""),
            "threads, the hog in `main`": ours("main", "main"),
        },
    )
    return _latencies("hog", rounds)


def small(extent: Extent) -> Table:
    """B. Small items through twelve OS processes, as fast as possible."""
    rows, raw = [], {}
    for size, a_second in ((1, 8_000), (64, 100_000), (256, 250_000), (1000, 250_000)):
        counts = {"floor": a_second, "ours": a_second, "queues": a_second if size > 1 else a_second // 2}

        def way(name: str, size: int = size, counts: Mapping[str, int] = counts) -> _Way:
            items = int(counts[name] * extent.seconds) // size * size
            return lambda: _rate(measure(name, "small", items=items, size=size), items)

        found = _in_turn(extent.rounds, {name: way(name) for name in counts})
        raw[str(size)] = found
        ratio = median(found["ours"]) / median(found["queues"])
        rates = (spread(found[name]) for name in ("ours", "queues", "floor"))
        rows.append(["singly" if size == 1 else f"batches of {size}", *rates, f"{ratio:.2f}"])
    head = ["items a second", "StreamPy", "`multiprocessing.Queue`", "the floor", "StreamPy / queues"]
    return Table("small items", head, rows, raw=raw)


def throughput(extent: Extent) -> Table:
    """C. Frames through two OS processes, as fast as possible."""
    rows, raw = [], {}
    for writes in (False, True):

        def way(name: str, a_second: int, *, writes: bool = writes) -> _Way:
            count = int(a_second * extent.seconds)
            return lambda: _rate(measure(name, "throughput", count=count, writes=writes), count)

        ways: dict[str, _Way] = {
            "memcpy": lambda: measure("floor", "memcpy", blocks=8, seconds=extent.seconds / 2),
            "the floor": way("floor", 400),
            "StreamPy": way("ours", 400),
            "`multiprocessing.Queue`": way("queues", 40),
        }
        found = _in_turn(extent.rounds, ways)
        raw["writes" if writes else "passes"] = found
        one = median(found["memcpy"])
        for name in ways:
            copies = "one copy, nothing else" if name == "memcpy" else "write a new one" if writes else "pass it on"
            share = [rate / one for rate in found[name]]
            rows.append([name, copies, spread(found[name]), f"{median(share):.0%}"])
    head = ["1080p frames a second", "the two units", "frames a second", "of one memcpy"]
    return Table("frames", head, rows, raw=raw)


def pool(extent: Extent) -> Table:
    """D. One CPU-bound unit of pure Python with one worker and with two."""
    loops, items = loops_of(WORK), int(extent.seconds / WORK / 2)
    ways: dict[str, _Way] = {}
    for name in ("floor", "ours", "queues"):
        for workers in (1, 2):
            arguments = {"items": items, "loops": loops, "workers": workers}
            ways[f"{name} {workers}"] = _pool_way(name, items, arguments)
    found = _in_turn(extent.rounds, ways)
    rows = []
    for name, way, order in (
        ("floor", "two OS processes that have nothing to do with each other", "none"),
        ("ours", "StreamPy", "kept"),
        ("queues", "`multiprocessing.Queue`, by hand", "lost"),
    ):
        one, two = found[f"{name} 1"], found[f"{name} 2"]
        ups = [b / a for a, b in zip(one, two, strict=True)]
        rows.append([way, order, spread(one), spread(two), spread(ups, ".2f")])
    head = ["5 ms of pure Python", "order", "one worker, a second", "two workers, a second", "speed-up"]
    return Table("pool", head, rows, raw=found)


def _pool_way(name: str, items: int, arguments: dict[str, int]) -> _Way:
    def way() -> float:
        found = measure(name, "pool", **arguments)
        if name == "floor":
            return float(found)
        numbers = [number for _, number in found]
        if name == "ours" and numbers != sorted(numbers):
            raise AssertionError("the results of a pool came out of order")
        return _rate(found, items)

    return way


def _in_turn(rounds: int, ways: Mapping[str, _Way]) -> dict[str, list[Any]]:
    """What each way found in each round."""
    found: dict[str, list[Any]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return found


def _latencies(name: str, rounds: Mapping[str, Sequence[Any]], note: str = "") -> Table:
    warm = int(_WARM * RATE)
    raw = {way: [[1000 * (at - made) for at, made in one[warm:]] for one in found] for way, found in rounds.items()}
    floor = median([percentile(one, 0.5) for one in next(iter(raw.values()))])
    rows = []
    for way, found in raw.items():
        p50, p99 = ([percentile(one, share) for one in found] for share in (0.5, 0.99))
        most = f"{max(map(max, found)):,.2f}"
        rows.append([way, spread(p50, ",.2f"), spread(p99, ",.2f"), most, f"{median(p50) / floor:,.1f}"])
    head = ["1080p at 30/s", "p50 ms", "p99 ms", "max ms", "p50 / the first"]
    return Table(name, head, rows, note, raw)


def _rate(found: Sequence[tuple[float, float]], items: int) -> float:
    """Items a second at the end of the chain, but for those of the beginning."""
    warm = int(len(found) * _WARM_SHARE)
    return items * (len(found) - warm - 1) / len(found) / (found[-1][0] - found[warm][0])
