"""Units raise where a test wants them to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import streampy as sp
from streampy.testing import simulate, with_faults


def numbers() -> Iterator[int]:
    yield from range(5)


async def numbers_async() -> AsyncIterator[int]:
    for number in range(5):
        yield number


def same(number: int) -> int:
    return number


async def same_async(number: int) -> int:
    return number


class Same(sp.Unit):
    def __init__(self, *, plus: int = 0) -> None:
        self.plus = plus

    def work(self, number: int) -> int:
        return number + self.plus


def cut(number: int) -> Iterator[int]:
    yield number


async def cut_async(number: int) -> AsyncIterator[int]:
    yield number


def stream(numbers: Iterator[int]) -> Iterator[int]:
    yield from numbers


async def stream_async(numbers: AsyncIterator[int]) -> AsyncIterator[int]:
    async for number in numbers:
        yield number


def in_batches(numbers: sp.Batch[int]) -> sp.Batch[int]:
    return numbers


def process(use: object, **options: object) -> sp.Process:
    return sp.Process("faulty").add("numbers", numbers).add("unit", use, from_="numbers", **options)


@pytest.mark.parametrize("use", [same, same_async, Same, cut, cut_async, in_batches])
def test_a_unit_raises_at_its_third_call(use):
    result = simulate(process(use, on_error="dead_letter"), faults={"unit": {3: ValueError("no")}})
    assert [0, 1, 3, 4] == result["unit"]
    assert [("ValueError('no')", 2)] == [(repr(letter.error), letter.item.seq) for letter in result.dead_letters]


def test_a_further_try_is_a_further_call():
    faults = {"unit": {3: ValueError("no"), 4: ValueError("no again")}}
    result = simulate(process(Same, plus=10, on_error=sp.OnError(retry=2)), faults=faults)
    assert ([10, 11, 12, 13, 14], 2) == (result["unit"], result.stats.units["unit"].retried)


def test_the_calls_of_all_workers_count_together():
    result = simulate(process(same, on_error="skip", workers=3), faults={"unit": {2: ValueError("no")}})
    assert (4, 1) == (len(result["unit"]), result.stats.ledger.failed)


@pytest.mark.parametrize("use", [stream, stream_async])
def test_a_stream_unit_raises_where_it_asks_for_its_third_item(use):
    with pytest.raises(sp.UnitFailed, match=r"'unit' failed.*no"):
        simulate(process(use), faults={"unit": {3: ValueError("no")}})


@pytest.mark.parametrize("source", [numbers, numbers_async])
def test_a_source_raises_in_place_of_its_third_value(source):
    got: list[int] = []

    def keep(number: int) -> None:
        got.append(number)

    faulty = sp.Process("faulty").add("source", source).add("keep", keep, from_="source")
    with pytest.raises(sp.UnitFailed, match=r"'source' failed.*no"):
        simulate(faulty, faults={"source": {3: ValueError("no")}})
    assert set(got) <= {0, 1}


def test_a_process_with_faults_runs_on_threads_too():
    with sp.run(with_faults(process(same, on_error="skip"), {"unit": {1: ValueError("no")}})) as running:
        assert [1, 2, 3, 4] == list(running.stream("unit", timeout=10))


def test_the_process_itself_has_no_faults_afterwards():
    plain = process(Same)
    with_faults(plain, {"unit": {1: ValueError("no")}})
    assert [0, 1, 2, 3, 4] == simulate(plain)["unit"]


def test_a_unit_in_another_os_process_fails_in_a_simulation_and_is_refused_for_a_run():
    elsewhere, faults = process(same, on_error="skip", place="own"), {"unit": {1: ValueError("no")}}
    assert [1, 2, 3, 4] == simulate(elsewhere, faults=faults)["unit"]
    with pytest.raises(sp.StreamPyError, match=r"faults: 'unit' has `place: own`, .*place it `main` for this test"):
        with_faults(elsewhere, faults)


def test_a_fault_of_a_unit_that_is_not_there_is_told():
    with pytest.raises(sp.StreamPyError, match="faults: there is no unit 'unti', did you mean 'unit'"):
        with_faults(process(same), {"unti": {}})
