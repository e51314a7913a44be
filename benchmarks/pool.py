"""A pool of workers under a square wave of load: how soon they follow, and what it costs.

    python benchmarks/pool.py [--periods 3] [--plot docs/pictures/pool.svg]

A source emits 20 items a second for some seconds, then 200, and again. The unit waits 20 ms for each, as one does that
asks a device or a service: 1 worker can do 50 a second, so that the low load needs 1 worker and the high one 4 to 5.
Every 20 ms the number of workers and what waits in the pipe are looked at. At the end: that nothing was lost, that the
order was kept, and how long after each change of the load the number of workers was right.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import streampy as sp

LOW, HIGH = 20.0, 200.0
HALF = 3.0
"""Seconds of low load, and then of high."""
WORK = 0.02
MOST = 8
LOOK = 0.02


@dataclass(frozen=True)
class Look:
    """What was seen at one moment."""

    at: float
    load: float
    workers: int
    waiting: int


def load_at(seconds: float) -> float:
    """Items a second."""
    return HIGH if seconds % (2 * HALF) >= HALF else LOW


def wave(*, seconds: float) -> Iterator[int]:
    """Numbers, as many a second as the square wave asks for."""
    start = time.monotonic()
    due, number = 0.0, 0
    while due < seconds:
        if sp.worker().sleep(max(0.0, start + due - time.monotonic())):
            return
        yield number
        number += 1
        due += 1 / load_at(due)


def ask(number: int) -> int:
    """Waits for an answer."""
    time.sleep(WORK)
    return number


def run(periods: int) -> tuple[list[Look], list[int], sp.Running]:
    """The looks, what came out, and the process, which is over."""
    seconds = periods * 2 * HALF
    process = sp.Process("pool").add("wave", wave, seconds=seconds)
    process.add("ask", ask, from_="wave", workers={"min": 1, "max": MOST}, pipe={"capacity": 256})
    process.add("sink", collect, from_="ask", pipe={"capacity": 256})
    RESULTS.clear()
    looks: list[Look] = []
    with sp.run(process) as running:
        start = time.monotonic()
        while not running.is_over:
            at = time.monotonic() - start
            stats = running.stats()
            looks.append(Look(at, load_at(at), stats.units["ask"].workers, stats.pipes["ask.number"].depth))
            time.sleep(LOOK)
        running.wait()
    return looks, list(RESULTS), running


RESULTS: list[int] = []


def collect(number: int) -> None:
    """The end."""
    RESULTS.append(number)


def delays(looks: list[Look]) -> tuple[list[float], list[float]]:
    """Seconds from each rise of the load until there are workers enough for it, and from each fall until one is left.

    A fall counts from when the pipe is empty: until then there is something to do.
    """
    enough = HIGH * WORK
    last = looks[-1].at - 1  # what changes right at the end is followed by nobody
    changes = [after for before, after in pairwise(looks) if before.load != after.load and after.at < last]
    ups = [_until(looks, one.at, lambda look: look.workers >= enough) for one in changes if one.load == HIGH]
    falls = [one.at for one in changes if one.load == LOW]
    empty = [next((look.at for look in looks if look.at >= at and not look.waiting), at) for at in falls]
    return ups, [_until(looks, at, lambda look: look.workers <= 1) for at in empty]


def _until(looks: list[Look], since: float, is_right: Callable[[Look], bool]) -> float:
    return next((look.at - since for look in looks if look.at >= since and is_right(look)), float("inf"))


def plot(looks: list[Look], file: Path) -> None:
    """Load, workers and depth over time, as SVG."""
    import matplotlib as mpl  # noqa: PLC0415 - only where a picture is asked for

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "streampy", "font.family": "sans-serif", "axes.spines.top": False}
    from matplotlib import pyplot as plt  # noqa: PLC0415

    at = [look.at for look in looks]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 4.5), sharex=True, height_ratios=[2, 1], layout="tight")
    top.step(at, [look.workers for look in looks], where="post", color="#2563eb", label="workers")
    top.step(at, [look.load * WORK for look in looks], where="post", color="#94a3b8", ls="--", label="workers needed")
    top.set_ylabel("workers")
    top.set_ylim(0, MOST + 1.5)
    top.legend(loc="upper right", frameon=False, ncols=2)
    bottom.fill_between(at, [look.waiting for look in looks], color="#f59e0b", alpha=0.5, lw=0)
    bottom.set_ylabel("items waiting")
    bottom.set_xlabel("seconds")
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Run, tell, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--periods", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    looks, results, running = run(arguments.periods)
    stats = running.stats()
    ups, downs = delays(looks)
    print(f"{len(results)} items, in order: {results == sorted(results)}, lost: {stats.ledger.born - len(results)}")
    print(f"seconds until there were workers enough: {', '.join(f'{one:.2f}' for one in ups)}")
    print(f"seconds until one was left, the pipe empty: {', '.join(f'{one:.2f}' for one in downs)}")
    print(f"most that waited: {max(look.waiting for look in looks)}; ledger: {json.dumps(stats.ledger.balanced)}")
    if arguments.plot:
        plot(looks, arguments.plot)


if __name__ == "__main__":
    main()
