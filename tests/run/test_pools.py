"""Workers come and go with the load, and nothing is lost or out of order by it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

import streampy as sp

SOON = 20.0


def numbers(*, until: int) -> Iterator[int]:
    yield from range(until)


class Meeting(sp.Unit):
    """Each call waits until as many others are in theirs; who is made, and who goes home, is told."""

    barrier: threading.Barrier
    gone: threading.Semaphore

    def work(self, number: int) -> int:
        if number < self.barrier.parties:
            self.barrier.wait(SOON)
        return number

    def stop(self) -> None:
        self.gone.release()


def meeting(parties: int) -> type[Meeting]:
    return type("Meeting", (Meeting,), {"barrier": threading.Barrier(parties), "gone": threading.Semaphore(0)})


@pytest.mark.parametrize("ordered", [True, False])
def test_workers_are_hired_while_items_wait_and_all_are_busy(ordered):
    unit = meeting(4)
    process = sp.Process("pool").add("a", numbers, until=20)
    process.add("b", unit, from_="a", workers={"min": 1, "max": 4}, ordered=ordered)
    with sp.run(process) as running:
        results = list(running.stream("b", timeout=SOON))
    assert list(range(20)) == (results if ordered else sorted(results))
    assert running.stats().ledger.balanced


@pytest.mark.parametrize("is_async", [False, True])
def test_workers_go_home_when_there_is_nothing_to_do(is_async):
    unit = meeting(3) if not is_async else _async_meeting(3)
    process = sp.Process("pool").add("b", unit, workers={"min": 1, "max": 3})
    with sp.run(process) as running:
        for number in range(3):
            running.push("b", number)
        results = running.stream("b", timeout=SOON)
        assert [0, 1, 2] == [next(results) for _ in range(3)]
        assert all(unit.gone.acquire(timeout=SOON) for _ in range(2))
        running.push("b", 3)
        assert next(results) == 3
    assert running.stats().ledger.balanced
    assert running.stats().units["b"].received == 4


def _async_meeting(parties: int) -> type[sp.Unit]:
    class AsyncMeeting(sp.Unit):
        gone = threading.Semaphore(0)
        there = 0

        async def work(self, number: int) -> int:
            kind = type(self)
            kind.there += 1
            while kind.there < parties:
                await _a_moment()
            return number

        def stop(self) -> None:
            self.gone.release()

    return AsyncMeeting


async def _a_moment() -> None:
    await asyncio.sleep(0)


def test_a_unit_that_raises_while_it_is_hired_stops_the_process():
    class OnlyOne(sp.Unit):
        made = 0
        waiting = threading.Event()

        def __init__(self) -> None:
            type(self).made += 1
            if self.made > 1:
                self.waiting.set()
                raise OSError("no second device")

        def work(self, number: int) -> int:
            self.waiting.wait(SOON)
            return number

    process = sp.Process("pool").add("a", numbers, until=20).add("b", OnlyOne, from_="a", workers={"min": 1, "max": 2})
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        running.wait(SOON)
    assert isinstance(failed.value.__cause__, OSError)


def test_stats_tell_how_many_workers_there_are():
    unit = meeting(2)
    process = sp.Process("pool").add("b", unit, workers={"min": 1, "max": 2})
    with sp.run(process) as running:
        assert running.stats().units["b"].workers == 1
        running.push("b", 0)
        running.push("b", 1)
        results = running.stream("b", timeout=SOON)
        assert [0, 1] == [next(results), next(results)]
        assert unit.gone.acquire(timeout=SOON)
        running.push("b", 2)
        assert next(results) == 2
        assert running.stats().units["b"].workers == 1


def test_the_number_of_workers_is_set_by_hand():
    unit = meeting(3)
    process = sp.Process("pool").add("b", unit, workers={"min": 1, "max": 3})
    with sp.run(process) as running:
        running.scale("b", 3)
        assert running.stats().units["b"].workers == 3
        for number in range(3):
            running.push("b", number)
        results = running.stream("b", timeout=SOON)
        assert [0, 1, 2] == [next(results) for _ in range(3)]
        running.scale("b", 1)
        assert all(unit.gone.acquire(timeout=SOON) for _ in range(2))
        running.scale("b")
        assert running.stats().units["b"].workers == 1


def test_a_fixed_number_of_workers_may_be_lowered_and_raised_again():
    process = sp.Process("pool").add("b", same, workers=3)
    with sp.run(process) as running:
        for workers in (1, 2, 3):
            running.scale("b", workers)
            assert running.stats().units["b"].workers == workers
            assert list(range(20)) == [running.call("b", number) for number in range(20)]


def same(number: int) -> int:
    return number


@pytest.mark.parametrize(("workers", "asked"), [(1, 2), (3, 4), (3, 0)])
def test_there_are_no_more_places_than_the_process_was_described_with(workers, asked):
    with sp.run(sp.Process("pool").add("b", same, workers=workers)) as running:
        with pytest.raises(sp.StreamPyError, match=f"got {asked} workers for 'b', expected 1 to {workers}"):
            running.scale("b", asked)
