"""Processes that are used as units, in a running process: names, order, the ledger, and who is told when one fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Barrier, BrokenBarrierError, Event, get_ident

import pytest

import streampy as sp

SOON = 10.0
"""Seconds in which what must happen has to happen."""


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def add(number: int, *, what: int = 1) -> int:
    return number + what


def double(number: int) -> int:
    return 2 * number


def odd(number: int) -> int | None:
    return number if number % 2 else None


def parts(number: int) -> Iterator[int]:
    yield from range(number % 4)


def meet(number: int, parts: list[int] | None) -> tuple[int, list[int] | None]:
    return number, parts


class Halves(sp.Outputs):
    low: int
    high: int


def halves(number: int) -> Halves:
    return Halves(low=number // 2, high=number - number // 2)


def doubler() -> sp.Process:
    return sp.Process("doubler").add("add", add).add("double", double, from_="add")


def test_its_units_are_called_by_its_name_in_stats_streams_and_latencies():
    process = sp.Process("p").add("numbers", numbers).add("other", doubler(), from_="numbers")
    with sp.run(process) as running:
        assert list(running.stream("other/double", timeout=SOON)) == [2, 4, 6, 8, 10]
    stats = running.stats()
    assert set(stats.units) == {"numbers", "other/add", "other/double"}
    assert set(stats.latency) == {"other/double"}
    assert stats.units["other/add"].received == 5
    assert stats.ledger.balanced


@pytest.mark.parametrize("name", ["other", "other.double", "other/double", "other/double.out", "other.double.out"])
def test_its_open_output_is_streamed_by_any_of_its_names(name):
    process = sp.Process("p").add("numbers", numbers).add("other", doubler(), from_="numbers")
    with sp.run(process) as running:
        assert list(running.stream(name, timeout=SOON)) == [2, 4, 6, 8, 10]


def test_one_of_several_open_outputs_must_be_named():
    process = (
        sp.Process("p").add("numbers", numbers).add("other", sp.Process("o").add("halves", halves), from_="numbers")
    )
    with sp.run(process) as running:
        with pytest.raises(sp.StreamPyError, match=r"say which: other/halves\.low, other/halves\.high"):
            running.stream("other")
        assert list(running.stream("other.halves.low", timeout=SOON)) == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("name", ["other", "other.add", "other/add"])
def test_its_open_input_is_fed_by_hand(name):
    with sp.run(sp.Process("p").add("other", doubler())) as running:
        assert running.call(name, 20, timeout=SOON) == 42
        running.push(name, 1)
        assert next(running.stream("other", timeout=SOON)) == 4


def test_failure_names_the_unit_and_its_process():
    def fail(number: int) -> int:
        return number // 0

    inner = sp.Process("inner").add("same", add).add("fail", fail, from_="same")
    process = sp.Process("p").add("numbers", numbers).add("mid", sp.Process("mid").add("low", inner), from_="numbers")
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        running.wait(SOON)
    assert (failed.value.unit, failed.value.key) == ("mid/low/fail", "numbers #0")
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_worker_knows_its_whole_name():
    names = []

    def tell(number: int) -> None:
        names.append((sp.worker().unit, sp.worker().logger))

    process = (
        sp.Process("p").add("numbers", numbers, until=1).add("o", sp.Process("i").add("tell", tell), from_="numbers")
    )
    with sp.run(process) as running:
        running.wait(SOON)
    assert names == [("o/tell", logging.getLogger("streampy.unit.o/tell"))]


def test_event_is_fired_at_a_unit_inside():
    class Gain(sp.Unit):
        def __init__(self) -> None:
            self.gain = 1

        @sp.event("gain")
        def set_gain(self, gain: int) -> int:
            self.gain = gain
            return gain

        def work(self, number: int) -> int:
            return self.gain * number

    with sp.run(sp.Process("p").add("o", sp.Process("i").add("gain", Gain), workers=2)) as running:
        assert running.fire("o/gain", "gain", 3) == [3, 3]
        assert running.call("o", 5, timeout=SOON) == 15


def scaled(inner: sp.Process, workers: int, until: int, **options: object) -> sp.Process:
    process = sp.Process("p").add("numbers", numbers, until=until)
    return process.add("other", inner, from_="numbers", workers=workers, **options)


@pytest.mark.parametrize("workers", [2, 5])
def test_copies_of_a_process_keep_the_order_and_lose_nothing(workers):
    process = scaled(doubler(), workers, 2000)
    with sp.run(process) as running:
        assert running.plan.chains[1] == ("other/add", "other/double")
        assert list(running.stream("other", timeout=SOON)) == [2 * (number + 1) for number in range(2000)]
    stats = running.stats()
    assert {name: unit.workers for name, unit in stats.units.items()} == {
        "numbers": 1,
        "other/add": workers,
        "other/double": workers,
    }
    assert stats.units["other/double"].received == 2000
    assert (stats.ledger.born, stats.ledger.delivered, stats.ledger.balanced) == (2000, 2000, True)


def test_copies_that_follow_the_load_keep_the_order_and_lose_nothing():
    process = sp.Process("p").add("numbers", numbers, until=2000)
    process.add("other", doubler(), from_="numbers", workers={"min": 1, "max": 3})
    with sp.run(process) as running:
        assert running.plan.chains[1] == ("other/add", "other/double")
        running.scale("other/add", 3)
        assert list(running.stream("other", timeout=SOON)) == [2 * (number + 1) for number in range(2000)]
    assert running.stats().ledger.balanced


def test_copies_without_order_lose_nothing():
    process = scaled(doubler(), 3, 2000, ordered=False)
    with sp.run(process) as running:
        assert sorted(running.stream("other", timeout=SOON)) == [2 * (number + 1) for number in range(2000)]
    assert running.stats().ledger.balanced


def test_worker_of_a_copy_runs_the_chain_whole_and_beside_the_others():
    together, threads = Barrier(3), []

    def first(number: int) -> int:
        threads.append((number, get_ident()))
        return number

    def second(number: int) -> int:
        threads.append((number, get_ident()))
        try:
            together.wait(SOON)
        except BrokenBarrierError:
            return -1
        return number

    inner = sp.Process("inner").add("first", first).add("second", second, from_="first")
    with sp.run(scaled(inner, 3, 9)) as running:
        assert list(running.stream("other", timeout=SOON)) == list(range(9))
    assert len({thread for _, thread in threads}) == 3
    assert len(set(threads)) == 9  # both units of a chain in one thread


@pytest.mark.parametrize("ordered", [True, False])
def test_what_a_copy_filters_fans_out_and_fails_on_is_known_to_the_join_behind_it(ordered):
    def picky(number: int) -> int:
        if number % 10 == 7:
            raise ValueError(number)
        return number

    inner = sp.Process("inner").add("odd", odd).add("picky", picky, from_="odd", on_error="skip")
    inner.add("parts", parts, from_="picky").add("add", add, from_="parts")
    process = scaled(inner, 3, 400, ordered=ordered)
    process.add("meet", meet, from_={"number": "numbers", "parts": "other"})
    with sp.run(process) as running:
        assert running.plan.chains[1] == ("other/odd", "other/picky", "other/parts", "other/add")
        found = list(running.stream("meet", timeout=SOON))

    def expected(number: int) -> list[int]:
        return [] if number % 2 == 0 or number % 10 == 7 else [part + 1 for part in range(number % 4)]

    assert [number for number, _ in found] == list(range(400))
    assert [sorted(got or []) for _, got in found] == [expected(number) for number in range(400)]
    stats = running.stats()
    assert stats.units["other/odd"].filtered == 200
    assert (stats.units["other/picky"].failed, stats.ledger.failed) == (40, 40)
    assert stats.ledger.balanced


def test_news_of_an_item_that_ended_in_a_copy_does_not_overtake_the_result_of_an_earlier_one():
    met, is_first, overtaken = Event(), Event(), []

    def slow_then_nothing(number: int) -> int | None:
        if number == 0:
            is_first.set()
            overtaken.append(met.wait(0.2))  # so long that news which are not held back would have come
            return number
        is_first.wait(SOON)
        return None

    def meet_any(number: int, other: int | None) -> tuple[int, int | None]:
        met.set()
        return number, other

    inner = sp.Process("inner").add("first", double).add("second", slow_then_nothing, from_="first")
    process = scaled(inner, 2, 2)
    process.add("meet", meet_any, from_={"number": "numbers", "other": "other"}, ordered=False)
    with sp.run(process) as running:
        assert sorted(running.stream("meet", timeout=SOON)) == [(0, 0), (1, None)]
    assert overtaken == [False]


def test_sources_inside_are_scaled_too_and_each_copy_of_the_chain_has_its_own():
    inner = sp.Process("inner").add("numbers", numbers, until=50).add("add", add, from_="numbers")
    with sp.run(sp.Process("p").add("other", inner, workers=2)) as running:
        assert running.plan.chains == (("other/numbers", "other/add"),)
        assert sorted(running.stream("other", timeout=SOON)) == sorted([*range(1, 51), *range(1, 51)])
    assert set(running.stats().ledger.streams) == {"other/numbers#0", "other/numbers#1"}
    assert running.stats().ledger.balanced


def test_default_link_of_a_class_is_used_where_the_process_says_nothing():
    class Annotate(sp.Unit):
        number = sp.Pipe(from_="numbers")

        def work(self, number: int, other: int) -> tuple[int, int]:
            return number, other

    process = sp.Process("p").add("numbers", numbers).add("double", double, from_="numbers")
    process.add("annotate", Annotate, from_={"other": "double"})
    with sp.run(process) as running:
        assert list(running.stream("annotate", timeout=SOON)) == [(number, 2 * number) for number in range(5)]
