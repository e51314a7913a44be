"""What docs/compared.md says beside paipa, where no other test shows it."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import streampy as sp

SOON = 20.0


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def double(number: int) -> int:
    return 2 * number


def refuse(number: int) -> int:
    raise ValueError(number)


def test_a_process_is_run_a_second_time():
    process = sp.Process("again").add("numbers", numbers).add("double", double, from_="numbers")
    for _ in range(2):
        with sp.run(process) as running:
            assert [0, 2, 4, 6, 8] == list(running.stream("double", timeout=SOON))


def test_a_queue_of_the_users_own_feeds_a_process():
    inbox = queue.Queue[int | None]()

    def receive() -> Iterator[int]:
        yield from iter(inbox.get, None)

    with sp.run(sp.Process("inbox").add("receive", receive).add("double", double, from_="receive")) as running:
        for value in (1, 2, None):
            inbox.put(value)
        assert [2, 4] == list(running.stream("double", timeout=SOON))


def test_an_error_that_nobody_saw_comes_out_when_the_block_is_left():
    with pytest.raises(sp.UnitFailed) as failed, sp.run(sp.Process("background").add("refuse", refuse)) as running:
        running.push("refuse", 7)
    assert isinstance(failed.value.__cause__, ValueError)


def test_whoever_wants_to_be_called_on_a_failure_lets_a_thread_wait():
    told = queue.Queue[BaseException | None]()
    with ThreadPoolExecutor(1) as pool, sp.run(sp.Process("called").add("refuse", refuse)) as running:
        pool.submit(running.wait).add_done_callback(lambda waited: told.put(waited.exception()))
        running.push("refuse", 7)
        error = told.get(timeout=SOON)
    assert isinstance(error, sp.UnitFailed)
    assert ("refuse", "refuse #0") == (error.unit, error.key)


def test_a_decorator_sees_each_call_of_a_unit():
    seen = []

    def tracked(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def call(*values: object, **settings: object) -> object:
            seen.append(f"before {values}")
            result = function(*values, **settings)
            seen.append(f"after {result}")
            return result

        return call

    with sp.run(sp.Process("tracked").add("double", tracked(double))) as running:
        assert 6 == running.call("double", 3, timeout=SOON)
    assert ["before (3,)", "after 6"] == seen


def test_the_class_of_a_unit_holds_what_its_workers_share():
    class Total(sp.Unit):
        lock, total = threading.Lock(), 0

        def work(self, number: int) -> None:
            with self.lock:
                type(self).total += number

    process = sp.Process("shared").add("numbers", numbers, until=100)
    with sp.run(process.add("total", Total, from_="numbers", workers=4)) as running:
        running.wait(SOON)
    assert sum(range(100)) == Total.total
