"""A worker that dies is replaced where the unit says so, and what it had in its hands is not lost (F10, F12)."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streampy as sp

SOON = 20.0
RESTART = sp.OnCrash(then="restart", backoff=0)


def numbers(*, until: int = 10) -> Iterator[int]:
    yield from range(until)


class Mortal(sp.Unit):
    """Dies the first `deaths` times that it is given the number 3."""

    died: Counter[int]
    made: list[str]

    def __init__(self, *, deaths: int = 1) -> None:
        self.deaths = deaths
        self.seen: list[int] = []

    def start(self) -> None:
        self.made.append(sp.worker().name)

    def work(self, number: int) -> int:
        if number == 3 and self.died[number] < self.deaths:
            self.died[number] += 1
            sys.exit("the driver said so")
        return 2 * number


def mortal() -> type[Mortal]:
    return type("Mortal", (Mortal,), {"died": Counter(), "made": []})


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("pipe", [None, {"capacity": 1}, {"batch": 4, "wait": 0.01}])
def test_what_a_dead_worker_had_in_its_hands_is_not_lost_and_stays_in_order(workers, pipe):
    unit = mortal()
    process = sp.Process("restart").add("a", numbers)
    process.add("b", unit, from_="a", on_crash=RESTART, workers=workers, pipe=pipe)
    with sp.run(process) as running:
        assert [2 * number for number in range(10)] == list(running.stream("b", timeout=SOON))
    assert len(unit.made) == workers + 1
    assert running.stats().ledger.balanced
    assert running.stats().units["b"].received == 10


def test_an_async_worker_is_replaced_too():
    died: list[int] = []

    async def mortal(number: int) -> int:
        if number == 3 and not died:
            died.append(number)
            sys.exit("the driver said so")
        return 2 * number

    process = sp.Process("restart").add("a", numbers).add("b", mortal, from_="a", on_crash=RESTART)
    with sp.run(process) as running:
        assert [2 * number for number in range(10)] == list(running.stream("b", timeout=SOON))
    assert died == [3]


def test_parts_that_a_dead_worker_made_are_not_seen_twice():
    died: list[int] = []

    def twice(number: int) -> Iterator[int]:
        yield number
        if number == 3 and not died:
            died.append(number)
            sys.exit("in the middle of its parts")
        yield number

    process = sp.Process("restart").add("a", numbers, until=5).add("b", twice, from_="a", on_crash=RESTART)
    with sp.run(process) as running:
        assert [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] == list(running.stream("b", timeout=SOON))
    assert running.stats().ledger.balanced
    assert running.stats().units["b"].emitted == 10


def test_a_batch_on_which_a_worker_died_is_tried_one_by_one():
    sizes: list[int] = []

    def double(batch: sp.Batch[int]) -> sp.Batch[int]:
        sizes.append(len(batch))
        if 3 in batch:
            sys.exit("one of them is poison")
        return sp.Batch([2 * number for number in batch])

    process = sp.Process("restart").add("a", numbers, until=8)
    process.add("b", double, from_="a", on_crash=RESTART, pipe={"batch": 8, "wait": SOON})
    with sp.run(process) as running:
        assert [0, 2, 4, 8, 10, 12, 14] == list(running.stream("b", timeout=SOON))
        (letter,) = running.dead_letters()
    assert [8, 1, 1, 1, 1, 1, 1, 1, 1, 1] == sizes
    assert letter.item.value == 3


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_async", [False, True])
def test_f10_a_poisonous_item_is_dead_lettered_after_so_many_deaths(workers, is_async):
    unit = mortal()
    if is_async:
        work = unit.work

        async def work_async(self: Mortal, number: int) -> int:
            return work(self, number)

        unit.work = work_async
    process = sp.Process("poison").add("a", numbers)
    process.add("b", unit, from_="a", on_crash=RESTART, workers=workers, deaths=99)
    with sp.run(process) as running:
        assert [2 * number for number in range(10) if number != 3] == list(running.stream("b", timeout=SOON))
        (letter,) = running.dead_letters()
    assert unit.died[3] == 2
    assert letter.item.value == 3
    assert isinstance(letter.error, SystemExit)
    assert running.stats().ledger.failed == 1
    assert running.stats().ledger.balanced


def test_f10_a_join_behind_a_poisonous_item_does_not_wait_for_it():
    def both(left: int, right: int | None) -> tuple[int, int | None]:
        return left, right

    process = sp.Process("poison").add("a", numbers, until=5)
    process.add("b", mortal(), from_="a", on_crash=RESTART, deaths=99)
    process.add("both", both, from_={"left": "a", "right": "b"})
    with sp.run(process) as running:
        assert [(0, 0), (1, 2), (2, 4), (3, None), (4, 8)] == list(running.stream("both", timeout=SOON))


@pytest.mark.leaves_a_thread
def test_f12_a_hung_worker_is_left_behind_and_another_one_goes_on_with_its_item():
    let_go, calls = threading.Event(), Counter[int]()

    def stuck(number: int) -> int:
        calls[number] += 1
        if number == 3 and calls[number] == 1:
            let_go.wait(SOON)
        return 2 * number

    process = sp.Process("hung").add("a", numbers)
    process.add("b", stuck, from_="a", timeout=0.05, on_crash=RESTART)
    with sp.run(process) as running:
        assert [2 * number for number in range(10)] == list(running.stream("b", timeout=SOON))
        let_go.set()
    assert calls[3] == 2
    assert running.stats().ledger.balanced
    assert running.stats().ledger.delivered == 10


@pytest.mark.leaves_a_thread
def test_f12_what_a_hung_worker_gives_too_late_is_seen_by_nobody():
    let_go, came_back = threading.Event(), threading.Event()

    class Stuck(sp.Unit):
        def work(self, number: int) -> Iterator[int]:
            yield number
            if number == 3 and not let_go.is_set():
                let_go.wait(SOON)
                yield -1

        def stop(self) -> None:
            came_back.set()

    process = sp.Process("hung").add("a", numbers, until=5)
    process.add("b", Stuck, from_="a", timeout=0.05, on_crash=sp.OnCrash(then="restart", backoff=0, attempts=1))
    with sp.run(process) as running:
        assert [0, 1, 2, 4] == list(running.stream("b", timeout=SOON))
        came_back.clear()
        let_go.set()
        assert came_back.wait(SOON)
        assert running.stats().ledger.balanced


def test_a_source_that_dies_goes_on_with_its_numbers():
    class Camera(sp.Unit):
        deaths = 0

        def work(self) -> Iterator[str]:
            kind = type(self)
            yield f"frame of life {kind.deaths}"
            if kind.deaths < 2:
                kind.deaths += 1
                sys.exit("unplugged")

    process = sp.Process("camera").add("a", Camera, on_crash=RESTART).add("b", keys, from_="a")
    with sp.run(process) as running:
        assert ["a #0", "a #1", "a #2"] == list(running.stream("b", timeout=SOON))
    assert running.stats().ledger.born == 3


def keys(frame: sp.Item[str]) -> str:
    return frame.header.key


def test_too_many_restarts_stop_the_process():
    process = sp.Process("restart").add("a", numbers)
    process.add("b", mortal(), from_="a", deaths=99, on_crash=sp.OnCrash(then="restart", backoff=0, limit=1))
    with pytest.raises(sp.WorkerDied, match="restarted 1 times within a minute") as died, sp.run(process) as running:
        running.wait(SOON)
    assert isinstance(died.value.__cause__, SystemExit)


def test_without_restart_a_worker_that_dies_stops_the_process():
    process = sp.Process("stop").add("a", numbers).add("b", mortal(), from_="a")
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        running.wait(SOON)
    assert isinstance(failed.value.__cause__, SystemExit)


@pytest.mark.parametrize("is_async", [False, True])
def test_an_item_that_failed_beside_one_that_kills_fails_once(is_async):
    def no(numbers: sp.Batch[int]) -> sp.Batch[int]:
        for number in numbers:
            if number == 1:
                raise ValueError("no")
            if number == 3:
                sys.exit("the driver said so")
        return numbers

    async def no_async(numbers: sp.Batch[int]) -> sp.Batch[int]:
        return no(numbers)

    process = sp.Process("restart").add("a", numbers, until=5)
    unit = no_async if is_async else no
    process.add("b", unit, from_="a", on_crash=RESTART, on_error="dead_letter", pipe={"batch": 5, "wait": 10})
    with sp.run(process) as running:
        assert [0, 2, 4] == list(running.stream("b", timeout=SOON))
    assert [1, 3] == sorted(letter.item.seq for letter in running.dead_letters())
    assert running.stats().ledger.balanced
    assert 2 == running.stats().units["b"].failed


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=50)
def test_f12_a_call_that_ends_just_when_its_time_is_over_is_worked_on_once_more_or_was_in_time(seed):
    """In virtual time both happen at the same moment, in any order."""

    def just(number: int) -> int:
        sp.worker().sleep(0.1)
        return number

    process = sp.Process("just").add("a", numbers, until=4)
    policy = sp.OnCrash(then="restart", backoff=0, attempts=100, limit=1000)
    process.add("b", just, from_="a", timeout=0.1, on_crash=policy)
    result = sp.testing.simulate(process, seed=seed)
    assert [0, 1, 2, 3] == result["b"]
    assert result.stats.ledger.balanced


@pytest.mark.parametrize("is_async", [False, True])
def test_an_event_that_ends_a_worker_loses_no_item(is_async):
    class Fragile(sp.Unit):
        def work(self, number: int) -> int:
            return number

        @sp.event("end")
        def end(self) -> None:
            sys.exit("the event said so")

    async def work(self: Fragile, number: int) -> int:
        return number

    if is_async:
        Fragile.work = work
    process = sp.Process("events").add(
        "a", numbers, until=60
    )  # as many as the output holds, so that no worker is held back by it
    process.add("b", Fragile, from_="a", on_crash=RESTART, workers=2, pipe={"capacity": 2})
    with sp.run(process) as running:
        results = running.stream("b", timeout=SOON)
        came = [next(results)]
        for _ in range(5):
            running.fire("b", "end")
            came += [next(results) for _ in range(5)]
        came += results
    assert list(range(60)) == came
    assert running.stats().ledger.balanced


def odd(number: int) -> int | None:
    return number if number % 2 else None


def both(x: int, y: int) -> int:
    return x + y


def whole(x: int, y: int | None) -> tuple[int, int | None]:
    return x, y


def same(number: int) -> int:
    return number


def test_news_of_what_ended_on_its_way_in_are_told_before_anything_was_in_hand():
    process = sp.Process("restart").add("enter", same).add("odd", odd, from_="enter")
    process.add("both", both, from_={"x": "enter", "y": "odd"}, on_crash=RESTART)
    process.add("whole", whole, from_={"x": "enter", "y": "both"})
    with sp.run(process) as running:
        assert [(0, None), (1, 2), (2, None)] == [running.call("enter", number, timeout=5) for number in range(3)]
