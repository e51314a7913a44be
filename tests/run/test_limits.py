"""So many items are let in at the entry at once, and the next one when all that became of one has ended."""

import sys
import threading
from collections.abc import Iterator

import pytest

import streampy as sp

SOON = 20.0


def numbers(*, until: int) -> Iterator[int]:
    yield from range(until)


def same(number: int) -> int:
    return number


async def same_async(number: int) -> int:
    return number


class Under:
    """How many families are on their way between two units, and how many there were at the most."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.alive: set[int] = set()
        self.most = 0

    def enter(self, number: int) -> int:
        with self.lock:
            self.alive.add(number)
            self.most = max(self.most, len(self.alive))
        return number

    def leave(self, number: int) -> None:
        with self.lock:
            self.alive.discard(number)


def parts(number: int) -> Iterator[int]:
    for _ in range(number % 4):
        yield number


def odd(number: int) -> int | None:
    return number if number % 2 else None


def both(left: int, right: list[int], third: int | None) -> int:
    return left


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("worker", [same, same_async])
def test_no_more_are_on_their_way_than_the_limit_says(limit, worker):
    under = Under()
    process = sp.Process("limit").add("numbers", numbers, until=60)
    process.add("enter", under.enter, from_="numbers", pipe={"in_flight": limit})
    process.add("parts", parts, from_="enter", pipe={"capacity": 4})
    process.add("work", worker, from_="parts", workers=2, pipe={"capacity": 2})
    process.add("odd", odd, from_="enter", pipe={"capacity": 2})
    process.add("both", both, from_={"left": "enter", "right": "work", "third": "odd"})
    process.add("leave", under.leave, from_="both", pipe={"capacity": 1})
    with sp.run(process) as running:
        running.wait(SOON)
    stats = running.stats()
    assert under.most <= limit
    assert stats.units["leave"].received == 60
    assert stats.ledger.balanced


def test_an_overload_is_met_at_the_entry_and_nothing_is_worked_on_in_vain():
    let_go, came, seen = threading.Event(), threading.Semaphore(0), []

    def enter(number: int) -> int:
        came.release()
        return number

    def slow(number: int) -> int:
        seen.append(number)
        let_go.wait(SOON)
        return number

    process = sp.Process("entry").add("enter", enter, pipe={"in_flight": 2, "overflow": "latest"})
    process.add("slow", slow, from_="enter", pipe={"capacity": 64})
    with sp.run(process) as running:
        results = running.stream("slow", timeout=SOON)
        for number in range(2):
            running.push("enter", number)
            assert came.acquire(timeout=SOON)
        for number in range(2, 100):
            running.push("enter", number)
        let_go.set()
        assert [0, 1, 99] == [next(results) for _ in range(3)]
        stats = running.stats()
    assert [0, 1, 99] == seen
    assert stats.pipes["enter.number"].dropped == 97
    assert stats.pipes["slow.number"].dropped == 0


@pytest.mark.parametrize("policy", ["skip", "dead_letter", {"retry": 1, "then": "skip", "backoff": 0}])
def test_items_that_fail_make_room_for_others(policy):
    def fussy(number: int) -> Iterator[int]:
        yield number
        if number % 3 == 0:
            raise ValueError(number)

    policy = sp.OnError(**policy) if isinstance(policy, dict) else policy
    process = sp.Process("limit").add("numbers", numbers, until=30)
    process.add("enter", same, from_="numbers", pipe={"in_flight": 1})
    process.add("fussy", fussy, from_="enter", on_error=policy)
    with sp.run(process) as running:
        assert list(range(30)) == list(running.stream("fussy", timeout=SOON))
    assert running.stats().ledger.balanced


def test_a_worker_that_dies_does_not_keep_its_place():
    died = []

    def mortal(number: int) -> Iterator[int]:
        yield number
        if number in (3, 7) and number not in died:
            died.append(number)
            sys.exit("in the middle")

    process = sp.Process("limit").add("numbers", numbers, until=12)
    process.add("enter", same, from_="numbers", pipe={"in_flight": 1})
    process.add("mortal", mortal, from_="enter", on_crash=sp.OnCrash(then="restart", backoff=0))
    with sp.run(process) as running:
        assert list(range(12)) == list(running.stream("mortal", timeout=SOON))


def test_a_unit_that_takes_the_whole_stream_is_let_one_item_more():
    def pairs(numbers: Iterator[int]) -> Iterator[list[int]]:
        for first in numbers:
            yield [first, next(numbers)]

    process = sp.Process("limit").add("numbers", numbers, until=12)
    process.add("enter", same, from_="numbers", pipe={"in_flight": 2}).add("pairs", pairs, from_="enter")
    with sp.run(process) as running:
        assert [[number, number + 1] for number in range(0, 12, 2)] == list(running.stream("pairs", timeout=SOON))


def test_a_limit_behind_another_one_locks_nothing():
    process = sp.Process("limit").add("numbers", numbers, until=30)
    process.add("enter", same, from_="numbers", pipe={"in_flight": 3})
    process.add("again", same, from_="enter", pipe={"in_flight": 1, "capacity": 1})
    with sp.run(process) as running:
        assert list(range(30)) == list(running.stream("again", timeout=SOON))


def stream(numbers: Iterator[int]) -> Iterator[int]:
    yield from numbers


def gather(number: list[int]) -> int:
    return sum(number)


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda process: process.add("parts", parts, from_="numbers").add("x", same, from_="parts", **ONE), "parts or"),
        (lambda process: process.add("x", same, from_=["numbers", "two"], **ONE), "parts or copies of one item"),
        (lambda process: process.add("x", both, from_=THREE, **ONE), "it joins several inputs"),
        (lambda process: process.add("x", stream, from_="numbers", **ONE), "x hold the last item that they took"),
        (
            lambda process: process.add("x", same, from_="numbers", **ONE).add("y", stream, from_="two"),
            "y hold the last item that they took",
        ),
        (
            lambda process: process.add("x", same, from_="numbers", **ONE).add("y", same, from_="two", **ONE),
            "limits the same items on another way",
        ),
        (
            lambda process: (
                process.add("round", same, from_=["numbers", "again"])
                .add("again", same, from_="round", pipe={"overflow": "latest"})
                .add("x", same, from_="round", **ONE)
            ),
            "behind a cycle, out of which an item comes more than once",
        ),
    ],
)
def test_a_limit_that_could_wait_for_ever_is_refused(add, message):
    process = sp.Process("limit").add("numbers", numbers, until=1).add("two", same, from_="numbers")
    with pytest.raises(sp.ProcessError, match=message):
        sp.run(add(process))


ONE = {"pipe": {"in_flight": 1}}
THREE = {"left": "numbers", "right": "numbers", "third": "two"}
