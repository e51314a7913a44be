"""Answers leave in the order in which it was asked, in each queue by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.in_turn import InTurn


@given(queues=st.lists(st.sampled_from("ab"), max_size=12), data=st.data())
def test_each_queue_keeps_its_order_whatever_the_order_of_the_answers(queues, data):
    turn: InTurn[int] = InTurn()
    for number, queue in enumerate(queues):
        turn.ask(queue, number)
    left = []
    for number in data.draw(st.permutations(range(len(queues)))):
        left.extend(turn.answer([number], number))
    for queue in "ab":
        assert [n for n in left if queues[n] == queue] == [n for n, one in enumerate(queues) if one == queue]
    assert (len(left), len(turn)) == (len(queues), 0)


@given(data=st.data(), count=st.integers(1, 12))
def test_an_answer_to_several_leaves_once_when_all_before_them_have(data, count):
    turn: InTurn[tuple[int, ...]] = InTurn()
    queues = [data.draw(st.sampled_from("abc")) for _ in range(count)]
    for number, queue in enumerate(queues):
        turn.ask(queue, number)
    owner = [data.draw(st.integers(0, 3)) for _ in range(count)]
    groups = [tuple(n for n in range(count) if owner[n] == one) for one in range(4)]
    groups = data.draw(st.permutations([group for group in groups if group]))
    left = []
    for group in groups:
        left.extend(turn.answer(group, group))
    assert sorted(left) == sorted(groups)
    assert len(turn) == 0


@given(data=st.data(), count=st.integers(1, 12))
def test_what_may_keep_its_order_in_all_queues_does(data, count):
    """The same things are asked in some queues, in the same order in each, and answered whole."""
    turn: InTurn[int] = InTurn()
    numbers = iter(range(1000))
    queues = [data.draw(st.sets(st.sampled_from("abc"), min_size=1)) for _ in range(count)]
    asked = []
    for several in queues:
        asked.append([next(numbers) for _ in several])
        for queue, number in zip(sorted(several), asked[-1], strict=True):
            turn.ask(queue, number)
    left = []
    for thing in data.draw(st.permutations(range(count))):
        left.extend(turn.answer(asked[thing], thing))
    assert (sorted(left), len(turn)) == (list(range(count)), 0)
    for queue in "abc":
        there = [thing for thing in left if queue in queues[thing]]
        assert there == sorted(there)


def test_two_that_are_each_before_the_other_leave_together():
    turn: InTurn[str] = InTurn()
    for queue, number in [("a", 1), ("a", 2), ("b", 3), ("b", 4)]:
        turn.ask(queue, number)
    assert turn.answer([1, 4], "one") == []
    assert turn.answer([2, 3], "other") == ["other", "one"]
    assert len(turn) == 0


def test_an_answer_waits_for_those_asked_before():
    turn: InTurn[str] = InTurn()
    turn.ask("camera", 1)
    turn.ask("camera", 2)
    assert turn.answer([2], "second") == []
    assert turn.answer([1], "first") == ["first", "second"]
