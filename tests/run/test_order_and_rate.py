"""Pipes that hand over the highest priority first, or no more than so many items a second, in a running process."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from time import monotonic, process_time

import pytest

import streampy as sp

SOON = 10.0
"""Seconds in which what must happen has to happen."""


def numbers(*, until: int) -> Iterator[int]:
    yield from range(until)


def same(number: int) -> int:
    return number


async def later(number: int) -> int:
    return number


def meet(left: int, right: int) -> tuple[int, int]:
    return left, right


def prioritized(*, priorities: list[object]) -> Iterator[sp.Item[int]]:
    for seq, priority in enumerate(priorities):
        yield sp.Item(seq, sp.Header("prioritized", seq, monotonic(), meta={"priority": priority}))


@pytest.mark.parametrize("use", [same, later])
def test_what_waits_is_handed_over_by_priority_and_equal_ones_as_they_came(use):
    go, began = Event(), Event()

    def gate(number: int) -> int:
        began.set()
        go.wait(SOON)
        return number

    process = sp.Process("p").add("gate", gate, pipe={"order": "priority"}).add("out", use, from_="gate")
    with sp.run(process) as running:
        running.push("gate", 0)
        assert began.wait(SOON)
        for number, priority in enumerate([0, 5, None, 5, -1, 7.5], 1):
            running.push("gate", number, meta=None if priority is None else {"priority": priority})
        go.set()
        stream = running.stream("out", timeout=SOON)
        assert [next(stream) for _ in range(7)] == [0, 6, 2, 4, 1, 3, 5]
    assert running.stats().ledger.balanced


def test_a_full_pipe_drops_the_lowest_and_the_ledger_tells():
    go, began = Event(), Event()

    def gate(number: int) -> int:
        began.set()
        go.wait(SOON)
        return number

    pipe = {"order": "priority", "capacity": 2, "overflow": "drop_oldest"}
    with sp.run(sp.Process("p").add("gate", gate, pipe=pipe)) as running:
        running.push("gate", 0)
        assert began.wait(SOON)
        for number, priority in enumerate([1, 9, 4, 0], 1):
            running.push("gate", number, meta={"priority": priority})
        go.set()
        stream = running.stream("gate", timeout=SOON)
        assert [next(stream) for _ in range(3)] == [0, 2, 3]
        assert running.stats().pipes["gate.number"].dropped == 2
    ledger = running.stats().ledger
    assert (ledger.born, ledger.delivered, ledger.dropped, ledger.balanced) == (5, 3, 2, True)


def test_a_priority_that_is_no_number_is_the_error_of_the_sender():
    process = sp.Process("p").add("prioritized", prioritized, priorities=[1, "high"])
    process.add("out", same, from_="prioritized", pipe={"order": "priority"})
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        running.wait(SOON)
    assert failed.value.unit == "prioritized"
    assert str(failed.value.__cause__) == "item prioritized #1: its meta[\"priority\"] is 'high', expected a number"


def test_a_pushed_priority_that_is_no_number_is_told_to_who_pushes_and_counted_as_dropped():
    with sp.run(sp.Process("p").add("out", same, pipe={"order": "priority"})) as running:
        with pytest.raises(ValueError, match=r"its meta\[.priority.\] is .high., expected a number"):
            running.push("out", 1, meta={"priority": "high"})
        running.push("out", 2, meta={"priority": 3})
        assert next(running.stream("out", timeout=SOON)) == 2
    ledger = running.stats().ledger
    assert (ledger.born, ledger.delivered, ledger.dropped, ledger.balanced) == (2, 1, 1, True)


def test_a_push_that_finds_no_room_in_time_is_counted_as_dropped():
    go = Event()

    def gate(number: int) -> None:
        go.wait(SOON)

    with sp.run(sp.Process("p").add("gate", gate, pipe={"capacity": 1})) as running:
        for number in range(2):  # one in the unit's hands, one in the pipe
            running.push("gate", number, timeout=SOON)
        with pytest.raises(TimeoutError):
            running.push("gate", 2, timeout=0.01)
        go.set()
    ledger = running.stats().ledger
    assert (ledger.born, ledger.delivered, ledger.dropped, ledger.balanced) == (3, 2, 1, True)


@pytest.mark.parametrize("use", [same, later])
def test_a_pipe_with_a_rate_hands_over_one_item_and_then_waits(use):
    done = Event()

    def frames() -> Iterator[int]:
        yield from range(100)
        done.set()

    process = sp.Process("p").add("frames", frames)
    process.add("slow", use, from_="frames", pipe={"rate": "1/h", "overflow": "latest"})
    with sp.run(process) as running:
        assert next(running.stream("slow", timeout=SOON)) in range(100)
        assert done.wait(SOON)
        running.stop(grace=0.0)
    ledger = running.stats().ledger
    assert (running.stats().pipes["slow.number"].delivered, ledger.delivered) == (1, 1)
    assert ledger.born == 100 == 1 + ledger.dropped + ledger.in_flight


def test_a_batch_counts_as_many_as_are_in_it():
    process = sp.Process("p").add("numbers", numbers, until=9)
    process.add("slow", same, from_="numbers", pipe={"rate": "4/h", "batch": 4, "wait": "1h"})
    with sp.run(process) as running:
        stream = running.stream("slow", timeout=SOON)
        assert [next(stream) for _ in range(4)] == [0, 1, 2, 3]
        running.stop(grace=0.0)
    assert running.stats().pipes["slow.number"].delivered == 4


def test_workers_share_the_rate_of_their_pipe():
    process = sp.Process("p").add("numbers", numbers, until=9)
    process.add("slow", same, from_="numbers", workers=3, pipe={"rate": "1/h"})
    with sp.run(process) as running:
        assert next(running.stream("slow", timeout=SOON)) == 0
        running.stop(grace=0.0)
    assert running.stats().pipes["slow.number"].delivered == 1


def test_items_are_spaced_and_none_is_lost():
    count, rate = 20, 200.0
    process = sp.Process("p").add("numbers", numbers, until=count)
    process.add("slow", same, from_="numbers", pipe={"rate": rate})
    began = monotonic()
    with sp.run(process) as running:
        assert list(running.stream("slow", timeout=SOON)) == list(range(count))
    assert monotonic() - began >= (count - 1.1) / rate
    assert running.stats().ledger.balanced


def test_an_input_of_a_join_keeps_to_its_rate_too():
    count, rate = 20, 200.0
    process = sp.Process("p").add("numbers", numbers, until=count).add("same", same, from_="numbers")
    process.add("meet", meet, from_={"left": "numbers", "right": "same"}, pipe={"right": {"rate": rate}})
    began = monotonic()
    with sp.run(process) as running:
        assert list(running.stream("meet", timeout=SOON)) == [(number, number) for number in range(count)]
    assert monotonic() - began >= (count - 1.1) / rate
    assert running.stats().ledger.balanced


def test_a_join_waits_for_its_rate_without_using_the_cpu():
    process = sp.Process("p").add("numbers", numbers, until=3).add("same", same, from_="numbers")
    process.add("meet", meet, from_={"left": "numbers", "right": "same"}, pipe={"right": {"rate": "1/h"}})
    with sp.run(process) as running:
        assert next(running.stream("meet", timeout=SOON)) == (0, 0)
        before = process_time()
        Event().wait(0.3)
        assert process_time() - before < 0.1
        running.stop(grace=0.0)
    assert running.stats().pipes["meet.right"].delivered == 1
