"""Percentiles are right within the width of a bucket; count, sum and largest are exact."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streampy.flow.meter import Distribution, Summary, summarize

WITHIN = 0.045
LEAST = 2.0**-24
"""60 ns: what is shorter is not told apart."""

samples = st.lists(
    st.one_of(
        st.floats(0.0, 1e-3),
        st.floats(1e-3, 10.0),
        st.floats(10.0, 1e6),
        st.sampled_from([0.0, 1e-6, 0.001, 1.0, 2.0, 3.0, 64.0, 1024.0]),
    ),
    min_size=1,
    max_size=300,
)


def distribution_of(samples: list[float]) -> Distribution:
    distribution = Distribution()
    for sample in samples:
        distribution.record(sample)
    return distribution


def percentile(samples: list[float], share: float) -> float:
    return sorted(samples)[ceil(share * len(samples)) - 1]


def check(summary: Summary, samples: list[float]) -> None:
    assert (summary.count, summary.max) == (len(samples), max(samples))
    assert summary.mean == pytest.approx(sum(samples) / len(samples))
    for got, share in ((summary.p50, 0.50), (summary.p95, 0.95), (summary.p99, 0.99)):
        assert got == pytest.approx(percentile(samples, share), rel=WITHIN, abs=LEAST)
    assert summary.p50 <= summary.p95 <= summary.p99 <= summary.max


@given(st.lists(st.tuples(st.one_of(st.floats(0.0, 1e6), st.just(0.0)), st.integers(1, 2000)), max_size=5))
def test_what_is_repeated_counts_as_if_it_had_been_recorded_each_time(repeated):
    once, each = Distribution(), Distribution()
    for sample, times in repeated:
        once.repeat(sample, times)
        each.extend([sample] * times)
    summary, expected = once.summary(), each.summary()
    assert (expected.count, expected.p50, expected.p99) == (summary.count, summary.p50, summary.p99)
    assert (pytest.approx(expected.mean), expected.max) == (summary.mean, summary.max)


@given(samples=samples, repeat=st.sampled_from([1, 1, 40]))
@settings(max_examples=60)
def test_percentiles_are_those_of_sorting_within_the_width_of_a_bucket(samples, repeat):
    samples = samples * repeat
    distribution = distribution_of(samples)
    check(distribution.summary(), samples)
    assert distribution.total == pytest.approx(sum(samples))


@given(several=st.lists(samples, min_size=1, max_size=5))
@settings(max_examples=60)
def test_several_together_are_as_one_of_all_samples(several):
    together = summarize([distribution_of(samples) for samples in several])
    check(together, [sample for samples in several for sample in samples])


@given(several=st.lists(samples, min_size=1, max_size=5))
@settings(max_examples=30)
def test_samples_may_be_given_one_by_one_or_many_at_once(several):
    at_once = Distribution()
    for samples in several:
        at_once.extend(samples)
    one_by_one = distribution_of([sample for samples in several for sample in samples])
    assert at_once.summary().count == one_by_one.summary().count
    for name in ("p50", "p95", "p99", "max"):
        assert getattr(at_once.summary(), name) == getattr(one_by_one.summary(), name)


@given(samples=samples)
@settings(max_examples=30)
def test_to_look_changes_nothing(samples):
    distribution = distribution_of(samples)
    before = distribution.summary()
    assert distribution.summary() == before
    assert distribution.total == distribution.total


def test_an_empty_distribution_is_all_zero():
    assert Distribution().summary() == Summary() == summarize([])
    assert Distribution().total == 0.0


def test_what_never_varies_has_that_value_as_its_largest_and_near_it_all_percentiles():
    summary = distribution_of([0.040] * 5_000).summary()
    assert (summary.count, summary.max) == (5_000, 0.040)
    assert summary.p50 == summary.p99 == pytest.approx(0.040, rel=WITHIN)


def test_samples_beyond_the_last_bucket_are_counted_and_the_largest_of_them_is_kept():
    summary = distribution_of([1.0, 1e9]).summary()
    assert (summary.count, summary.max) == (2, 1e9)


def test_memory_is_bounded_whatever_the_number_of_samples():
    distribution = Distribution()
    for number in range(200_000):
        distribution.record(number % 977 / 1e4)
    assert len(distribution._pending) < 1_024
    assert len(distribution._counts) < 44 * 16 + 2
    assert distribution.summary().count == 200_000
