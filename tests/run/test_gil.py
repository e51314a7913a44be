"""A unit that hogs the GIL is measured and named, with the advice to place it `own`; others are not.

What is measured depends on the machine: where others have the CPU meanwhile, nothing is concluded from it. And the
units do so much that their shares are clear.
"""

import os
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf
from time import monotonic, process_time, thread_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streampy as sp
from streampy.model.check import make_plan
from streampy.pipes.base import Bell
from streampy.pipes.guard import Guard
from streampy.run.backend import Backend
from streampy.run.bottleneck import find_limit
from streampy.run.hogs import find_hogs
from streampy.run.segment import Segment
from streampy.run.stats import Stats

pytestmark = pytest.mark.alone

PIPE = {"capacity": 4}
LOOKS = 30
"""At the GIL, from which something may be concluded."""
SOON = 20.0
ENOUGH = 0.8
"""Of a core: what units have of it that always have something to compute, where others leave it to them."""
TRIES = 3
NOISE = os.urandom(300_000)
NAMES = [os.urandom(8) for _ in range(100_000)]
SEEN: dict[str, sp.Running] = {}
GO = threading.Event()


def ticks(*, looks: int = LOOKS) -> Iterator[int]:
    """Items, until the GIL was looked at so often."""
    GO.wait(SOON)
    until = monotonic() + SOON
    number = 0
    while SEEN["running"].stats().gil_wait.count < looks and monotonic() < until:
        for _ in range(10):
            sp.worker().sleep(0.002)
            yield number
            number += 1


def grind(number: int, *, milliseconds: float = 10.0) -> int:
    """Pure Python, for so long on the CPU."""
    until = thread_time() + milliseconds / 1000
    while thread_time() < until:
        sum(range(100))
    return number


async def grind_async(number: int) -> int:
    return grind(number)


def pack(number: int) -> int:
    """The CPU is busy, and the GIL is free."""
    zlib.compress(NOISE, 1)
    return number


def sort(number: int) -> int:
    """One call into C that keeps the GIL until it is done."""
    sorted(NAMES)
    return number


def rest(number: int) -> int:
    """Its worker is busy, and the CPU is free."""
    sp.worker().sleep(0.01)
    return number


def quick(number: int) -> int:
    return number


def branches(*units: Callable[..., Any], **options: Any) -> sp.Process:
    """A source, and behind it each of the units in a thread of its own; options of `add` by the unit's name."""
    process = sp.Process("test").add("ticks", ticks)
    for unit in units:
        dropping = {**PIPE, "overflow": "drop_oldest"}  # or the slowest would hold up the others
        process.add(unit.__name__, unit, from_="ticks", pipe=dropping, **options.get(unit.__name__, {}))
    return process


def measured(process: sp.Process, *, cpu: float = ENOUGH) -> tuple[sp.Running, Stats, Stats]:
    """The process, and two looks at it: when its units had started, and at its end.

    cpu: cores that this OS process must have had in between, else it is tried again; a machine that is too busy, or too
    small, is told by a skip.
    """
    had = 0.0
    for _ in range(TRIES):
        with sp.run(process) as running:
            SEEN["running"] = running
            before, began, had_before = running.stats(), monotonic(), process_time()
            GO.set()
            running.wait()
            had = (process_time() - had_before) / (monotonic() - began)
            after = running.stats()
        GO.clear()
        if had >= cpu:
            return running, before, after
    pytest.skip(f"others have the CPU: here was {had:.2f} of a core, and {cpu} are needed")


@pytest.fixture(autouse=True)
def closed_gate() -> Iterator[None]:
    GO.clear()
    yield
    SEEN.clear()


@pytest.mark.parametrize("hog", [grind, grind_async, sort])
def test_unit_that_hogs_the_gil_beside_quick_ones_is_named(hog):
    name = hog.__name__
    _, _, stats = measured(branches(hog, quick))

    assert stats.units[name].gil > 0.5
    assert stats.units["quick"].gil < 0.2
    assert [name] == [one.unit for one in stats.hogs]
    assert set(stats.hogs[0].others) == {"ticks", "quick"}
    assert str(stats.hogs[0]).startswith(f"{name} holds the GIL ")
    assert f"an OS process of its own for {name} (`place: own`) would help" in str(stats.hogs[0])


@pytest.mark.parametrize(("busy", "cpu"), [(pack, ENOUGH), (rest, 0.0)])
def test_unit_that_is_busy_without_the_gil_is_not_named(busy, cpu):
    _, _, stats = measured(branches(busy, quick), cpu=cpu)

    assert stats.units[busy.__name__].busy > 0.5 * stats.seconds
    assert stats.units[busy.__name__].gil < 0.35
    assert () == stats.hogs


def test_unit_that_keeps_nobody_waiting_is_not_named():
    process = sp.Process("test").add("ticks", ticks).add("grind", grind, from_="ticks")
    _, _, stats = measured(process)

    assert stats.units["grind"].gil > 0.5  # in a chain of two it is known which of them it was
    assert stats.units["ticks"].gil < 0.3
    assert () == stats.hogs


def test_source_that_stands_before_a_full_pipe_waits_for_that_and_not_for_the_gil():
    process = sp.Process("test").add("ticks", ticks).add("grind", grind, from_="ticks", pipe=PIPE)
    _, _, stats = measured(process)

    assert stats.units["grind"].gil > 0.5
    assert () == stats.hogs


def test_of_two_hogs_the_larger_comes_first():
    process = sp.Process("test").add("ticks", ticks)
    process.add("small", grind, from_="ticks", pipe=PIPE, milliseconds=6)
    process.add("large", grind, from_="ticks", pipe=PIPE, milliseconds=12)
    _, _, stats = measured(process.add("quick", quick, from_="ticks", pipe=PIPE))

    assert ["large", "small"] == [one.unit for one in stats.hogs]


def test_one_that_compresses_beside_a_hog_is_not_taken_for_it():
    _, _, stats = measured(branches(grind, pack), cpu=1.5 * ENOUGH)

    assert stats.units["grind"].gil > stats.units["pack"].gil  # by how much depends on who else uses the cores
    assert "pack" not in [hog.unit for hog in stats.hogs]


def test_more_threads_are_not_advised_for_a_unit_that_holds_the_gil():
    process = sp.Process("test").add("ticks", ticks).add("grind", grind, from_="ticks", pipe=PIPE)
    running, before, after = measured(process)
    finding = find_limit(running.plan, before, after)

    assert ("grind",) == finding.units
    assert finding.advice == "more workers (`place: own`, `workers: 2`: threads share the GIL) would help"


class Listening(Backend):
    """Tells when the probe sleeps until somebody wakes it."""

    def __init__(self) -> None:
        self.is_asleep = threading.Event()

    def bell(self, lock: Guard) -> Bell:
        bell = ListenedTo(lock)
        bell.is_asleep = self.is_asleep
        return bell


class ListenedTo(Bell):
    is_asleep: threading.Event

    def wait(self, until: float) -> None:
        if until == inf and threading.current_thread().name == "streampy GIL probe":
            self.is_asleep.set()
        super().wait(until)


def test_nobody_looks_while_nothing_is_to_be_done_and_an_item_wakes_the_probe():
    backend = Listening()
    running = sp.Running(Segment(make_plan(sp.Process("test").add("quick", quick)), backend))
    running.start(SOON)
    with running:
        assert backend.is_asleep.wait(SOON)
        looks = running.stats().gil_wait.count
        backend.is_asleep.clear()
        assert 1 == running.call("quick", 1, timeout=SOON)
        assert backend.is_asleep.wait(SOON)
        assert looks < running.stats().gil_wait.count


def test_there_is_no_probe_in_a_simulation():
    process = sp.Process("test").add("grind", grind, milliseconds=1)
    result = sp.testing.simulate(process, inputs={"grind": range(3)})

    assert (0.0, 0, ()) == (
        result.stats.units["grind"].gil,
        result.stats.gil_wait.count,
        result.stats.hogs,
    )
    assert not any("GIL" in name for _, name in result.trace)


@pytest.fixture(scope="module")
def ended() -> tuple[Any, Stats]:
    """A plan, and the statistics of a run in which nothing came."""
    process = branches(grind, quick)
    with sp.run(process) as running:
        SEEN["running"] = running
        GO.set()
        running.stop()
        return running.plan, running.stats()


SHARES = st.floats(0, 1)


@given(grind=SHARES, quick=SHARES, ticks=SHARES, wait=st.floats(0, 0.1), looks=st.integers(0, 1000))
def test_whatever_was_measured_hogs_come_in_order_and_keep_others_waiting(  # noqa: PLR0917 - as many as are drawn
    ended, grind, quick, ticks, wait, looks
):
    plan, stats = ended
    shares = {"grind": grind, "quick": quick, "ticks": ticks}
    units = {name: replace(stats.units[name], gil=share, emitted=100) for name, share in shares.items()}
    told = replace(stats, seconds=10.0, units=units, gil_wait=replace(stats.gil_wait, count=looks, mean=wait))
    hogs = find_hogs(plan, None, told)

    assert [hog.gil for hog in hogs] == sorted((hog.gil for hog in hogs), reverse=True)
    assert all(hog.others and hog.unit not in hog.others for hog in hogs)
    assert not hogs or (wait > 0 and looks >= 20)


def test_unit_that_is_placed_elsewhere_is_not_blamed(ended):
    plan, stats = ended
    units = {
        name: replace(unit, gil=0.9 if name == "grind" else 0.0, emitted=900) for name, unit in stats.units.items()
    }
    told = replace(stats, seconds=10.0, units=units, gil_wait=replace(stats.gil_wait, count=100, mean=0.001))
    away = replace(plan.units["grind"], spec=replace(plan.units["grind"].spec, place="own"))

    assert ["grind"] == [hog.unit for hog in find_hogs(plan, None, told)]
    assert () == find_hogs(replace(plan, units={**plan.units, "grind": away}), None, told)
