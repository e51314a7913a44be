"""What being watched costs: twelve units in a row, with nobody watching, scraped, and traced.

    python benchmarks/watched.py [--rounds 7] [--seconds 3] [--json FILE]

Three ways, one after another in each round, in an order that turns, all in one OS process: nobody looks; `/metrics` is
scraped each second; 1 % of the items is traced, at most 10 a second of each source, as `streampy run --trace 1%` does.
Who scrapes, and the collector, are OS processes of their own. Two loads: as many small items as can be, where all is
overhead; and 1000 a second, for the latency from birth to the end. Asked is less than 2 %.

Read the ratios: each is the median, over the rounds, of the ratio to "nobody" in the same round, with the quartiles.
CPU is that of the whole OS process for an item, with all its threads; it is what says most on a machine that others use
too. A ratio of latencies below a millisecond is mostly luck.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event
from urllib.request import urlopen

import streampy as sp
from streampy.run.running import Running
from streampy.run.trace.settings import TraceSettings
from streampy.web.look import snapshot_of
from streampy.web.metrics import render
from streampy.web.scrape import Scraped

UNITS = 12
WAYS = ("nobody", "metrics each second", "traces of 1 %")
SHAPES = ("fused", "threads")
PACE = 1000.0


def count_up(*, seconds: float, size: int) -> Iterator[sp.Batch[int]]:
    """Small items in batches, as fast as possible, for so long."""
    until, start = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        yield sp.Batch(range(start, start + size))
        start += size


def singly(*, seconds: float) -> Iterator[int]:
    """Small items one by one, as fast as possible."""
    until, number = time.monotonic() + seconds, 0
    while number % 64 or time.monotonic() < until:
        yield number
        number += 1


def paced(*, seconds: float) -> Iterator[int]:
    """1000 a second."""
    start = time.monotonic()
    for number in range(int(seconds * PACE)):
        sp.worker().sleep(max(0.0, start + number / PACE - time.monotonic()))
        yield number


def same(number: int) -> int:
    """A unit that does nothing."""
    return number


def end(number: int) -> None:
    """Behind the twelve."""


@dataclass(frozen=True)
class Figures:
    """Of one run."""

    rate: float
    """Items a second."""
    cpu: float
    """Seconds for an item."""
    p99: float
    """Seconds from birth to the end."""


@dataclass(frozen=True)
class Ratio:
    """To nobody watching: the median of the rounds, and the quartiles."""

    shape: str
    load: str
    way: str
    what: str
    median: float
    lower: float
    upper: float
    absolute: float
    """The median of what was measured."""

    def __str__(self) -> str:
        spread = f"{self.lower:.3f} to {self.upper:.3f}"
        case = f"{self.shape:<9}{self.load:<9}{self.way:<22}{self.what:<6}"
        return f"{case}{self.median:>7.3f}   {spread:<18}{self.absolute:>14,.6g}"


def chain(load: str, shape: str, seconds: float) -> sp.Process:
    """Twelve times the same unit."""
    process = sp.Process("watched")
    if load == "paced":
        process.add("source", paced, seconds=seconds)
    elif shape == "fused":
        process.add("source", singly, seconds=seconds)
    else:
        process.add("source", count_up, seconds=seconds, size=64)
    before = "source"
    for number in range(UNITS):
        name = f"unit{number:02}"
        process.add(name, same, from_=before, pipe=None if shape == "fused" else {"capacity": 256})
        before = name
    return process.add("end", end, from_=before)


def measure(load: str, shape: str, way: str, seconds: float, collector: str) -> Figures:
    """Run it once."""
    trace = TraceSettings(sample=0.01, url=collector) if way.startswith("traces") else None
    gc.collect()
    with ExitStack() as stack:
        cpu, since = time.process_time(), time.monotonic()
        running = stack.enter_context(sp.run(chain(load, shape, seconds), trace=trace))
        if way.startswith("metrics"):
            stack.enter_context(scraped_each_second(running))
        running.wait()
        took, cpu = time.monotonic() - since, time.process_time() - cpu
        stats = running.stats()
    count = stats.ledger.delivered
    return Figures(count / took, cpu / count, stats.latency["end"].p99)


@contextmanager
def scraped_each_second(running: Running) -> Iterator[None]:
    """Another OS process looks."""
    with Scraped("127.0.0.1:0", lambda: render([snapshot_of(running)])) as scraped, beside("--scrape", scraped.url):
        yield


@contextmanager
def beside(*words: str) -> Iterator[subprocess.Popen[str]]:
    """This file in an OS process of its own, until the end."""
    command = [sys.executable, __file__, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:  # noqa: S603 - our own
        try:
            yield program
        finally:
            program.kill()


def scrape(url: str) -> None:
    """Look each second, for ever."""
    never = Event()
    while True:
        with closing(urlopen(url)) as answer:  # noqa: S310 - ours, on loopback
            answer.read()
        never.wait(1.0)


def collect() -> None:
    """Take spans, and forget them."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/v1/traces", flush=True)
        server.serve_forever()


def compare(rounds: int, seconds: float, tell: Callable[[str], object]) -> list[Ratio]:
    """All loads and shapes, all ways, so many rounds."""
    found: dict[tuple[str, str, str], list[Figures]] = {}
    with beside("--collect", "-") as program:
        assert program.stdout is not None
        collector = program.stdout.readline().strip()
        cases = [(load, shape) for load in ("full", "paced") for shape in SHAPES]
        for load, shape in cases:
            measure(load, shape, WAYS[0], 0.3, collector)
        for number in range(rounds):
            for load, shape in cases:
                for way in (*WAYS[number % 3 :], *WAYS[: number % 3]):
                    found.setdefault((shape, load, way), []).append(measure(load, shape, way, seconds, collector))
            tell(f"round {number + 1} of {rounds}")
    return [ratio for load, shape in cases for way in WAYS for ratio in ratios(found, shape, load, way)]


def ratios(found: dict[tuple[str, str, str], list[Figures]], shape: str, load: str, way: str) -> Iterator[Ratio]:
    """Of one way to nobody watching."""
    for what in ("cpu", "rate") if load == "full" else ("cpu", "p99"):
        there = [getattr(one, what) for one in found[shape, load, way]]
        base = [getattr(one, what) for one in found[shape, load, WAYS[0]]]
        each = [one / other for one, other in zip(there, base, strict=True)]
        lower, median, upper = statistics.quantiles(each, n=4) if len(each) > 1 else (each[0],) * 3
        yield Ratio(shape, load, way, what, median, lower, upper, statistics.median(there))


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description="What being watched costs.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--scrape", help=argparse.SUPPRESS)
    parser.add_argument("--collect", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.scrape:
        scrape(arguments.scrape)
    elif arguments.collect:
        collect()
    else:
        found = compare(arguments.rounds, arguments.seconds, lambda text: print(text, file=sys.stderr, flush=True))
        print("shape    load     way                   what   ratio   quartiles               absolute")
        for ratio in found:
            print(ratio)
        if arguments.json:
            arguments.json.write_text(json.dumps([asdict(ratio) for ratio in found], indent=1))


if __name__ == "__main__":
    main()
