"""Headers as columns are the headers: nobody can tell but by the time it takes."""

from __future__ import annotations

import pickle
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.model.headers import Headers, have_deadlines, joined
from streampy.model.item import NO_META, Header

borns = st.sampled_from([0.0, 1.5, 2])
headers = st.builds(
    Header,
    st.sampled_from(["camera", "camera#1"]),
    st.integers(0, 5),
    borns,
    st.just(()) | st.tuples(st.integers(0, 9)),
    st.just(inf) | st.floats(0, 9),
    st.just(NO_META) | st.dictionaries(st.text(max_size=1), st.integers(), max_size=1),
)
batches = st.builds(
    lambda stream, first, count, born: [Header(stream, first + number, born) for number in range(count)],
    st.sampled_from(["camera", "camera#1"]),
    st.integers(0, 5),
    st.integers(1, 5),
    borns,
)
some = st.lists(headers, min_size=1, max_size=6) | batches
ends = st.none() | st.integers(-8, 8)


@given(some)
def test_they_read_as_the_list_that_they_were_made_of(given):
    columns = Headers.of(given)
    assert columns == given
    assert given == columns
    assert len(given) == len(columns)
    assert [*given] == [*columns] == [columns[number] for number in range(len(given))]
    assert given[-1] == columns[-1]
    assert all(type(one) is Header for one in columns)
    assert repr(given) == repr(columns)
    assert given + given == columns + columns == [*columns, *columns] == given + columns
    assert given[0] in columns


@given(some, ends, ends, st.none() | st.integers(1, 3))
def test_a_part_of_them_is_that_part_of_the_list(given, start, stop, step):
    assert given[start:stop:step] == Headers.of(given)[start:stop:step]


@given(st.lists(some, min_size=1, max_size=4))
def test_those_of_several_batches_are_the_lists_one_behind_the_other(several):
    whole = [header for one in several for header in one]
    assert whole == joined([Headers.of(one) for one in several])
    assert whole == joined([Headers.of(several[0]), *several[1:]])


@given(some)
def test_they_travel(given):
    came = Headers(pickle.loads(pickle.dumps(Headers.of(given).columns)))
    assert given == came
    assert [one.meta is NO_META for one in given] == [one.meta is NO_META for one in came]
    assert given == pickle.loads(pickle.dumps(Headers.of(given)))


@given(some)
def test_what_is_asked_of_all_at_once_is_what_each_says(given):
    columns = Headers.of(given)
    assert (columns.stream is not None) == (len({one.stream for one in given}) == 1)
    assert have_deadlines(given) == have_deadlines(columns) == any(one.deadline < inf for one in given)


def test_batches_that_follow_each_other_are_one_stretch_even_with_nothing_between():
    parts = [Headers.born_at_once("camera", range(*span), 1.0) for span in ((0, 2), (2, 2), (2, 5))]
    assert joined(parts).columns == Headers.born_at_once("camera", range(5), 1.0).columns
    assert joined([parts[2], parts[0]]) == [*parts[2], *parts[0]]
    assert joined([]) == []


def test_those_that_are_born_at_once_follow_each_other():
    columns = Headers.born_at_once("camera", range(3, 5), 1.0)
    assert columns == [Header("camera", 3, 1.0), Header("camera", 4, 1.0)]
    assert columns != [Header("camera", 3, 1.0)]


def test_there_is_none_behind_the_last():
    with pytest.raises(IndexError):
        Headers.born_at_once("camera", range(2), 1.0)[2]


def test_what_few_items_carry_does_not_make_lists_of_columns_that_are_joined():
    plain, marked = Headers.born_at_once("a", range(3), 1.0), Headers.of([Header("a", 3, 1.0, meta={"mark": 1})])
    both = joined([plain, marked, Headers.born_at_once("a", range(4, 6), 1.0)])
    assert type(both) is Headers
    assert [{}, {}, {}, {"mark": 1}, {}, {}] == [{**header.meta} for header in both]
    assert range(6) == both.columns[1]
    assert both[:3].columns[5] is None
    assert both[2:4].columns[5] == [None, {"mark": 1}]
