"""Room is found where there is any, never twice, and what is given back joins its neighbours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streampy.memory.spans import Spans

COUNT = 200
LENGTHS = st.integers(1, 60) | st.integers(16, 19)
"""From 16 on lengths share a class."""
ACTS = st.lists(st.tuples(st.booleans(), LENGTHS), max_size=200)


def longest(taken: dict[int, int]) -> int:
    ends = [0, *(end for start, length in sorted(taken.items()) for end in (start, start + length)), COUNT]
    return max(after - before for before, after in zip(ends[::2], ends[1::2], strict=True))


@given(ACTS)
def test_whatever_is_taken_and_given_back(acts):
    spans = Spans(COUNT)
    taken: dict[int, int] = {}
    for takes, number in acts:
        if takes:
            fits = number <= longest(taken)
            start = spans.take(number)
            assert fits == (start is not None)
            if start is not None:
                assert all(start + number <= other or other + length <= start for other, length in taken.items())
                taken[start] = number
        elif taken:
            start = sorted(taken)[number % len(taken)]
            spans.give_back(start, taken.pop(start))
        assert COUNT - sum(taken.values()) == spans.free
    for start, length in taken.items():
        spans.give_back(start, length)
    assert 0 == spans.take(COUNT)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_stretch_fits_whatever_is_not_longer(count, asked):
    assert (0 if asked <= count else None) == Spans(count).take(asked)


def test_of_two_lengths_of_one_class_the_longer_is_found():
    spans = Spans(16 + 17 + 16 + 2)
    starts = [spans.take(length) for length in (16, 1, 17, 1, 16)]
    for start, length in zip(starts[::2], (16, 17, 16), strict=True):
        spans.give_back(start, length)
    assert starts[2] == spans.take(17)
    assert spans.take(17) is None


def test_nothing_has_no_room():
    assert Spans(0).take(1) is None
