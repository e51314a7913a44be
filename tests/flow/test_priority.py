"""By priority: the highest first, equal ones as they came; nothing is lost unseen, and what is dropped counts least."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streampy.flow.batcher import Batcher, Overloaded
from streampy.flow.priority import PriorityBatcher, make_batcher
from streampy.model.item import Batch, Header
from streampy.model.pipe import Overflow, Pipe

PRIORITIES = st.sampled_from([-1, 0, 0.5, 2, 2, 7])


def weigh(value: int) -> int:
    """Each value is its own weight."""
    return value


def header(number: int, priority: float = 0.0, **more: float) -> Header:
    return Header("test", number, more.pop("born", 0.0), meta={"priority": priority}, **more)


def batch_of(*priorities: float, first: int = 0) -> Batch[int]:
    return Batch([1] * len(priorities), [header(first + n, one) for n, one in enumerate(priorities)])


def seqs(headers: list[Header]) -> list[int]:
    return [one.seq for one in headers]


def by_priority(**pipe: object) -> PriorityBatcher:
    return PriorityBatcher(Pipe(order="priority", **pipe), weigh)


@st.composite
def pipes(draw: st.DrawFn) -> Pipe:
    capacity = draw(st.integers(1, 5))
    return Pipe(
        capacity=capacity,
        batch=draw(st.integers(1, capacity)),
        bytes=draw(st.sampled_from([inf, inf, 5, 12])),
        wait=draw(st.sampled_from([0.0, 1.0, inf])),
        overflow=draw(st.sampled_from(Overflow)),
        stale=draw(st.sampled_from([inf, inf, 2.0])),
        order="priority",
    )


class AnyUse(RuleBasedStateMachine):
    """A pipe of any settings, used in any way."""

    @initialize(pipe=pipes())
    def begin(self, pipe):
        self.pipe = pipe
        self.batcher = make_batcher(pipe, weigh)
        self.priority: dict[int, float] = {}
        self.weight: dict[int, int] = {}
        self.since: dict[int, float] = {}
        self.waiting: list[int] = []
        self.gone = self.count = 0
        self.now = 0.0

    def rank(self, number: int) -> tuple[float, int]:
        """The order in which items are to be served."""
        return -self.priority[number], number

    @rule(
        items=st.lists(st.tuples(PRIORITIES, st.integers(0, 8)), max_size=6),
        start=st.integers(0, 2),
        age=st.sampled_from([0.0, 1.0, 5.0]),
        deadline=st.sampled_from([inf, inf, 1.0]),
    )
    def offer(self, items, start, age, deadline):
        start = min(start, len(items))
        numbers = range(self.count, self.count + len(items))
        self.count += len(items)
        headers = [
            header(n, priority, born=self.now - age, deadline=self.now + deadline)
            for n, (priority, _) in zip(numbers, items, strict=True)
        ]
        self.priority.update(zip(numbers, [priority for priority, _ in items], strict=True))
        self.weight.update(zip(numbers, [weight for _, weight in items], strict=True))
        before = self.batcher.received
        try:
            taken, dropped = self.batcher.offer(Batch([weight for _, weight in items], headers), start, self.now)
        except Overloaded:
            assert self.pipe.overflow is Overflow.FAIL
            taken, dropped = self.batcher.received - before, []
            assert start + taken < len(items)
        else:
            assert self.pipe.overflow is Overflow.BLOCK or start + taken == len(items)
        assert dropped == [] or self.pipe.overflow not in (Overflow.BLOCK, Overflow.FAIL)
        accepted = list(numbers)[start : start + taken]
        self.since.update(dict.fromkeys(accepted, self.now))
        there = [*self.waiting, *accepted]
        assert set(seqs(dropped)) <= set(there)
        self.waiting = [number for number in there if number not in seqs(dropped)]
        self.gone += len(dropped)
        self.what_was_dropped_counts_least(seqs(dropped))

    def what_was_dropped_counts_least(self, dropped):
        if self.pipe.bytes < inf:
            return  # then a light item may stay where a heavier one of a higher priority did not fit
        keeps_newest = self.pipe.overflow is not Overflow.DROP_NEWEST
        for lost in dropped:
            for kept in self.waiting:
                assert self.priority[lost] <= self.priority[kept]
                if self.priority[lost] == self.priority[kept]:
                    assert lost < kept if keeps_newest else lost > kept

    @rule(at_most=st.sampled_from([1, 2, 6, inf]))
    def take(self, at_most):
        handed = self.batcher.hand_over(self.now, at_most)
        assert len(handed.batch) <= at_most
        assert [self.weight[n] for n in seqs(handed.batch.headers)] == list(handed.batch)
        assert not any(self.is_stale(one) for one in handed.batch.headers)
        assert all(self.is_stale(one) for one in handed.stale)
        fresh, stale = seqs(handed.batch.headers), seqs(handed.stale)
        assert fresh == sorted(fresh, key=self.rank)
        assert sorted([*fresh, *stale], key=self.rank) == sorted(self.waiting, key=self.rank)[: len(fresh) + len(stale)]
        assert len(fresh) == at_most or len(fresh) + len(stale) == len(self.waiting)
        self.waiting = [number for number in self.waiting if number not in (*fresh, *stale)]
        self.gone += len(fresh) + len(stale)

    def is_stale(self, one: Header) -> bool:
        return self.now - one.born > self.pipe.stale or self.now > one.deadline

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def nothing_is_lost(self):
        counted = self.batcher.delivered + self.batcher.dropped + self.batcher.expired
        assert counted == self.gone
        assert len(self.batcher) == len(self.waiting) == self.batcher.received - counted

    @invariant()
    def no_bound_is_exceeded(self):
        capacity = 1 if self.pipe.overflow is Overflow.LATEST else self.pipe.capacity
        assert len(self.batcher) <= self.batcher.high_water <= capacity
        assert sum(self.weight[number] for number in self.waiting) <= self.pipe.bytes or len(self.batcher) == 1

    @invariant()
    def no_batch_waits_longer_than_its_settings_say(self):
        due = self.batcher.due(is_last=False)
        assert self.batcher.due(is_last=True) == (0.0 if self.waiting else inf)
        if not self.waiting:
            assert due == inf
        elif len(self.waiting) >= self.pipe.batch or not self.pipe.wait:
            assert due == 0.0
        else:
            assert due <= min(self.since[number] for number in self.waiting) + self.pipe.wait

    def teardown(self):
        if hasattr(self, "batcher"):
            self.take(inf)
            assert self.waiting == []


AnyUse.TestCase.settings = settings(max_examples=150, stateful_step_count=30)
TestABatcherByPriorityInAnyUse = AnyUse.TestCase


USES = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.lists(st.integers(0, 8), max_size=5)),
        st.tuples(st.just("take"), st.sampled_from([1, 2, inf])),
    ),
    max_size=20,
)


@given(pipe=pipes(), uses=USES)
def test_with_equal_priorities_it_does_what_a_plain_batcher_does(pipe, uses):
    plain, other = Batcher(pipe, weigh), PriorityBatcher(pipe, weigh)
    for now, (use, argument) in enumerate(uses):
        got = []
        for batcher in (plain, other):
            if use == "offer":
                batch = Batch(argument, [Header("test", 10 * now + n, now) for n in range(len(argument))])
                try:
                    got.append(batcher.offer(batch, 0, now))
                except Overloaded:
                    got.append("overloaded")
            else:
                got.append(batcher.hand_over(now, argument))
            got.append((len(batcher), batcher.is_full, batcher.due(is_last=False), batcher.high_water))
        half = len(got) // 2
        assert got[:half] == got[half:]


OVERFLOWS = [
    ("drop_oldest", [3, 1, 1, 2, 0], [1, 4], [0, 3, 2]),
    ("drop_newest", [3, 1, 1, 2, 0], [2, 4], [0, 3, 1]),
    ("drop_newest", [1, 1, 1, 1], [3], [0, 1, 2]),
    ("drop_oldest", [1, 1, 1, 1], [0], [1, 2, 3]),
    ("latest", [0, 2, 1, 2], [0, 2, 1], [3]),
]


@pytest.mark.parametrize(("overflow", "priorities", "dropped", "kept"), OVERFLOWS)
def test_a_full_pipe_keeps_the_highest(overflow, priorities, dropped, kept):
    batcher = by_priority(capacity=3, overflow=overflow)
    taken, lost = batcher.offer(batch_of(*priorities), 0, 0.0)
    assert (taken, seqs(lost)) == (len(priorities), dropped)
    assert seqs(batcher.hand_over(0.0, inf).batch.headers) == kept


def test_a_heavy_item_pushes_out_no_one_if_it_does_not_fit_all_the_same():
    batcher = by_priority(bytes=10, overflow="drop_oldest")
    batcher.offer(Batch([4, 4], [header(0, 5), header(1, 0)]), 0, 0.0)
    assert batcher.offer(Batch([7], [header(2, 1)]), 0, 0.0) == (1, [header(2, 1)])
    assert len(batcher) == 2


def test_only_as_many_are_pushed_out_as_are_in_the_way():
    batcher = by_priority(bytes=10, overflow="drop_newest")
    batcher.offer(Batch([2, 7], [header(0, 0), header(1, 0)]), 0, 0.0)
    taken, lost = batcher.offer(Batch([8], [header(2, 1)]), 0, 0.0)
    assert (taken, seqs(lost), len(batcher)) == (1, [1], 2)


def test_a_batch_is_due_when_the_one_that_waits_longest_waited_long_enough_whatever_its_priority():
    batcher = by_priority(batch=8, wait=1.0)
    batcher.offer(batch_of(0), 0, 5.0)
    batcher.offer(batch_of(7, first=1), 0, 5.5)
    assert batcher.due(is_last=False) == 6.0


@pytest.mark.parametrize("priority", ["high", None, nan, [1], 1j])
def test_a_priority_that_is_no_number_is_told_before_anything_is_taken(priority):
    batcher = by_priority()
    batch = batch_of(1, 2)
    batch.headers[1] = header(1, priority)
    with pytest.raises(ValueError) as refused:
        batcher.offer(batch, 0, 0.0)
    assert str(refused.value) == f'item test #1: its meta["priority"] is {priority!r}, expected a number'
    assert (len(batcher), batcher.received) == (0, 0)


def test_whatever_is_a_number_is_a_priority_and_none_is_0():
    batcher = by_priority()
    batch = Batch([1] * 4, [header(0, Fraction(1, 3)), Header("test", 1, 0.0), header(2, -inf), header(3, True)])
    batcher.offer(batch, 0, 0.0)
    assert seqs(batcher.hand_over(0.0, inf).batch.headers) == [3, 0, 1, 2]


def test_where_nobody_asked_for_priorities_they_are_not_looked_at():
    batcher = make_batcher(Pipe(rate="1/h"), weigh)
    batcher.offer(batch_of("high", 3), 0, 0.0)
    assert seqs(batcher.hand_over(0.0, 1).batch.headers) == [0]


def test_without_bounds_everything_fits():
    batcher = by_priority(capacity=1, bytes=1)
    batcher.offer(Batch([5], [header(0)]), 0, 0.0)
    batcher.lift_bounds()
    assert not batcher.is_full
    assert batcher.offer(batch_of(*range(100), first=1), 0, 0.0) == (100, [])
    assert seqs(batcher.hand_over(0.0, inf).batch.headers) == [*range(100, 1, -1), 0, 1]


def test_what_nobody_will_take_is_dropped():
    batcher = by_priority(bytes=10)
    batcher.offer(batch_of(0, 7, 0), 0, 0.0)
    assert seqs(batcher.drop_all()) == [1, 0, 2]
    assert (len(batcher), batcher.dropped, batcher.received, batcher.due(is_last=True)) == (0, 3, 3, inf)


def test_single_items_take_no_short_way_past_the_order():
    batcher = by_priority()
    assert not batcher.let_in(header(0), 1, 0.0)
    assert len(batcher) == 0


@pytest.mark.parametrize(
    ("pipe", "kind"),
    [
        (Pipe(), Batcher),
        (Pipe(capacity=3, bytes=4, stale=2.0, wait=1.0, batch=2), Batcher),
        (Pipe(order="priority"), PriorityBatcher),
        (Pipe(rate=10), PriorityBatcher),
    ],
)
def test_only_who_asks_for_it_pays_for_it(pipe, kind):
    assert type(make_batcher(pipe, weigh)) is kind


@given(
    rate=st.sampled_from([0.5, 10.0, 1000.0]),
    batch=st.integers(1, 4),
    arrivals=st.lists(st.tuples(st.sampled_from([0.0, 0.05, 0.3, 1.0, 5.0]), st.integers(0, 9)), max_size=30),
    late=st.lists(st.sampled_from([0.0, 0.01, 0.09, 0.5, 3.0]), min_size=1, max_size=8),
)
def test_no_more_than_the_rate_is_handed_over_in_any_time(rate, batch, arrivals, late):
    """Whoever waits comes `late`, in times of one item, behind when a batch is due."""
    batcher = make_batcher(Pipe(rate=rate, batch=batch, capacity=1000), weigh)
    handed: list[tuple[float, int]] = []
    now, count, turn = 0.0, 0, 0
    for pause, several in [*arrivals, (inf, 0)]:
        until = now + pause / rate if pause < inf else inf
        while (due := batcher.due(is_last=False)) < until:
            now = max(now, due) + late[turn % len(late)] / rate
            turn += 1
            handed.append((now, len(batcher.hand_over(now, 64).batch)))
        now = max(now, until) if until < inf else now
        batcher.offer(Batch(range(several), [Header("test", count + n, now) for n in range(several)]), 0, now)
        count += several
    assert sum(size for _, size in handed) == count
    assert all(0 < size <= batch for _, size in handed)
    for first, (start, _) in enumerate(handed):
        passed = 0
        for (_, size), (end, _) in zip(handed[first:], handed[first + 1 :], strict=False):
            passed += size
            assert passed <= rate * (end - start) + 0.1 + 1e-6


def test_the_rate_is_reached_by_who_comes_a_little_late():
    batcher = make_batcher(Pipe(rate=10, capacity=1000), weigh)
    batcher.offer(Batch(range(100), [Header("test", n, 0.0) for n in range(100)]), 0, 0.0)
    times = []
    for _ in range(100):
        now = max(0.0, batcher.due(is_last=False)) + 0.005
        batcher.hand_over(now, 1)
        times.append(now)
    assert times[-1] == pytest.approx(9.9 + 0.005, abs=0.01)


def test_who_did_not_use_its_rate_for_a_while_has_saved_nothing():
    batcher = make_batcher(Pipe(rate=10), weigh)
    handed = defaultdict(int)
    for now in (0.0, 100.0):
        batcher.offer(Batch([1, 2, 3], [Header("test", n, now) for n in range(3)]), 0, now)
        while batcher.due(is_last=True) <= now:
            handed[now] += len(batcher.hand_over(now, 64).batch)
        batcher.hand_over(now + 50.0, 64)
        batcher.hand_over(now + 60.0, 64)
    assert handed == {0.0: 1, 100.0: 1}


def test_stale_items_take_nothing_from_the_rate():
    batcher = make_batcher(Pipe(rate=10, stale=1.0), weigh)
    batcher.offer(Batch([1, 2], [Header("test", 0, -5.0), Header("test", 1, 0.0)]), 0, 0.0)
    handed = batcher.hand_over(0.0, 64)
    assert (seqs(handed.stale), seqs(handed.batch.headers)) == ([0], [1])
    assert batcher.due(is_last=False) == inf


def test_the_end_does_not_hurry():
    batcher = make_batcher(Pipe(rate=10), weigh)
    batcher.offer(batch_of(0, 0), 0, 0.0)
    batcher.hand_over(0.0, 64)
    assert batcher.due(is_last=True) == pytest.approx(0.1)
