"""What is done is remembered exactly, in memory that does not grow."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.keys import Done, Keys
from streampy.model.item import Header
from streampy.model.pipe import Join
from streampy.model.plan import JoinPlan, Share

ROOM = 4 * 0 + 64
"""What a Done for a table of no room remembers at the least."""


@given(added=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), max_size=60))
def test_a_number_is_done_if_and_only_if_it_was_added(added):
    done = Done(0)
    for at, key in enumerate(added):
        done.add(key)
        expected = set(added[: at + 1])
        assert {(stream, seq) for stream in "ab" for seq in range(45) if done.has((stream, seq))} == expected


@given(added=st.lists(st.integers(0, 1_000), unique=True, max_size=200))
def test_whatever_was_added_is_done_for_ever(added):
    done = Done(0)
    for number in added:
        assert done.has(("a", number)) or number not in added[: added.index(number)]
        done.add(("a", number))
    assert all(done.has(("a", number)) for number in added)


@given(order=st.permutations(range(50)))
def test_numbers_that_came_in_any_order_leave_nothing_behind(order):
    done = Done(100)
    for number in order:
        done.add(("a", number))
    assert [done.has(("a", number)) for number in (0, 49, 50)] == [True, True, False]
    assert done._numbers["a"].starts == []


def test_one_that_is_missing_for_long_can_still_come():
    done = Done(0)
    for number in (*range(5), *range(6, 100_000)):
        done.add(("a", number))
    assert not done.has(("a", 5))
    done.add(("a", 5))
    assert done.has(("a", 5))


def test_of_many_that_never_come_the_oldest_are_forgotten():
    done = Done(0)
    for number in range(0, 2_000, 2):
        done.add(("a", number))
    assert done.has(("a", 1))
    assert not done.has(("a", 1_997))
    assert len(done._numbers["a"].starts) == ROOM


def test_other_keys_are_remembered_until_so_many_more_are_done():
    done = Done(0)
    for number in range(1_000):
        done.add(("a", number, 0))
    assert [done.has(("a", number, 0)) for number in (0, 1_000 - ROOM - 1, 1_000 - ROOM, 999)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "keys",
    [
        lambda number: ("camera", number),
        lambda number: ("camera", 2 * number),
        lambda number: (f"camera{number % 3}", number // 3),
        lambda number: ("camera", number, 0),
        lambda number: (f"value {number}",),
    ],
    ids=["in order", "every second one missing", "three streams", "parts", "values"],
)
def test_memory_stays_flat(keys):
    done = Done(16)
    tracemalloc.start()
    try:
        for number in range(2_000):
            done.add(keys(number))
        early = tracemalloc.get_traced_memory()[0]
        for number in range(2_000, 50_000):
            done.add(keys(number))
        assert abs(tracemalloc.get_traced_memory()[0] - early) < 5_000
    finally:
        tracemalloc.stop()


def keys_of(join: Join, depth: int = 0) -> Keys:
    share = {"left": Share(1, 0)}
    return Keys(JoinPlan(join, {"camera": depth}, {"camera": share}, frozenset(), frozenset()), ("left",))


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(0, ("camera", 3)), (1, ("camera", 3, 5)), (2, ("camera", 3, 5, 7))],
)
def test_the_inherited_key_is_as_much_of_the_path_as_all_inputs_share(depth, expected):
    header = Header("camera", 3, 0.0, (5, 7))
    keys = keys_of(Join(), depth)
    assert keys.of(header, None) == expected
    assert keys.header("join", header, [header]) == Header("camera", 3, 0.0, expected[2:])


def test_workers_of_a_source_are_lanes_of_their_own():
    keys = keys_of(Join())
    assert keys.lane(Header("camera#1", 0, 0.0)) == "camera#1"
    assert keys.of(Header("camera#1", 0, 0.0), None) == ("camera#1", 0)


def test_where_streams_are_mixed_the_new_items_are_numbered_and_as_old_as_the_oldest():
    keys = keys_of(Join(key="seq"))
    arrived = [Header("left", 8, 5.0), Header("right", 8, 4.0)]
    assert keys.lane(arrived[0]) == keys.lane(arrived[1])
    assert [keys.header("join", arrived[0], arrived) for _ in range(2)] == [
        Header("join", 0, 4.0),
        Header("join", 1, 4.0),
    ]
