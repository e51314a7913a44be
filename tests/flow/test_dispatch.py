"""Whatever becomes of the replicas: each item is answered once, by the one that has its whole family."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streampy.flow.dispatch import Dispatch, Kept

WINDOW = 3
WAYS = ("a.out -> b.in", "a.out -> c.in")


class Replicas(RuleBasedStateMachine):
    """Replicas that come, take their leave, die, and answer what they have, or what they once had."""

    def __init__(self) -> None:
        super().__init__()
        self.dispatch: Dispatch[int, str] = Dispatch(WINDOW)
        self.born = 0
        self.names = 0
        self.at: dict[int, dict[int, Kept[int, str]]] = {}
        """What each replica was sent, by number."""
        self.past: list[tuple[int, list[int]]] = []
        """Answers of replicas that died before they were heard."""
        self.leaving: set[int] = set()
        self.ended: dict[int, str] = {}
        self.asked: dict[int, Kept[int, str]] = {}
        self.now = 0.0

    def send(self, what: list[Kept[int, str]]) -> None:
        assert [one.number for one in what] == sorted(one.number for one in what)
        for one in what:
            assert one.replica is not None
            self.at[one.replica][one.number] = one

    @rule()
    def a_replica_comes(self) -> None:
        self.names += 1
        self.at[self.names] = {}
        self.send(self.dispatch.came(self.names))

    @precondition(lambda self: self.at)
    @rule(data=st.data())
    def a_replica_dies(self, data: st.DataObject) -> None:
        dead = data.draw(st.sampled_from(sorted(self.at)))
        self.past.append((dead, list(self.at.pop(dead))))
        self.leaving.discard(dead)
        self.send(self.dispatch.went(dead))

    @precondition(lambda self: self.at)
    @rule(data=st.data())
    def a_replica_takes_its_leave(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(sorted(self.at)))
        self.leaving.add(one)
        self.dispatch.goes(one)

    @rule(family=st.integers(0, 4), way=st.sampled_from(WAYS), patience=st.sampled_from([2.0, float("inf")]))
    def an_item_is_given(self, family: int, way: str, patience: float) -> None:
        before = {replica: self.dispatch.load(replica) for replica in self.at}
        one = self.dispatch.keep("item", ("camera", family), way, self.now + patience)
        if one is None:
            return
        self.asked[one.number] = one
        if one.replica is None:
            assert not self.at.keys() - self.leaving
            return
        self.send([one])
        mates = [mate for mate in self.at[one.replica].values() if mate.family == one.family and mate is not one]
        assert mates or one.replica not in self.leaving
        of_way = [mate for mate in self.at[one.replica].values() if mate.way == way and mate.number not in self.ended]
        assert mates or len(of_way) <= WINDOW
        if not mates:
            free = [load for replica, load in before.items() if replica not in self.leaving]
            assert before[one.replica] == min(free) or min(free) >= WINDOW

    @rule(family=st.integers(0, 4))
    def there_are_news(self, family: int) -> None:
        one = self.dispatch.keep_news("news", ("camera", family))
        self.asked[one.number] = one
        if one.replica is not None:
            self.send([one])

    @precondition(lambda self: any(self.at.values()))
    @rule(data=st.data())
    def a_family_is_answered(self, data: st.DataObject) -> None:
        replica = data.draw(st.sampled_from([one for one, items in sorted(self.at.items()) if items]))
        family = data.draw(st.sampled_from(sorted({one.family for one in self.at[replica].values()})))
        numbers = [n for n, one in self.at[replica].items() if one.family == family]
        settled = self.dispatch.settle(replica, numbers)
        if any(self.ended.get(number) == "expired" for number in numbers) or not numbers:
            assert settled is None
            return
        assert settled is not None
        for one in settled:
            assert one.number not in self.ended
            self.ended[one.number] = "answered"
            del self.at[replica][one.number]

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def one_that_was_taken_for_dead_answers(self, data: st.DataObject) -> None:
        replica, numbers = data.draw(st.sampled_from(self.past))
        assert self.dispatch.settle(replica, numbers) is None

    @rule(seconds=st.sampled_from([0.5, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for one in self.dispatch.expire(self.now):
            assert one.until <= self.now
            assert one.number not in self.ended
            self.ended[one.number] = "expired"
        assert self.dispatch.due > self.now

    @invariant()
    def nothing_is_lost(self) -> None:
        waiting = {number for number in self.asked if number not in self.ended}
        assert len(self.dispatch) == len(waiting)
        if set(self.at) - self.leaving:
            assert {n for items in self.at.values() for n in items if n in waiting} == waiting

    @invariant()
    def a_family_is_at_one_place(self) -> None:
        for number, one in self.asked.items():
            if number not in self.ended:
                mates = [mate for n, mate in self.asked.items() if n not in self.ended and mate.family == one.family]
                assert len({mate.replica for mate in mates}) == 1


Replicas.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestReplicas = Replicas.TestCase


def test_the_window_holds_back_families_and_not_the_parts_of_one_that_wait_for_each_other_there():
    dispatch: Dispatch[str, int] = Dispatch(window=1)
    dispatch.came("core")
    dispatch.gather("crops")
    assert dispatch.keep(1, ("camera", 1), "crops") is not None
    assert dispatch.keep(2, ("camera", 1), "crops") is not None
    assert dispatch.keep(3, ("camera", 2), "crops") is None
    assert dispatch.keep(4, ("camera", 1), "frames") is not None
    assert dispatch.keep(5, ("camera", 1), "frames") is None


def test_no_window_holds_back_where_items_wait_for_those_behind_them():
    dispatch: Dispatch[str, int] = Dispatch(window=1)
    dispatch.came("core")
    dispatch.lift("windows")
    assert all(dispatch.keep(number, ("camera", number), "windows") for number in range(10))
    dispatch.choke("core")
    assert dispatch.keep(10, ("camera", 10), "windows") is None


def test_replicas_that_have_as_little_to_do_take_turns():
    dispatch: Dispatch[str, int] = Dispatch(window=4)
    for name in ("one", "two", "three"):
        dispatch.came(name)
    given = []
    for number in range(6):
        kept = dispatch.keep(number, ("camera", number), "way")
        assert kept is not None
        given.append(kept.replica)
        dispatch.settle(kept.replica, [kept.number])
    assert ["one", "two", "three", "one", "two", "three"] == given


def test_deadlines_of_what_was_answered_are_not_kept():
    dispatch: Dispatch[str, int] = Dispatch(window=4)
    dispatch.came("core")
    for number in range(1000):
        kept = dispatch.keep(number, ("camera", number), "way", until=1e6 + number)
        assert kept is not None
        dispatch.settle("core", [kept.number])
    assert len(dispatch._deadlines) < 100
