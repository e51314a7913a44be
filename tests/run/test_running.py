"""What the holder of a running process can do: stream, push, call, look, pause, drain, stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

import streampy as sp

SOON = 10.0


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def for_ever() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def double(number: int) -> int:
    return 2 * number


def odd(number: int) -> int | None:
    return number if number % 2 else None


def parts(number: int) -> Iterator[int]:
    yield from range(number)


# stream


def test_whoever_streams_late_misses_nothing():
    with sp.run(sp.Process("p").add("a", numbers)) as running:
        while running.stats().ledger.born < 5:
            sp.worker().sleep(0.001)
        assert list(running.stream("a", timeout=SOON)) == [0, 1, 2, 3, 4]


def test_an_output_that_nobody_streams_holds_the_source_back():
    with sp.run(sp.Process("p").add("a", for_ever)) as running:
        assert [next(running.stream("a", timeout=SOON)) for _ in range(3)] == [0, 1, 2]
        assert running.stats().ledger.born <= 64 + 3 + 2


def test_waiting_lets_the_outputs_that_nobody_streams_go():
    with sp.run(sp.Process("p").add("a", numbers, until=1000)) as running:
        running.wait(SOON)
        assert running.stats().ledger.delivered == 1000


def test_a_value_that_does_not_come_in_time_is_a_timeout():
    process = sp.Process("p").add("a", double)
    with sp.run(process) as running, pytest.raises(TimeoutError):
        next(running.stream("a", timeout=0.01))


def test_an_output_that_is_not_there_is_an_error_that_names_those_that_are():
    with sp.run(sp.Process("p").add("double", double)) as running:
        with pytest.raises(sp.StreamPyError, match=r"'duble' is no open output .* did you mean 'double.out'"):
            running.stream("duble")


# push and call


def test_what_is_pushed_comes_out():
    with sp.run(sp.Process("p").add("double", double).add("odd", odd, from_="double")) as running:
        for number in range(3):
            running.push("double", number)
        running.drain(SOON)
        assert running.stats().ledger.filtered == 3


def test_draining_keeps_what_comes_for_a_later_stream():
    with sp.run(sp.Process("p").add("double", double)) as running:
        for number in range(50):
            running.push("double", number)
        running.drain(SOON)
        assert list(running.stream("double")) == [2 * number for number in range(50)]
    assert running.stats().ledger.balanced


def test_pushing_into_a_process_that_drains_is_an_error():
    with sp.run(sp.Process("p").add("double", double)) as running:
        running.drain(SOON)
        with pytest.raises(ValueError, match="takes no more items"):
            running.push("double", 1)


def push_a_thousand(running: sp.Running) -> None:
    for number in range(1000):
        running.push("double", number, timeout=0.05)


def test_pushing_where_nobody_reads_times_out_and_says_what_to_do():
    with sp.run(sp.Process("p").add("double", double)) as running:
        with pytest.raises(TimeoutError, match=r"nobody streams double.out: read running.stream"):
            push_a_thousand(running)


def test_a_call_awaits_its_own_answer():
    with sp.run(sp.Process("p").add("double", double, workers=3)) as running:
        assert [running.call("double", number, timeout=SOON) for number in range(20)] == list(range(0, 40, 2))


def test_calls_from_many_threads_get_each_their_own_answer():
    answers: dict[int, int] = {}

    async def slow_double(number: int) -> int:
        return 2 * number

    with sp.run(sp.Process("p").add("double", slow_double, workers=8)) as running:

        def ask(number: int) -> None:
            answers[number] = running.call("double", number, timeout=SOON)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
    assert answers == {number: 2 * number for number in range(30)}


def test_a_call_through_a_fan_out_gets_all_parts():
    with sp.run(sp.Process("p").add("parts", parts).add("double", double, from_="parts", workers=2)) as running:
        assert running.call("parts", 4, timeout=SOON) == [0, 2, 4, 6]
        assert running.call("parts", 0, timeout=SOON) == []


def test_a_call_gets_all_parts_though_they_come_at_once_and_among_those_of_others():
    process = sp.Process("p").add("parts", parts).add("double", double, from_="parts", pipe={"capacity": 64})
    with sp.run(process) as running:
        running.pause("double")
        running.push("parts", 3)
        with pytest.raises(TimeoutError):
            running.call("parts", 40, timeout=0.01)
        running.resume("double")
        assert running.call("parts", 4, timeout=SOON) == [0, 2, 4, 6]
        results = running.stream("double", timeout=SOON)
        assert [next(results) for _ in range(3)] == [0, 2, 4]


def test_a_call_whose_item_is_filtered_away_gets_none():
    with sp.run(sp.Process("p").add("odd", odd).add("double", double, from_="odd")) as running:
        assert running.call("odd", 2, timeout=SOON) is None
        assert running.call("odd", 3, timeout=SOON) == 6


def test_a_call_on_which_a_unit_fails_says_so_with_the_cause():
    def fails(number: int) -> int:
        raise ValueError("no")

    with sp.run(sp.Process("p").add("fails", fails, on_error="skip")) as running:
        with pytest.raises(sp.ItemLost, match="failed at fails") as lost:
            running.call("fails", 1, timeout=SOON)
    assert isinstance(lost.value.__cause__, ValueError)


def test_a_call_to_a_process_that_fails_gets_the_error():
    def fails(number: int) -> int:
        raise ValueError("no")

    with pytest.raises(sp.UnitFailed), sp.run(sp.Process("p").add("fails", fails)) as running:
        running.call("fails", 1, timeout=SOON)


def test_an_item_may_be_pushed_into_several_inputs_at_once():
    def add(left: int, right: int) -> int:
        return left + right

    with sp.run(sp.Process("p").add("add", add)) as running:
        assert running.call("add", 1, 2, timeout=SOON) == 3
        assert running.call("add", left=3, right=4, timeout=SOON) == 7
        with pytest.raises(TypeError, match="needs a value for right too"):
            running.push("add", 1)


# units of every kind


def test_a_unit_may_see_headers_and_batches():
    def key(item: sp.Item[int]) -> str:
        return item.header.key

    def count(batch: sp.Batch[str]) -> sp.Batch[tuple[str, bool]]:
        return sp.Batch((one, len(batch) <= 4) for one in batch)

    process = sp.Process("p").add("n", numbers).add("key", key, from_="n")
    process.add("count", count, from_="key", pipe={"batch": 4, "wait": 0.01})
    with sp.run(process) as running:
        assert list(running.stream("count", timeout=SOON)) == [(f"n #{n}", True) for n in range(5)]
    assert running.stats().pipes["count.batch"].batch.max <= 4


def test_a_source_may_yield_batches_and_give_its_items_meta():
    def batches() -> Iterator[sp.Batch[int]]:
        yield sp.Batch([1, 2, 3])
        yield sp.Batch([4])

    def tagged() -> Iterator[sp.Item[int]]:
        yield sp.Item(1, sp.Header("", 0, time.monotonic(), meta={"lens": "wide"}))

    def lens(item: sp.Item[int]) -> str:
        return str(item.meta.get("lens"))

    with sp.run(sp.Process("p").add("a", batches).add("b", double, from_="a")) as running:
        assert list(running.stream("b", timeout=SOON)) == [2, 4, 6, 8]
    with sp.run(sp.Process("p").add("a", tagged).add("b", lens, from_="a")) as running:
        assert list(running.stream("b", timeout=SOON)) == ["wide"]


def test_async_units_of_every_kind_run_in_the_event_loop():
    async def source() -> AsyncIterator[int]:
        for number in range(4):
            yield number

    async def twice(number: int) -> AsyncIterator[int]:
        yield number
        yield number

    async def total(numbers: AsyncIterator[int]) -> AsyncIterator[int]:
        so_far = 0
        async for number in numbers:
            so_far += number
            yield so_far

    process = sp.Process("p").add("source", source).add("twice", twice, from_="source")
    process.add("total", total, from_="twice")
    with sp.run(process) as running:
        assert list(running.stream("total", timeout=SOON)) == [0, 0, 1, 2, 4, 6, 9, 12]


def test_an_async_source_that_waits_is_called_away_when_the_process_stops():
    left = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(3600)
            yield 2
        finally:
            left.append("closed")

    begin = time.monotonic()
    with sp.run(sp.Process("waits").add("source", source)) as running:
        stream = running.stream("source")
        assert 1 == next(stream)
        running.drain()
        assert [] == list(stream)
    assert time.monotonic() - begin < 3
    assert ["closed"] == left
    assert running.stats().ledger.balanced


def test_an_async_source_that_waits_is_called_away_while_it_is_held_back():
    async def source() -> AsyncIterator[int]:
        for number in range(1000):
            yield number
            await asyncio.sleep(0)

    with sp.run(sp.Process("held").add("source", source)) as running:
        stream = running.stream("source")
        assert 0 == next(stream)
        running.drain()
        rest = list(stream)
    assert list(range(1, 1 + len(rest))) == rest
    assert running.stats().ledger.born == 1 + len(rest)


def test_a_stream_unit_may_see_headers():
    def numbers(*, until: int = 3) -> Iterator[int]:
        yield from range(until)

    def names(values: Iterator[sp.Item[int]]) -> Iterator[str]:
        for item in values:
            yield f"{item.header.key} is {item.value}"

    process = sp.Process("headers").add("numbers", numbers).add("names", names, from_="numbers")
    with sp.run(process) as running:
        assert ["numbers #0 is 0", "numbers #1 is 1", "numbers #2 is 2"] == list(running.stream("names"))
    assert ["feed #0 is 7"] == sp.testing.feed(names, values=[7])


def test_async_workers_of_one_unit_are_in_flight_together():
    together = asyncio.Barrier(5)

    async def meet(number: int) -> int:
        await together.wait()
        return number

    with sp.run(sp.Process("p").add("n", numbers, until=10).add("meet", meet, from_="n", workers=5)) as running:
        assert list(running.stream("meet", timeout=SOON)) == list(range(10))


def test_an_unannotated_function_that_returns_nothing_is_a_sink():
    seen = []

    def show(number):
        seen.append(number)

    with sp.run(sp.Process("p").add("n", numbers).add("show", show, from_="n")) as running:
        running.wait(SOON)
    assert seen == [0, 1, 2, 3, 4]
    assert running.stats().ledger.delivered == 5


def test_none_from_a_unit_that_promises_a_value_is_an_error_that_says_how_to_filter():
    def forgetful(number: int) -> int:
        return None  # what a forgotten return gives

    with pytest.raises(sp.UnitFailed, match=r"annotate `-> T \| None` if it may filter"):
        with sp.run(sp.Process("p").add("n", numbers).add("f", forgetful, from_="n")) as running:
            running.wait(SOON)


def test_a_worker_knows_its_place():
    seen = set()
    all_here = threading.Barrier(3)

    def who(number: int) -> None:
        all_here.wait(SOON)
        worker = sp.worker()
        seen.add((worker.unit, worker.index, worker.count, worker.name, worker.logger.name))

    process = sp.Process("p").add("n", numbers, until=3).add("who", who, from_="n", workers=3)
    with sp.run(process) as running:
        running.wait(SOON)
    assert seen == {("who", index, 3, f"who#{index}", "streampy.unit.who") for index in range(3)}


def test_outside_of_a_run_a_unit_works_alone():
    assert sp.worker().unit == "alone"
    assert not sp.worker().stopping


# pause, drain, stop


def test_a_paused_process_emits_nothing_until_it_is_resumed():
    with sp.run(sp.Process("p").add("n", for_ever).add("d", double, from_="n", pipe={"capacity": 4})) as running:
        stream = running.stream("d", timeout=SOON)
        next(stream)
        running.pause()
        with pytest.raises(TimeoutError):
            for _ in running.stream("d", timeout=0.05):
                pass
        assert running.stats().ledger.balanced
        running.resume()
        next(running.stream("d", timeout=SOON))


def test_draining_brings_everything_to_its_end():
    with sp.run(sp.Process("p").add("n", for_ever).add("d", double, from_="n", pipe={"capacity": 4})) as running:
        stream = running.stream("d", timeout=SOON)
        first = [next(stream) for _ in range(10)]
        running.drain(SOON)
        rest = list(stream)
        assert first + rest == [2 * number for number in range(len(first) + len(rest))]
    ledger = running.stats().ledger
    assert ledger.born == ledger.delivered


def test_leaving_the_block_stops_an_endless_process():
    with sp.run(sp.Process("p").add("n", for_ever).add("d", double, from_="n")) as running:
        next(running.stream("d", timeout=SOON))
    assert running.is_over


def test_stopping_twice_is_no_error():
    with sp.run(sp.Process("p").add("n", for_ever)) as running:
        running.stop()
        running.stop()


@pytest.mark.leaves_a_thread
def test_a_unit_that_does_not_come_back_is_named():
    let_go, is_in = threading.Event(), threading.Event()

    def stuck(number: int) -> None:
        is_in.set()
        let_go.wait(60)

    running = sp.run(sp.Process("p").add("n", numbers).add("stuck", stuck, from_="n", pipe={"capacity": 8}))
    assert is_in.wait(SOON)
    with pytest.raises(sp.Hung, match="'stuck' did not come back") as hung:
        running.stop(grace=0.05)
    assert hung.value.units == ("stuck",)
    let_go.set()
    running.wait(SOON)


def test_a_unit_that_does_not_start_in_time_is_named():
    class Slow(sp.Unit):
        def start(self) -> None:
            sp.worker().sleep(60)

        def work(self, number: int) -> int:
            return number

    with pytest.raises(sp.Hung, match=r"'slow' did not start within 0\.05 s"):
        sp.run(sp.Process("p").add("n", numbers).add("slow", Slow, from_="n"), start_within=0.05)


# looking


def test_the_statistics_say_where_time_goes():
    def slow(number: int) -> int:
        sp.worker().sleep(0.002)
        return number

    process = sp.Process("p").add("n", numbers, until=30).add("slow", slow, from_="n", pipe={"capacity": 4})
    with sp.run(process) as running:
        assert len(list(running.stream("slow", timeout=SOON))) == 30
    stats = running.stats()
    unit, pipe = stats.units["slow"], stats.pipes["slow.number"]
    assert (unit.received, unit.emitted, unit.workers, unit.work.count) == (30, 30, 1, 30)
    assert unit.busy > 0.06
    assert unit.work.p50 > 0.0019
    assert stats.units["n"].blocked > unit.idle
    assert (pipe.received, pipe.delivered, pipe.depth, pipe.high_water) == (30, 30, 0, 4)
    assert pipe.wait.p99 > unit.work.p50
    assert stats.latency["slow"].count == 30
    assert stats.ledger.streams["n"].born == 30


def test_an_async_unit_tells_that_it_is_blocked_too():
    async def source() -> AsyncIterator[int]:
        for number in range(20):
            yield number

    def slow_sink(number: int) -> None:
        sp.worker().sleep(0.002)

    process = sp.Process("p").add("a", source).add("sink", slow_sink, from_="a", pipe={"capacity": 2})
    with sp.run(process) as running:
        running.wait(SOON)
    assert running.stats().units["a"].blocked > 0.02


def test_a_source_may_say_how_much_it_will_emit():
    def announced() -> Iterator[int]:
        sp.worker().expect(3)
        yield from range(3)

    with sp.run(sp.Process("p").add("a", announced)) as running:
        running.wait(SOON)
        assert running.stats().expected == 3


def test_an_idle_process_uses_no_cpu():
    """Threads, an event loop, a join with a deadline and a pipe with a wait: nobody polls."""

    async def same(number: int) -> int:
        return number

    def both(left: int, right: int | None) -> int:
        return left

    process = sp.Process("idle").add("open", double).add("same", same, from_="open", workers=4)
    process.add("slow", double, from_="same", pipe={"batch": 8, "wait": 0.01}, workers=3)
    process.add("both", both, from_={"left": "open", "right": "slow"}, join={"wait": 0.05})
    with sp.run(process) as running:
        running.call("open", 1, timeout=SOON)
        before = time.process_time()
        threading.Event().wait(1.0)
        assert time.process_time() - before < 0.02


# events


class Annotate(sp.Unit):
    def __init__(self, *, font: int = 14) -> None:
        self.font = font

    def work(self, number: int) -> int:
        return number * self.font

    @sp.event("font")
    def set_font(self, size: int) -> int:
        if size < 1:
            raise ValueError("a font has a size")
        before, self.font = self.font, size
        return before


@pytest.mark.parametrize("workers", [1, 3])
def test_an_event_is_handled_by_each_worker_between_two_items(workers):
    with sp.run(sp.Process("p").add("annotate", Annotate, font=10, workers=workers)) as running:
        assert running.call("annotate", 2, timeout=SOON) == 20
        assert running.fire("annotate", "font", 7) == [10] * workers
        assert [running.call("annotate", 2, timeout=SOON) for _ in range(5)] == [14] * 5


def test_an_event_reaches_a_paused_source_and_a_fused_unit():
    class Count(sp.Unit):
        at = 0

        def work(self) -> Iterator[int]:
            while True:
                yield self.at

        @sp.event("at")
        def set_at(self, at: int) -> None:
            self.at = at

    with sp.run(sp.Process("p").add("count", Count).add("annotate", Annotate, font=1, from_="count")) as running:
        stream = running.stream("annotate", timeout=SOON)
        assert next(stream) == 0
        running.pause()
        running.fire("count", "at", 5)
        running.fire("annotate", "font", 10)
        running.resume()
        assert next(value for value in stream if value) == 50


def test_what_an_event_raises_comes_out_where_it_was_fired_and_the_process_goes_on():
    with sp.run(sp.Process("p").add("annotate", Annotate)) as running:
        with pytest.raises(ValueError, match="a font has a size"):
            running.fire("annotate", "font", 0)
        with pytest.raises(sp.StreamPyError, match="no event 'fond', did you mean 'font'"):
            running.fire("annotate", "fond", 1)
        assert running.call("annotate", 1, timeout=SOON) == 14
