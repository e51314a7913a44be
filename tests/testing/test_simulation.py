"""A whole process in one thread: its time is virtual, its order comes from a seed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import streampy as sp
from streampy.testing import Cancel, Lost, Stuck, Wait, simulate
from streampy.units.rate import Delay, Throttle
from streampy.units.windows import TimeWindow


def ticks(*, count: int = 5, every: float = 1.0) -> Iterator[int]:
    for number in range(count):
        yield number
        sp.worker().sleep(every)


def endless(*, every: float = 1.0) -> Iterator[int]:
    number = 0
    while not sp.worker().sleep(every):
        yield number
        number += 1


def same(number: int) -> int:
    return number


def at(number: int) -> tuple[int, float]:
    return number, sp.worker().now()


def where(number: int) -> int:
    return os.getpid()


def slow(number: int, *, seconds: float = 1.0) -> int:
    sp.worker().sleep(seconds * (1 + number % 3))
    return number


def meet(number: int, other: int | None) -> tuple[int, int | None]:
    return number, other


def busy() -> sp.Process:
    """Who comes first in it is anybody's guess."""
    process = sp.Process("busy").add("left", ticks, count=20, every=0.0).add("right", ticks, count=20, every=0.0)
    process.add("slow", slow, from_=["left", "right"], workers=3, ordered=False, pipe={"capacity": 2})
    return process.add("same", same, from_=["left", "slow"], pipe={"capacity": 3, "overflow": "drop_oldest"})


def test_whatever_place_says_a_simulation_has_all_in_this_os_process():
    process = sp.Process("apart").add("ticks", ticks, place="own").add("same", same, from_="ticks", place="gpu")
    process.add("where", where, from_="same", place="own", workers=3, env={"A": "1"})
    result = simulate(process, seed=1)
    assert [os.getpid()] * 5 == result["where"]
    assert result.stats.ledger.balanced


def test_an_hour_takes_no_time():
    result = simulate(sp.Process("day").add("ticks", ticks, count=24, every=3600.0).add("at", at, from_="ticks"))
    assert [(hour, 3600.0 * hour) for hour in range(24)] == result["at"]
    assert 24 * 3600.0 == result.seconds


def test_the_same_seed_gives_the_same_run_to_the_last_turn():
    first, again = simulate(busy(), seed=7), simulate(busy(), seed=7)
    assert (first, first.trace) == (again, again.trace)


def test_another_seed_gives_another_order():
    runs = [simulate(busy(), seed=seed) for seed in range(10)]
    assert 1 < len({tuple(run["same"]) for run in runs})
    assert all(run.stats.ledger.balanced and run.stats.ledger.in_flight == 0 for run in runs)


def test_the_same_seed_gives_the_same_run_in_another_os_process():
    code = "from tests.testing.test_simulation import *; run = simulate(busy(), seed=7); print(run['same'], run.trace)"
    root = str(Path(__file__).parents[2])
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    run = simulate(busy(), seed=7)
    assert {f"{run['same']} {run.trace}\n"} == told


def test_units_that_use_time_are_exact():
    process = sp.Process("rate").add("ticks", ticks, every=0.0)
    process.add("throttle", Throttle, from_="ticks", per_second=2).add("at", at, from_="throttle")
    assert [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5), (4, 2.0)] == simulate(process)["at"]


def test_a_delay_and_a_window_see_when_items_were_born():
    process = sp.Process("windows").add("ticks", ticks, count=6, every=1.0)
    process.add("delay", Delay, from_="ticks", seconds=10.0).add("at", at, from_="delay")
    process.add("window", TimeWindow, from_="ticks", seconds=3.0)
    result = simulate(process)
    assert [(number, number + 10.0) for number in range(6)] == result["at"]
    assert [[0, 1, 2], [3, 4, 5]] == result["window"]


def test_what_is_late_at_a_join_is_late_to_the_moment():
    def when(pair: tuple[int, int | None]) -> tuple[int, int | None, float]:
        return *pair, sp.worker().now()

    process = sp.Process("join").add("ticks", ticks, count=3, every=10.0)
    process.add("slow", slow, from_="ticks", seconds=1.0, pipe={"capacity": 8})
    process.add("meet", meet, from_={"number": "ticks", "other": "slow"}, join={"wait": 1.5})
    assert [(0, 0, 1.0), (1, None, 11.5), (2, None, 21.5)] == simulate(process.add("when", when, from_="meet"))["when"]


def test_async_units_wait_in_virtual_time_and_beside_each_other():
    async def nap(number: int) -> int:
        async with asyncio.timeout(100):
            await asyncio.sleep(10)
        return await asyncio.to_thread(lambda: 10 * number)

    async def count() -> AsyncIterator[int]:
        for number in range(4):
            await asyncio.sleep(1)
            yield number

    process = (
        sp.Process("naps").add("count", count).add("nap", nap, from_="count", workers=4).add("at", at, from_="nap")
    )
    assert [(0, 11.0), (10, 12.0), (20, 13.0), (30, 14.0)] == simulate(process)["at"]


def test_an_async_unit_that_sleeps_in_the_wrong_way_holds_up_the_loop_and_nobody_else():
    async def wrong(number: int) -> int:
        sp.worker().sleep(10)
        return number

    process = sp.Process("wrong").add("ticks", ticks, count=2).add("wrong", wrong, from_="ticks")
    result = simulate(process.add("at", at, from_="ticks", pipe={"capacity": 4}))
    assert ([0, 1], [(0, 0.0), (1, 1.0)], 20.0) == (result["wrong"], result["at"], result.seconds)


def test_the_error_of_a_unit_comes_out_as_from_a_run():
    def no(number: int) -> int:
        raise ValueError(f"no {number}")

    process = sp.Process("no").add("ticks", ticks).add("no", no, from_="ticks")
    with pytest.raises(sp.UnitFailed, match="'no' failed on item ticks #0") as failed:
        simulate(process)
    assert "no 0" == str(failed.value.__cause__)


def test_the_timeout_of_a_unit_is_virtual():
    process = sp.Process("hung").add("ticks", ticks, count=1).add("slow", slow, from_="ticks", seconds=9.0, timeout=2)
    with pytest.raises(sp.Hung, match="timeout of 2 s"):
        simulate(process)


def test_ctrl_c_is_no_error_of_a_unit():
    def interrupted(number: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(sp.Process("ctrl").add("ticks", ticks).add("interrupted", interrupted, from_="ticks"))


def test_a_source_without_an_end_is_asked_to_end():
    result = simulate(sp.Process("endless").add("endless", endless).add("same", same, from_="endless"), seconds=3.5)
    assert ([0, 1, 2], 3.5) == (result["same"], result.seconds)


def test_the_owner_of_a_process_runs_in_the_simulation():
    def drive(running: sp.Running) -> Any:
        stream = running.stream("same", timeout=2.5)
        first = [next(stream), next(stream)]
        running.pause()
        with pytest.raises(TimeoutError, match="still runs after 100 s"):
            running.wait(100)
        running.resume()
        return first, next(stream), running.stats().seconds

    process = sp.Process("endless").add("endless", endless, every=2.0).add("same", same, from_="endless")
    result = simulate(process, drive)
    assert ([0, 1], 2) == result.value[:2]
    assert 104.0 <= result.value[2] <= 108.0


def test_a_call_is_answered_and_an_event_is_heard():
    class Gain(sp.Unit):
        gain = 1

        def work(self, number: int) -> int:
            sp.worker().sleep(5)
            return self.gain * number

        @sp.event("gain")
        def set_gain(self, gain: int) -> None:
            self.gain = gain

    def drive(running: sp.Running) -> list[int]:
        first = running.call("gain", 2)
        running.fire("gain", "gain", 10)
        return [first, running.call("gain", 2)]

    result = simulate(sp.Process("gain").add("gain", Gain), drive)
    assert ([2, 20], 10.0) == (result.value, result.seconds)


def test_an_open_input_is_fed_with_values_time_and_losses():
    process = sp.Process("open").add("same", same).add("slow", slow, from_="same").add("at", at, from_="slow")
    process.add("meet", meet, from_={"number": "same", "other": "slow"})
    result = simulate(process, inputs={"same": [0, Wait(5), Lost(), 3]})
    assert [(0, 1.0), (3, 6.0)] == result["at"]
    assert [(0, 0), (3, 3)] == result["meet"]
    assert (1, True) == (result.stats.ledger.dropped, result.stats.ledger.balanced)


def test_of_several_open_inputs_one_may_lose_its_part():
    process = sp.Process("open").add("meet", meet)
    result = simulate(process, inputs={"meet": [(1, 10), (2, Lost()), (Lost(), 30), (4, 40)]})
    assert [(1, 10), (2, None), (4, 40)] == result["meet"]
    assert (3, True) == (result.stats.ledger.dropped, result.stats.ledger.balanced)


def test_a_process_that_is_put_out_lets_its_units_clean_up():
    ended: list[str] = []

    class Total(sp.Unit):
        def work(self, numbers: Iterator[int]) -> Iterator[int]:
            try:
                yield from numbers
            finally:
                ended.append("thrown out")

        def stop(self) -> None:
            ended.append("stopped")

    result = simulate(sp.Process("total").add("total", Total), inputs={"total": [1, Wait(1), Cancel(), 2]})
    assert ([1], ["thrown out", "stopped"]) == (result["total"], ended)


def test_values_that_do_not_fit_the_inputs_are_told():
    with pytest.raises(TypeError, match="'meet' has the inputs number, other; got 1 values"):
        simulate(sp.Process("open").add("meet", meet), inputs={"meet": [1]})
    with pytest.raises(sp.StreamPyError, match="'met' is no open input of the process, did you mean 'meet'"):
        simulate(sp.Process("open").add("meet", meet), inputs={"met": [1]})


def test_an_output_that_is_not_there_is_told():
    with pytest.raises(KeyError, match=r"'tick' is not one of the open outputs \(ticks.out\)"):
        simulate(sp.Process("one").add("ticks", ticks))["tick"]


def test_who_waits_for_ever_is_named_with_what_he_waits_for():
    def drive(running: sp.Running) -> None:
        for number in range(1000):  # nobody reads what comes out
            running.push("same", number)

    with pytest.raises(Stuck) as stuck:
        simulate(sp.Process("full").add("same", same), drive)
    assert "drive waits in streampy.run.inlet.Inlet.put" in str(stuck.value)
    assert "same waits in streampy.run" in str(stuck.value)


@pytest.mark.long
def test_turns_without_an_end_are_told():
    def spin(number: int) -> None:
        while not sp.worker().sleep(0):
            pass

    with pytest.raises(Stuck, match="1,000,000 turns at 0 s, and time does not move"):
        simulate(sp.Process("spin").add("ticks", ticks).add("spin", spin, from_="ticks"))


def test_without_greenlet_it_is_told_what_to_install():
    code = "import sys; sys.modules['greenlet'] = None; import streampy as sp; sp.testing.simulate(sp.Process('none'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert 'which is not installed: pip install "streampy[testing]"' in done.stderr
