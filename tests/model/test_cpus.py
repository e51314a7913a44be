"""CPUs are written as people write them, and shown as Linux does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.model.cpus import cpus_of, each_cpus, format_cpus, parse_cpus
from streampy.model.numbered import check_numbered, fill

numbers = st.sets(st.integers(0, 40), min_size=1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ((), ()),
        (3, (3,)),
        ("3", (3,)),
        ("0-2,8", (0, 1, 2, 8)),
        ([1, 0, 1], (0, 1)),
        (["0", "1"], (0, 1)),
        ([[0, 1], [2]], ((0, 1), (2,))),
        (["0-1", "2-3"], ((0, 1), (2, 3))),
        ([["0-1", 4], [2]], ((0, 1, 4), (2,))),
    ],
)
def test_numbers_ranges_and_lists_are_read(written, meant):
    assert parse_cpus(written) == meant


@pytest.mark.parametrize(
    ("written", "got"),
    [
        ([], "an empty list"),
        ([[0], []], "an empty list"),
        (-1, "-1"),
        (True, "True"),
        ("3-1", "'3-1'"),
        ("0-99999999999", "'0-99999999999'"),
        ("two", "'two'"),
        ([0, [1]], r"\[1\]"),
        (None, "None"),
        (1.5, "1.5"),
    ],
)
def test_what_is_no_list_of_cpus_is_told(written, got):
    with pytest.raises(ValueError, match=rf"got {got}, expected CPUs such as \[0, 1\] or \"0-3\""):
        parse_cpus(written)


@given(numbers)
def test_what_is_shown_can_be_written(cpus):
    assert parse_cpus(format_cpus(parse_cpus(sorted(cpus)))) == tuple(sorted(cpus))


@given(st.lists(numbers.map(sorted), min_size=1))
def test_each_worker_has_its_own_or_all_have_the_same(several):
    of_each, of_all = parse_cpus(several), parse_cpus(several[0])
    assert [cpus_of(of_each, index) for index in range(len(several))] == [tuple(one) for one in several]
    assert {cpus_of(of_all, index) for index in range(3)} == {tuple(several[0])}
    assert (len(each_cpus(of_each)), len(each_cpus(of_all))) == (len(several), 0)


def test_cpus_of_several_workers_are_shown_one_after_the_other():
    assert format_cpus(((0, 1, 2, 8), (4,))) == "0-2,8 | 4"


def test_number_of_a_worker_is_filled_in():
    assert fill("cuda:{index} of {count}", 1, 4) == "cuda:1 of 4"
    assert check_numbered("cuda:{index} of {count}") == check_numbered('{"a": {}}') == ""


@pytest.mark.parametrize("text", ["cuda:{worker}", "{index % 2}", "{Index}"])
def test_other_words_in_braces_are_told(text):
    assert "expected {index} or {count}" in check_numbered(text)
