"""The rules of failure of the house, each made to happen: F1 to F8 and F21, for each way in which a unit can run."""

from __future__ import annotations

import asyncio
import os
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from math import inf
from pathlib import Path

import pytest

import streampy as sp

SOON = 10.0
"""Seconds in which a stop has to be over; it takes some milliseconds."""


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def same(number: int) -> int:
    return number


def drain(running: sp.Running, unit: str) -> list[object]:
    return list(running.stream(unit, timeout=SOON))


# F1: end of stream


def test_f1_five_are_sent_the_source_leaves_at_once_and_five_arrive(way):
    for _ in range(20):
        with sp.run(way.process(numbers, same, same)) as running:
            assert drain(running, "c") == [0, 1, 2, 3, 4]
        ledger = running.stats().ledger
        assert (ledger.born, ledger.delivered, ledger.in_flight) == (5, 5, 0)
        assert ledger.balanced


def test_f1_a_source_with_nothing_to_say_ends_the_process(way):
    with sp.run(way.process(numbers, same, a={"until": 0})) as running:
        assert drain(running, "b") == []


def test_f1_the_end_comes_after_all_results_of_several_workers(way_with_pipes):
    with sp.run(way_with_pipes.process(numbers, same, a={"until": 500}, b={"workers": 4})) as running:
        assert drain(running, "b") == list(range(500))


# F2: blocking overload


def test_f2_three_hundred_go_to_a_slow_sink_and_three_hundred_arrive_in_flat_memory(way):
    frame = 200_000
    arrived = []

    def frames() -> Iterator[bytes]:
        for _ in range(300):
            yield bytes(frame)

    def slow_sink(data: bytes) -> None:
        sp.worker().sleep(0.0005)
        arrived.append(len(data))

    process = way.process(frames, same_bytes, slow_sink, b={"pipe": {"capacity": 4}}, c={"pipe": {"capacity": 4}})
    tracemalloc.start()
    try:
        with sp.run(process) as running:
            running.wait(60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    stats = running.stats()
    assert arrived == [frame] * 300
    assert stats.ledger.delivered == 300
    assert stats.ledger.balanced
    assert max(pipe.high_water for pipe in stats.pipes.values()) <= 4
    assert peak < 20 * frame  # two pipes of four, what the workers hold, and little more


def same_bytes(data: bytes) -> bytes:
    return data


# F3: each drop policy


@pytest.mark.parametrize(
    ("overflow", "arriving"),
    [
        ("drop_oldest", [0, 16, 17, 18, 19]),
        ("drop_newest", [0, 1, 2, 3, 4]),
        ("latest", [0, 19]),
    ],
)
def test_f3_an_overflow_drops_exactly_what_its_policy_says(way_with_pipes, overflow, arriving):
    has_first, may_go_on = threading.Event(), threading.Event()
    arrived = []

    def twenty() -> Iterator[int]:
        yield 0
        assert has_first.wait(SOON)
        yield from range(1, 20)
        may_go_on.set()

    def sink(number: int) -> None:
        has_first.set()
        assert may_go_on.wait(SOON)
        arrived.append(number)

    process = way_with_pipes.process(twenty)
    options = {"from_": "a", "pipe": {"capacity": 4, "overflow": overflow}}
    process.add("sink", sink, **options)  # a thread of its own: it waits for the source
    with sp.run(process) as running:
        running.wait(SOON)
    ledger, pipe = running.stats().ledger, running.stats().pipes["sink.number"]
    assert arrived == arriving
    assert (ledger.born, ledger.delivered, ledger.dropped) == (20, len(arriving), 20 - len(arriving))
    assert ledger.balanced
    assert (pipe.received, pipe.delivered, pipe.dropped) == (20, len(arriving), 20 - len(arriving))


def test_f3_the_policy_fail_makes_an_overload_an_error(way_with_pipes):
    def sink(number: int) -> None:
        sp.worker().sleep(SOON)  # it is woken when the process is put out

    process = way_with_pipes.process(numbers)
    process.add("sink", sink, from_="a", pipe={"capacity": 2, "overflow": "fail"})
    with pytest.raises(sp.UnitFailed, match=r"the pipe sink\.number is full"), sp.run(process) as running:
        running.wait(SOON)


def test_f3_what_is_stale_is_refused_and_counted(way_with_pipes):
    def old() -> Iterator[sp.Item[int]]:
        for number in range(10):
            born = -inf if number % 2 else inf
            yield sp.Item(number, sp.Header("", 0, born))

    process = way_with_pipes.process(old, same, b={"pipe": {"stale": 60}})
    with sp.run(process) as running:
        assert drain(running, "b") == [0, 2, 4, 6, 8]
    ledger = running.stats().ledger
    assert (ledger.born, ledger.delivered, ledger.expired) == (10, 5, 5)
    assert ledger.balanced


# F4: a unit raises


class Fussy(sp.Unit):
    """Raises where it is told to."""

    calls: list[str]

    def __init__(self, *, at: str | int) -> None:
        self.at = at

    def start(self) -> None:
        if self.at == "start":
            raise KeyError("no key")

    def work(self, number: int) -> int:
        if number == self.at:
            raise KeyError("no key")
        return number

    def stop(self) -> None:
        if self.at == "stop":
            raise KeyError("no key")


@pytest.mark.parametrize("at", [0, 50, 99])
def test_f4_a_unit_that_raises_stops_everything_and_its_own_exception_comes_out(way, at):
    process = way.process(numbers, Fussy, same, a={"until": 100}, b={"at": at})
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        drain(running, "c")
    assert (failed.value.unit, failed.value.key) == ("b", f"a #{at}")
    assert isinstance(failed.value.__cause__, KeyError)
    assert "no key" in str(failed.value)
    assert failed.value.__cause__.__notes__ == [f"raised in unit 'b' on item a #{at} (worker b)"]
    assert failed.value.__cause__.__traceback__ is not None
    assert running.is_over


def test_f4_a_unit_that_raises_in_start_stops_the_run_before_any_item(way):
    seen = []

    def source() -> Iterator[int]:
        seen.append("an item")
        yield 1

    with pytest.raises(sp.UnitFailed, match="no key") as failed:
        sp.run(way.process(source, Fussy, b={"at": "start"}))
    assert failed.value.unit == "b"
    assert seen == []


def test_f4_a_unit_that_raises_in_stop_is_told_after_the_last_item(way):
    process = way.process(numbers, Fussy, b={"at": "stop"})
    arrived = []
    with pytest.raises(sp.UnitFailed, match="no key") as failed, sp.run(process) as running:
        arrived += running.stream("b", timeout=SOON)
    assert failed.value.unit == "b"
    assert running.stats().ledger.delivered == 5


def test_f4_a_unit_that_raises_while_it_is_made_is_told_with_its_name(way):
    class Broken(sp.Unit):
        def __init__(self) -> None:
            raise KeyError("no key")

        def work(self, number: int) -> int:
            return number

    with pytest.raises(sp.UnitFailed, match="unit 'b' failed"):
        sp.run(way.process(numbers, Broken))


def test_f4_endless_sources_are_stopped_by_an_error_behind_them(way):
    def for_ever() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    with pytest.raises(sp.UnitFailed), sp.run(way.process(for_ever, Fussy, b={"at": 1000})) as running:
        running.wait(SOON)


def test_f4_several_that_raise_come_out_as_a_group():
    together = threading.Barrier(2)

    class Both(sp.Unit):
        def work(self, number: int) -> None:
            together.wait(SOON)
            raise KeyError(number)

    process = sp.Process("two").add("source", numbers)
    process.add("left", Both, from_="source", pipe={"capacity": 2})
    process.add("right", Both, from_="source", pipe={"capacity": 2})
    with pytest.raises(ExceptionGroup) as failed, sp.run(process) as running:
        running.wait(SOON)
    assert {one.unit for one in failed.value.exceptions} == {"left", "right"}


def test_f4_stop_is_called_for_each_unit_whose_start_was_entered(way):
    stopped = []

    class Tidy(Fussy):
        def stop(self) -> None:
            stopped.append(self.at)

    with (
        pytest.raises(sp.UnitFailed),
        sp.run(way.process(numbers, Tidy, Tidy, Tidy, b={"at": -1}, c={"at": 2}, d={"at": -3})) as running,
    ):
        running.wait(SOON)
    assert sorted(stopped) == [-3, -1, 2]


# F5: the sink raises


def test_f5_a_sink_that_raises_stops_everything(way):
    def sink(number: int) -> None:
        if number == 3:
            raise OSError("disk full")

    with pytest.raises(sp.UnitFailed, match="disk full") as failed, sp.run(way.process(numbers, same, sink)) as running:
        running.wait(SOON)
    assert (failed.value.unit, failed.value.key) == ("c", "a #3")
    assert isinstance(failed.value.__cause__, OSError)


# F6: the source raises


def test_f6_a_source_that_raises_stops_everything(way):
    def source() -> Iterator[int]:
        yield 1
        raise OSError("camera gone")

    with pytest.raises(sp.UnitFailed, match="camera gone") as failed, sp.run(way.process(source, same)) as running:
        drain(running, "b")
    assert failed.value.unit == "a"
    assert isinstance(failed.value.__cause__, OSError)


# F7: a unit ends early


def test_f7_a_unit_that_ends_while_its_input_has_items_is_an_error_that_names_it():
    def first_two(items: Iterator[int]) -> Iterator[int]:
        yield next(items)
        yield next(items)

    process = sp.Process("early").add("source", numbers).add("first", first_two, from_="source")
    with (
        pytest.raises(sp.UnitFailed, match="it ended while its input still had items") as failed,
        sp.run(process) as running,
    ):
        drain(running, "first")
    assert failed.value.unit == "first"


def test_f7_an_async_unit_that_ends_while_its_input_has_items_is_an_error_too():
    async def first_two(items: AsyncIterator[int]) -> AsyncIterator[int]:
        yield await anext(items)
        yield await anext(items)

    process = sp.Process("early").add("source", numbers).add("first", first_two, from_="source")
    with pytest.raises(sp.UnitFailed, match="it ended while its input still had items") as failed:
        with sp.run(process) as running:
            drain(running, "first")
    assert failed.value.unit == "first"


def test_f7_a_unit_that_has_read_its_input_to_the_end_may_end():
    def total(items: Iterator[int]) -> Iterator[int]:
        yield sum(items)

    process = sp.Process("total").add("source", numbers).add("total", total, from_="source")
    with sp.run(process) as running:
        assert drain(running, "total") == [10]
    assert running.stats().ledger.balanced


# F8: skip, retry, dead letter


def odd_only(number: int) -> int:
    if number % 2 == 0:
        raise ValueError(f"{number} is even")
    return number


def test_f8_skip_counts_the_item_and_goes_on(way):
    with sp.run(way.process(numbers, odd_only, same, b={"on_error": "skip"})) as running:
        assert drain(running, "c") == [1, 3]
    stats = running.stats()
    assert (stats.ledger.delivered, stats.ledger.failed, stats.units["b"].failed) == (2, 3, 3)
    assert stats.ledger.balanced


class FailsAtFirst(sp.Unit):
    """Fails on each item as often as it is told, then works."""

    def __init__(self, *, times: int) -> None:
        self.times = times
        self.tried: dict[int, int] = {}

    def work(self, number: int) -> int:
        self.tried[number] = self.tried.get(number, 0) + 1
        if self.tried[number] <= self.times:
            raise ConnectionError("try again")
        return number


def test_f8_retry_tries_again_and_loses_nothing(way):
    policy = sp.OnError(retry=2, then="stop", backoff=0.0001)
    with sp.run(way.process(numbers, FailsAtFirst, b={"times": 2, "on_error": policy})) as running:
        assert drain(running, "b") == [0, 1, 2, 3, 4]
    assert running.stats().units["b"].retried == 10
    assert running.stats().ledger.balanced


def test_f8_retry_goes_on_to_then_when_its_tries_are_used_up(way):
    policy = sp.OnError(retry=2, then="skip", backoff=0.0001)
    with sp.run(way.process(numbers, FailsAtFirst, b={"times": 3, "on_error": policy})) as running:
        assert drain(running, "b") == []
    assert running.stats().ledger.failed == 5


def test_f8_a_dead_letter_keeps_the_item_with_its_error(way):
    with sp.run(way.process(numbers, odd_only, b={"on_error": "dead_letter"})) as running:
        assert drain(running, "b") == [1, 3]
    letters = running.dead_letters()
    assert [(letter.unit, letter.item.value, letter.item.seq) for letter in letters] == [
        ("b", 0, 0),
        ("b", 2, 2),
        ("b", 4, 4),
    ]
    assert str(letters[0].error) == "0 is even"
    assert running.stats().ledger.failed == 3


def test_f8_a_dead_letter_can_be_replayed(way_with_pipes):
    is_mended = threading.Event()

    def fragile(number: int) -> int:
        if not is_mended.is_set():
            raise ConnectionError("server is down")
        return number

    with sp.run(way_with_pipes.process(fragile, a={"on_error": "dead_letter"})) as running:
        with pytest.raises(sp.ItemLost) as lost:
            running.call("a", 7, timeout=SOON)
        assert lost.value.reason == "failed"
        (letter,) = running.dead_letters()
        is_mended.set()
        running.replay(letter)
        assert next(running.stream("a", timeout=SOON)) == 7
    assert running.stats().ledger.balanced


def test_f8_a_batch_in_which_one_item_fails_loses_only_that_one(way_with_pipes):
    def halve(batch: sp.Batch[int]) -> sp.Batch[int]:
        if 3 in batch:
            raise ValueError("three")
        return sp.Batch(number // 2 for number in batch)

    process = way_with_pipes.process(
        numbers, halve, a={"until": 8}, b={"pipe": {"batch": 8, "wait": 1}, "on_error": "skip"}
    )
    with sp.run(process) as running:
        assert drain(running, "b") == [0, 0, 1, 2, 2, 3, 3]
    assert running.stats().ledger.failed == 1
    assert running.stats().ledger.balanced


# F21: no deadlock by construction


def repeat(number: int) -> Iterator[int]:
    for _ in range(number % 4):
        yield number


def pair(left: int, right: list[int]) -> tuple[int, int]:
    return left, len(right)


@pytest.mark.parametrize("capacity", [1, 3, 64])
def test_f21_a_diamond_with_uneven_branches_ends(way, capacity):
    process = sp.Process("diamond")
    pipe = {"capacity": capacity}
    way.add(process, "source", numbers, until=200)
    way.add(process, "odd", drop_even, from_="source", pipe=pipe)
    way.add(process, "parts", repeat, from_="odd", pipe=pipe)
    way.add(process, "slow", slow, from_="parts", pipe=pipe)
    process.add("pair", pair, from_={"left": "source", "right": "slow"}, pipe=pipe)
    with sp.run(process) as running:
        assert drain(running, "pair") == [(n, n % 4 if n % 2 else 0) for n in range(200)]
    assert running.stats().ledger.balanced


def drop_even(number: int) -> int | None:
    return number if number % 2 else None


def slow(number: int) -> int:
    sp.worker().sleep(0.0001)
    return number


def test_f21_a_branch_that_holds_items_back_does_not_lock_the_other(way):
    def by_twenty(items: Iterator[int]) -> Iterator[int]:
        held: list[int] = []
        for item in items:
            held.append(item)
            if len(held) == 20:
                yield from held
                held.clear()
        yield from held

    def both(left: int, right: list[int] | None) -> int:
        return left

    process = sp.Process("window")
    way.add(process, "source", numbers, until=100)
    process.add("window", by_twenty, from_="source", pipe={"capacity": 1})
    process.add("both", both, from_={"left": "source", "right": "window"}, pipe={"capacity": 1}, join={"wait": 5})
    with sp.run(process) as running:
        assert drain(running, "both") == list(range(100))
    assert running.stats().ledger.balanced


def test_f21_one_slow_branch_of_a_fan_out_loses_nothing(way):
    fast_seen, slow_seen = [], []

    def fast_sink(number: int) -> None:
        fast_seen.append(number)

    def slow_sink(number: int) -> None:
        sp.worker().sleep(0.001)
        slow_seen.append(number)

    process = sp.Process("fan-out")
    way.add(process, "source", numbers, until=100)
    way.add(process, "fast", fast_sink, from_="source", pipe={"capacity": 1})
    way.add(process, "slow", slow_sink, from_="source", pipe={"capacity": 1})
    with sp.run(process) as running:
        running.wait(SOON)
    assert fast_seen == slow_seen == list(range(100))
    assert running.stats().ledger.balanced


def test_f21_a_cycle_comes_to_its_end(way_with_pipes):
    """A number is halved until it is odd; what is still even goes round again."""

    class Halved(sp.Outputs):
        again: int
        done: int

    def halve(number: int) -> Halved:
        return Halved(again=number // 2) if number % 2 == 0 else Halved(done=number)

    process = sp.Process("cycle").add("source", numbers_from_one, until=64)
    way_with_pipes.add(
        process, "halve", halve, from_=["source", "halve.again"], pipe={"capacity": 500, "overflow": "drop_oldest"}
    )
    with sp.run(process) as running:
        done = drain(running, "halve.done")
    assert sorted(done) == sorted(n // (n & -n) for n in range(1, 65))
    assert running.stats().ledger.balanced


def numbers_from_one(*, until: int) -> Iterator[int]:
    yield from range(1, until + 1)


def test_f21_capacity_one_everywhere_with_several_workers(way_with_pipes):
    one = {"pipe": {"capacity": 1}, "workers": 3}
    process = way_with_pipes.process(numbers, same, same, same, a={"until": 200}, b=one, c=one, d=one)
    with sp.run(process) as running:
        assert drain(running, "d") == list(range(200))


# F16: memory in a long run


def resident() -> int:
    """Bytes of this OS process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_f16_memory_stays_flat_in_a_long_run(way):
    """A gigabyte goes through, with filters, errors and fan-outs on the way; measured after the first fifth."""
    memory: list[int] = []
    count = 10_000

    def blocks() -> Iterator[bytes]:
        for _ in range(count):
            yield bytes(100_000)

    def some(data: bytes) -> Iterator[bytes]:
        some.calls = getattr(some, "calls", 0) + 1
        if some.calls % 10 == 3:
            raise ValueError
        if some.calls % 10 != 4:
            yield data
            yield data

    def sink(data: bytes) -> None:
        sink.calls = getattr(sink, "calls", 0) + 1
        if sink.calls in (count * 16 // 10 // 5, count * 16 // 10):
            memory.append(resident())

    process = way.process(blocks, some, sink, b={"on_error": "skip"})
    with sp.run(process) as running:
        running.wait(SOON)
    assert running.stats().ledger.balanced
    assert memory[1] - memory[0] < 10_000_000


# F12: a hung worker


@pytest.mark.leaves_a_thread
@pytest.mark.parametrize("pipe", [None, {"capacity": 4}, {"batch": 2}])
def test_f12_a_call_that_does_not_come_back_in_time_is_named_with_its_item(pipe):
    let_go = threading.Event()

    def stuck(number: int) -> int:
        if number == 3:
            let_go.wait(60)
        return number

    process = sp.Process("hung").add("a", numbers).add("stuck", stuck, from_="a", pipe=pipe, timeout=0.05)
    running = sp.run(process)
    try:
        with pytest.raises(sp.Hung, match=r"'stuck' did not come back from item a #3 within its timeout") as hung:
            drain(running, "stuck")
    finally:
        let_go.set()
        running.stop()
    assert hung.value.units == ("stuck",)


def test_f12_a_unit_that_is_only_held_back_is_not_hung():
    def slow_sink(number: int) -> None:
        sp.worker().sleep(0.02)

    process = sp.Process("held").add("a", numbers, until=10).add("same", same, from_="a", timeout=0.015)
    process.add("sink", slow_sink, from_="same", pipe={"capacity": 1})
    with sp.run(process) as running:
        running.wait(SOON)
    assert running.stats().ledger.delivered == 10


def test_f12_an_async_call_that_takes_too_long_is_cancelled_and_is_an_error_of_its_unit():
    async def stuck(number: int) -> int:
        if number == 3:
            await asyncio.sleep(60)
        return number

    process = sp.Process("hung").add("a", numbers).add("stuck", stuck, from_="a", timeout=0.05, on_error="skip")
    with sp.run(process) as running:
        assert drain(running, "stuck") == [0, 1, 2, 4]
    assert running.stats().ledger.failed == 1
