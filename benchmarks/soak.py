"""A graph in which everything happens at once, for as long as one likes: nothing may grow, and every item has an end.

    python benchmarks/soak.py [--for 1h] [--seed 0] [--own]

Fan-outs, joins, a cycle, filters, every overflow policy, batches, a pool, async units, a stream unit, named outputs,
`Latest`, a used process, priorities, a rate, a limit at an entry, errors of every policy, workers that die or hang; and
from outside: calls, pushes, events, other settings, other numbers of workers, pauses, dead letters that are replayed.
Every few seconds one line tells how many items ended, and what is taken of the
machine. At the end the process is drained and the sums must match to the item. Exit code 1 where anything is wrong.

With `--own` many of the units live in other OS processes, and workers are killed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import streampy as sp
from streampy.model.measure import parse_duration
from streampy.run.stats import Stats

TELL_EVERY = 5.0
HUNG = 2
"""Threads that may be left: those that hung are not waited for."""
KILLS = 0.05
"""Of the disturbances, with `--own`."""
MOST_GROWN = 8 * 1024 * 1024
"""Bytes that memory may differ by between the first and the last quarter: what the allocator takes as it likes."""


def ticks(*, rate: float = 400.0) -> Iterator[int]:
    """Numbers, so many a second, in small bursts."""
    start, number = time.monotonic(), 0
    while not sp.worker().sleep(max(0.0, start + number / rate - time.monotonic())):
        for _ in range(random.randint(1, 5)):
            yield number
            number += 1


async def weather() -> AsyncIterator[float]:
    """Something that changes now and then."""
    while True:
        await asyncio.sleep(0.05)
        yield random.random()


class Halves(sp.Outputs):
    """Two ways."""

    even: int
    odd: int


def halve(number: int) -> Halves:
    """Each number goes one way."""
    return Halves(even=number) if number % 2 == 0 else Halves(odd=number)


def parts(number: int) -> Iterator[int]:
    """None to three parts."""
    yield from range(number % 4)


class Heavy(sp.Unit):
    """Waits a little; now and then its worker dies, or hangs."""

    def __init__(self, *, seconds: float = 0.001) -> None:
        self.seconds = seconds
        self.heard = 0

    def work(self, part: int) -> int:
        chance = random.random()
        if chance < 0.0002:
            sys.exit("the worker dies")
        time.sleep(0.25 if chance < 0.0003 else self.seconds)
        return part

    @sp.event("hear")
    def hear(self, words: int) -> int:
        self.heard += words
        return self.heard


def flaky(number: int, *, share: float = 0.05) -> int:
    """Raises often."""
    if random.random() < share:
        raise ValueError(number)
    return number


async def ask(number: int) -> int | None:
    """Waits in the event loop; filters some away."""
    await asyncio.sleep(random.random() / 1000)
    return number if number % 5 else None


def smooth(numbers: Iterator[int]) -> Iterator[int]:
    """Takes the whole stream."""
    mean = 0.0
    for number in numbers:
        mean += (number - mean) / 10
        yield int(mean)


def together(batch: sp.Batch[int]) -> sp.Batch[int | None]:
    """Some of each batch."""
    return sp.Batch([number if number % 7 else None for number in batch], batch.headers)


def settle(number: sp.Item[int]) -> sp.Item[int] | None:
    """Goes round until it is small."""
    return sp.Item(number.value // 2, number.header) if number.value else None


def slow(number: int) -> int:
    """Slower than what comes."""
    sp.worker().sleep(0.005)
    return number


def join(
    tick: int,
    parts: list[int],
    flaky: int | None,
    asked: int | None,
    smooth: list[int],
    even: int | None,
    weather: sp.Latest[float],
) -> int:
    """Everything that came of one tick."""
    return tick + sum(parts) + sum(smooth) + sum(one or 0 for one in (flaky, asked, even)) + int(weather or 0)


def count(number: int) -> None:
    """The end."""


def answer(number: int) -> int:
    """For calls."""
    return number + 1


def weigh(number: int) -> sp.Item[int]:
    """Some are more urgent than others."""
    return sp.Item(number, sp.Header("", 0, 0.0, meta={"priority": number % 3}))


def used() -> sp.Process:
    """A process that is used as a unit."""
    return sp.Process("used").add("first", answer).add("second", ask, from_="first").add("third", parts, from_="second")


PLACES = {
    **dict.fromkeys(["ticks", "heavy", "skips", "retries", "letters", "smooth", "latest", "used"], "own"),
    **dict.fromkeys(["ask", "batches", "urgent", "weigh"], "side"),
}
"""Where units live with `--own`."""


def process(*, is_own: bool) -> sp.Process:
    """The graph. Without a limit at an entry where units live elsewhere: it would let nothing go straight to them."""
    restart = sp.OnCrash(then="restart", backoff=0.01, backoff_most=0.05, limit=1000)
    graph = sp.Process("soak").add("ticks", ticks).add("weather", weather)
    graph.add("halve", halve, from_="ticks")
    graph.add("parts", parts, from_="ticks")
    graph.add("heavy", Heavy, from_="parts", workers={"min": 1, "max": 4}, timeout=0.1, on_crash=restart)
    graph.add("skips", flaky, from_="ticks", on_error="skip")
    graph.add("retries", flaky, from_="ticks", on_error=sp.OnError(retry=2, then="skip", backoff=0.001))
    graph.add("letters", flaky, from_="ticks", on_error="dead_letter", pipe={"batch": 4}, share=0.01)
    graph.add("ask", ask, from_="ticks", workers=3)
    graph.add("smooth", smooth, from_="ticks", pipe={"capacity": 16})
    graph.add("batches", together, from_="ticks", pipe={"batch": 16, "wait": "2ms"})
    for policy in ("drop_oldest", "drop_newest", "latest"):
        graph.add(policy, slow, from_="ticks", pipe={"capacity": 4, "overflow": policy})
    graph.add("stale", slow, from_="ticks", pipe={"capacity": 16, "overflow": "drop_oldest", "stale": "30ms"})
    graph.add("settle", settle, from_=["ticks", "settle"], pipe={"capacity": 32, "overflow": "drop_oldest"})
    sources = {"tick": "ticks", "parts": "heavy", "flaky": "skips", "asked": "ask", "smooth": "smooth"}
    graph.add("join", join, from_={**sources, "even": "halve.even", "weather": "weather"}, join={"wait": "100ms"})
    graph.add("used", used(), from_="ticks", workers=2, pipe={"capacity": 16})
    graph.add("weigh", weigh, from_="ticks")
    graph.add("urgent", slow, from_="weigh", pipe={"capacity": 8, "order": "priority", "overflow": "drop_oldest"})
    graph.add("paced", answer, from_="ticks", pipe={"capacity": 4, "rate": "50/s", "overflow": "latest"})
    limit = {} if is_own else {"in_flight": 2}
    graph.add("entry", answer, from_="ticks", pipe={"capacity": 4, "overflow": "drop_oldest", **limit})
    graph.add("behind", slow, from_="entry", pipe={"capacity": 4})
    more = ["used.third", "urgent", "paced", "behind"]
    ends = [
        *more,
        "halve.odd",
        "retries",
        "letters",
        "batches",
        "drop_oldest",
        "drop_newest",
        "latest",
        "stale",
        "join",
    ]
    graph.add("count", count, from_=ends, pipe={"capacity": 64})
    graph.add("answer", answer, workers=2)
    if not is_own:
        return graph
    placed = [replace(unit, place=PLACES.get(unit.name, "main")) for unit in graph.units.values()]
    return sp.Process("soak", placed)


@dataclass(frozen=True)
class Sight:
    """What was taken of the machine at one moment."""

    at: float
    memory: int
    threads: int
    files: int

    @classmethod
    def now(cls, start: float) -> Sight:
        """Look."""
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no need of paths
        return cls(time.monotonic() - start, memory_of(os.getpid()), threading.active_count(), files)


def family(pid: int) -> list[int]:
    """An OS process and all below it."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [pid, *(one for child in below for one in family(child))]


def memory_of(pid: int) -> int:
    """Bytes that an OS process has for itself."""
    try:
        resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
    except OSError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def disturb(running: sp.Running) -> None:
    """One thing from outside; a worker that hangs answers nothing."""
    with suppress(TimeoutError):
        random.choice(DISTURBANCES)(running)


def ask_for_an_answer(running: sp.Running) -> None:
    """A call."""
    number = random.randrange(1000)
    if running.call("answer", number) != number + 1:
        raise AssertionError("a wrong answer")


def hold(running: sp.Running) -> None:
    """A pause of some units."""
    running.pause(random.choice(["ticks", "drop_*", "ask", "heavy", "used/*"]))
    time.sleep(random.random() / 20)
    running.resume()


def replay(running: sp.Running) -> None:
    """Dead letters once more."""
    for letter in running.dead_letters():
        if letter.unit == "letters":
            running.replay(letter)


DISTURBANCES: tuple[Callable[[sp.Running], object], ...] = (
    ask_for_an_answer,
    hold,
    replay,
    lambda running: running.call("answer", 1, timeout=0),
    lambda running: running.fire("heavy", "hear", 1, timeout=0.5),
    lambda running: running.set("skips", share=random.random() / 5),
    lambda running: running.set("heavy", seconds=random.random() / 200, timeout=0.5),
    lambda running: running.scale("heavy", random.choice([None, 1, 2, 3, 4])),
)


def kill_a_worker() -> None:
    """One of the OS processes in which the pool `heavy` lives: their items are given to others."""
    found = [pid for pid in family(os.getpid()) if name_of(pid).startswith("heavy#")]
    if found:
        with suppress(ProcessLookupError):
            os.kill(random.choice(found), signal.SIGKILL)


def name_of(pid: int) -> str:
    """Its title."""
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def soak(seconds: float, *, is_own: bool) -> tuple[list[Sight], sp.Running]:
    """Run for so long; what was seen, and the process, which is over."""
    sights: list[Sight] = []
    with sp.run(process(is_own=is_own)) as running:
        start = told = time.monotonic()
        answers = threading.Thread(target=lambda: [None for _ in running.stream("answer")], daemon=True)
        answers.start()
        while time.monotonic() - start < seconds:
            disturb(running)
            if is_own and random.random() < KILLS:
                kill_a_worker()
            time.sleep(0.05)
            if time.monotonic() - told > min(TELL_EVERY, seconds / 20):
                told = time.monotonic()
                gc.collect()
                sights.append(Sight.now(start))
                tell(running.stats(), sights[-1])
        running.drain(30)
        answers.join()
    return sights, running


def tell(stats: Stats, sight: Sight) -> None:
    """One line."""
    ledger = stats.ledger
    print(
        f"{sight.at:7.0f} s  born {ledger.born:>9,}  ended {ledger.ended:>10,}  in flight {ledger.in_flight:>5}  "
        f"failed {ledger.failed:>6}  memory {sight.memory / 1e6:6.1f} MB  threads {sight.threads}  files {sight.files}",
        flush=True,
    )


def judge(before: Sight, sights: list[Sight], running: sp.Running) -> list[str]:
    """What is wrong. A pool grows and shrinks, a hung worker comes and goes: so the least of a quarter counts."""
    ledger = running.stats().ledger
    wrong = []
    if not ledger.balanced or ledger.in_flight:
        wrong.append(f"the ledger does not match: {ledger}")
    quarter = max(1, len(sights) // 4)
    early, late = sights[quarter : 2 * quarter], sights[-quarter:]
    grown = min(one.memory for one in late) - min(one.memory for one in early)
    print(f"the least memory of a quarter differs by {grown / 1e6:+.1f} MB between the second and the last one")
    if grown > MOST_GROWN:
        wrong.append(f"memory grew by {grown / 1e6:.1f} MB")
    after = Sight.now(0)
    wrong += [
        f"{what}: {getattr(before, what)} before, {getattr(after, what)} after"
        for what in ("threads", "files")
        if getattr(after, what) > getattr(before, what) + HUNG
    ]
    left = family(os.getpid())[1:]
    if left:
        wrong.append(f"OS processes are left: {left}")
    return wrong


def main() -> int:
    """Soak, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--for", dest="seconds", type=parse_duration, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--own", action="store_true", help="many units in other OS processes")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    logging.getLogger("streampy").setLevel(logging.CRITICAL)
    before = Sight.now(0)
    sights, running = soak(arguments.seconds, is_own=arguments.own)
    wrong = judge(before, sights, running)
    tell(running.stats(), Sight.now(0))
    print("\n".join(wrong) or "nothing grew, and every item has its end")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
