"""What docs/compared.md says beside pipeline-executor, where no other test shows it."""

from __future__ import annotations

import importlib.resources
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import streampy as sp

SOON = 20.0


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def differences(values: Iterator[int]) -> Iterator[int]:
    before = next(values)
    for value in values:
        yield value - before
        before = value


def test_a_plain_generator_is_tried_alone_and_runs_in_a_process():
    assert [3, 5] == list(differences(iter([1, 4, 9])))
    process = sp.Process("plain").add("numbers", numbers).add("differences", differences, from_="numbers")
    with sp.run(process) as running:
        assert [1, 1, 1, 1] == list(running.stream("differences", timeout=SOON))


def test_what_stands_before_the_loop_is_done_once_by_each_worker():
    loaded = []

    def model(values: Iterator[int]) -> Iterator[int]:
        loaded.append(sp.worker().index)
        yield from values

    process = sp.Process("model").add("numbers", numbers, until=50)
    process.add("model", model, from_="numbers", workers=2, ordered=False)
    with sp.run(process) as running:
        assert list(range(50)) == sorted(running.stream("model", timeout=SOON))
    assert [0, 1] == sorted(loaded)


def test_fused_units_have_one_item_under_way():
    seen = []

    def source() -> Iterator[int]:
        for number in range(3):
            seen.append(f"made {number}")
            yield number

    def same(number: int) -> int:
        seen.append(f"passed {number}")
        return number

    def sink(number: int) -> None:
        seen.append(f"done {number}")

    process = sp.Process("one").add("source", source).add("same", same, from_="source").add("sink", sink, from_="same")
    with sp.run(process) as running:
        running.wait(SOON)
    assert [f"{what} {number}" for number in range(3) for what in ("made", "passed", "done")] == seen


def test_a_worker_of_a_source_that_leaves_at_once_does_not_end_the_others():
    def share(*, until: int) -> Iterator[int]:
        if sp.worker().index:
            yield from range(until)

    def key(item: sp.Item[int]) -> str:
        return item.header.key

    process = sp.Process("two").add("share", share, until=500, workers=2)
    process.add("key", key, from_="share", pipe={"capacity": 1})
    with sp.run(process) as running:
        assert [f"share#1 #{number}" for number in range(500)] == list(running.stream("key", timeout=SOON))


@pytest.mark.parametrize("workers", [1, 2])
def test_values_that_no_pickle_takes_pass_as_they_are(workers):
    lock = threading.Lock()

    def functions() -> Iterator[Callable[[], object]]:
        for _ in range(5):
            yield lambda: lock

    def call(function: Callable[[], object]) -> object:
        return function()

    process = sp.Process("lambdas").add("functions", functions)
    process.add("call", call, from_="functions", workers=workers, pipe={"capacity": 2})
    with sp.run(process) as running:
        assert [lock] * 5 == list(running.stream("call", timeout=SOON))


def test_a_process_is_run_by_a_thread_that_is_not_the_main_one():
    def run() -> list[int]:
        with sp.run(sp.Process("aside").add("numbers", numbers, until=3)) as running:
            return list(running.stream("numbers", timeout=SOON))

    with ThreadPoolExecutor(1) as pool:
        assert [0, 1, 2] == pool.submit(run).result(SOON)


def test_the_package_says_that_it_is_typed():
    assert importlib.resources.files("streampy").joinpath("py.typed").is_file()
