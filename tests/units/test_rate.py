"""Samples, throttles, delays, no repeats."""

from collections.abc import Iterator
from time import monotonic

import pytest

import streampy as sp
from streampy.units.rate import Dedupe, Delay, Sample, Throttle

feed = sp.testing.feed


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def endless() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def test_every_third_passes() -> None:
    assert [0, 3, 6] == feed(Sample, settings={"every": 3}, value=range(9))


def test_the_same_seed_lets_the_same_items_through() -> None:
    first, again, other = (
        feed(Sample, settings={"probability": 0.3, "seed": seed}, value=range(1000)) for seed in (1, 1, 2)
    )

    assert first == again != other
    assert 250 < len(first) < 350


@pytest.mark.parametrize("settings", [{"every": 0}, {"probability": 1.5}])
def test_a_sample_of_none_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected at least 1, and 0 to 1"):
        Sample(**settings)  # type: ignore[arg-type]


def test_a_throttle_spreads_items_over_time_and_loses_none() -> None:
    process = sp.Process("slow").add("numbers", numbers).add("throttle", Throttle, from_="numbers", per_second=200)
    begin = monotonic()
    with sp.run(process) as running:
        assert [0, 1, 2, 3, 4] == list(running.stream("throttle"))
    assert 4 / 200 <= monotonic() - begin


def test_nobody_waits_for_a_throttle_when_the_process_is_cancelled() -> None:
    process = sp.Process("slow").add("endless", endless).add("throttle", Throttle, from_="endless", per_second=0.001)
    begin = monotonic()
    with sp.run(process) as running:
        assert 0 == next(running.stream("throttle"))
        running.stop(grace=0.0)
    assert monotonic() - begin < 5


def test_a_delay_shifts_a_stream_and_keeps_its_rate() -> None:
    def age(value: sp.Item[int]) -> float:
        return monotonic() - value.born

    process = sp.Process("late").add("numbers", numbers, until=50).add("delay", Delay, from_="numbers", seconds=0.2)
    process.add("age", age, from_="delay")
    begin = monotonic()
    with sp.run(process) as running:
        ages = list(running.stream("age"))
    assert 50 == len(ages)
    assert 0.2 <= min(ages)
    assert monotonic() - begin < 50 * 0.2


def test_a_repeat_passes_again_when_its_key_was_forgotten() -> None:
    assert [1, 2, 3, 1] == feed(Dedupe, settings={"remember": 2}, value=[1, 2, 2, 3, 1])


def test_a_key_that_comes_again_is_remembered_for_longer() -> None:
    assert ["a", "b", "c", "b"] == feed(Dedupe, settings={"remember": 2}, value=["a", "b", "a", "c", "a", "b"])


def test_repeats_are_filtered_and_counted() -> None:
    process = sp.Process("once").add("numbers", numbers, until=9)
    process.add("once", Dedupe, from_="numbers", key=lambda number: number % 3)
    with sp.run(process) as running:
        assert [0, 1, 2] == list(running.stream("once"))
    assert 6 == running.stats().ledger.filtered
