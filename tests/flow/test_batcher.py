"""Whatever is offered and taken: nothing is lost unseen, the order is kept, and no bound is exceeded."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streampy.flow.batcher import Batcher, Overloaded
from streampy.model.headers import Headers
from streampy.model.item import Batch, Header
from streampy.model.pipe import Overflow, Pipe


def weigh(value: int) -> int:
    """Each value is its own weight."""
    return value


def batch_of(*values: int, first: int = 0, born: float = 0.0) -> Batch[int]:
    return Batch(values, [Header("test", first + number, born) for number in range(len(values))])


def seqs(headers: list[Header]) -> list[int]:
    return [header.seq for header in headers]


@st.composite
def pipes(draw: st.DrawFn, *policies: Overflow) -> Pipe:
    capacity = draw(st.integers(1, 6))
    return Pipe(
        capacity=capacity,
        batch=draw(st.integers(1, capacity)),
        bytes=draw(st.sampled_from([inf, inf, 1, 5, 12])),
        wait=draw(st.sampled_from([0.0, 1.0, inf])),
        overflow=draw(st.sampled_from(policies or tuple(Overflow))),
        stale=draw(st.sampled_from([inf, inf, 2.0])),
    )


@dataclass
class Fate:
    """What became of the items, in order."""

    offered: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)


class AnyUse(RuleBasedStateMachine):
    """A pipe of any settings, used in any way."""

    @initialize(pipe=pipes())
    def begin(self, pipe):
        self.pipe = pipe
        self.batcher = Batcher(pipe, weigh)
        self.fate = Fate()
        self.weights: dict[int, int] = {}
        self.since: dict[int, float] = {}
        self.now = 0.0
        self.count = 0

    @property
    def waiting(self) -> list[int]:
        gone = {*self.fate.dropped, *self.fate.delivered, *self.fate.stale}
        return [number for number in self.fate.offered if number not in gone]

    @rule(
        values=st.lists(st.integers(0, 8), max_size=5),
        start=st.integers(0, 2),
        age=st.sampled_from([0.0, 1.0, 5.0]),
        deadline=st.sampled_from([inf, inf, 1.0]),
        as_columns=st.booleans(),
    )
    def offer(self, values, start, age, deadline, as_columns):
        start = min(start, len(values))
        numbers = range(self.count, self.count + len(values))
        self.count += len(values)
        headers = [Header("test", n, self.now - age, deadline=self.now + deadline) for n in numbers]
        batch = Batch(values, Headers.of(headers) if as_columns and headers else headers)
        before = self.batcher.received
        try:
            taken, dropped = self.batcher.offer(batch, start, self.now)
        except Overloaded:
            assert self.pipe.overflow is Overflow.FAIL
            taken, dropped = self.batcher.received - before, []
            assert start + taken < len(values)
        else:
            assert self.pipe.overflow is Overflow.BLOCK or start + taken == len(values)
        assert dropped == [] or self.pipe.overflow not in (Overflow.BLOCK, Overflow.FAIL)
        accepted = list(numbers)[start : start + taken]
        self.fate.offered += accepted
        self.fate.dropped += seqs(dropped)
        self.weights.update(zip(numbers, values, strict=True))
        self.since.update(dict.fromkeys(accepted, self.now))

    @rule(value=st.integers(0, 8), age=st.sampled_from([0.0, 5.0]), deadline=st.sampled_from([inf, 1.0]))
    def let_in(self, value, age, deadline):
        number = self.count
        self.count += 1
        header = Header("test", number, self.now - age, deadline=self.now + deadline)
        has_room = len(self.waiting) < (1 if self.pipe.overflow is Overflow.LATEST else self.pipe.capacity)
        taken = self.batcher.let_in(header, value, self.now)
        assert taken == (has_room and self.pipe.bytes == inf)
        if taken:
            self.fate.offered.append(number)
            self.weights[number] = value
            self.since[number] = self.now

    @rule(at_most=st.sampled_from([1, 2, 6, inf]))
    def take(self, at_most):
        handed = self.batcher.hand_over(self.now, at_most)
        assert len(handed.batch) <= at_most
        assert [self.weights[n] for n in seqs(handed.batch.headers)] == list(handed.batch)
        assert not any(self.is_stale(header) for header in handed.batch.headers)
        assert all(self.is_stale(header) for header in handed.stale)
        self.fate.delivered += seqs(handed.batch.headers)
        self.fate.stale += seqs(handed.stale)

    def is_stale(self, header: Header) -> bool:
        return self.now - header.born > self.pipe.stale or self.now > header.deadline

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def nothing_is_lost(self):
        counted = self.batcher.delivered + self.batcher.dropped + self.batcher.expired
        assert self.batcher.received == len(self.fate.offered) == counted + len(self.batcher)
        assert len(self.batcher) == len(self.waiting)
        assert self.batcher.dropped == len(self.fate.dropped)
        assert self.batcher.expired == len(self.fate.stale)

    @invariant()
    def the_order_is_kept(self):
        assert self.fate.delivered == sorted(self.fate.delivered)
        assert not self.waiting or not self.fate.delivered or self.fate.delivered[-1] < self.waiting[0]

    @invariant()
    def no_bound_is_exceeded(self):
        capacity = 1 if self.pipe.overflow is Overflow.LATEST else self.pipe.capacity
        weight = sum(self.weights[number] for number in self.waiting)
        assert len(self.batcher) <= self.batcher.high_water <= capacity
        assert weight <= self.pipe.bytes or len(self.batcher) == 1

    @invariant()
    def no_batch_waits_longer_than_its_settings_say(self):
        due = self.batcher.due(is_last=False)
        assert self.batcher.due(is_last=True) == (0.0 if self.waiting else inf)
        if not self.waiting:
            assert due == inf
        elif len(self.waiting) >= self.pipe.batch or not self.pipe.wait:
            assert due == 0.0
        else:
            assert due <= self.since[self.waiting[0]] + self.pipe.wait

    def teardown(self):
        if hasattr(self, "batcher"):
            self.take(inf)
            assert self.waiting == []


AnyUse.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestABatcherInAnyUse = AnyUse.TestCase


@given(pipe=pipes(Overflow.BLOCK), values=st.lists(st.integers(0, 8), max_size=20))
def test_a_pipe_that_blocks_takes_all_bit_by_bit_and_each_batch_comes_by_itself(pipe, values):
    batcher = Batcher(pipe, weigh)
    batch = batch_of(*values)
    start, delivered = 0, []
    while start < len(batch):
        taken, dropped = batcher.offer(batch, start, 0.0)
        assert dropped == []
        start += taken
        if start < len(batch):
            assert batcher.due(is_last=False) == 0.0  # whatever `wait`: it can't become fuller
            delivered += seqs(batcher.hand_over(0.0, pipe.batch).batch.headers)
    delivered += seqs(batcher.hand_over(0.0, inf).batch.headers)
    assert delivered == list(range(len(values)))


def test_each_item_has_waited_since_it_came():
    batcher = Batcher(Pipe(capacity=8), weigh)
    for now, batch in ((0.0, batch_of(1, 2)), (1.0, batch_of(3))):
        batcher.offer(batch, 0, now)
    batcher.hand_over(4.0, inf)
    assert (3, 11 / 3, 4.0) == (batcher.waits.count, batcher.waits.summary().mean, batcher.waits.summary().max)
    batcher.offer(batch_of(4, 5), 0, 5.0)
    batcher.hand_over(5.5, inf)
    assert (5, 12.0) == (batcher.waits.count, batcher.waits.total)


@pytest.mark.parametrize(
    ("overflow", "dropped", "kept"),
    [
        ("drop_oldest", [0, 1], [2, 3, 4]),
        ("drop_newest", [3, 4], [0, 1, 2]),
        ("latest", [0, 1, 2, 3], [4]),
    ],
)
def test_a_full_pipe_drops_as_its_policy_says(overflow, dropped, kept):
    batcher = Batcher(Pipe(capacity=3, overflow=overflow), weigh)
    taken, lost = batcher.offer(batch_of(1, 1, 1, 1, 1), 0, 0.0)
    assert (taken, seqs(lost)) == (5, dropped)
    assert seqs(batcher.hand_over(0.0, inf).batch.headers) == kept


def test_an_overload_that_is_an_error_still_counts_what_was_taken():
    batcher = Batcher(Pipe(capacity=2, overflow="fail"), weigh)
    with pytest.raises(Overloaded):
        batcher.offer(batch_of(1, 1, 1), 0, 0.0)
    assert (batcher.received, len(batcher)) == (2, 2)


def test_an_item_heavier_than_the_bound_passes_an_empty_pipe():
    batcher = Batcher(Pipe(bytes=10), weigh)
    assert batcher.offer(batch_of(100, 1), 0, 0.0) == (1, [])
    assert list(batcher.hand_over(0.0, inf).batch) == [100]
    assert batcher.offer(batch_of(100, 1), 1, 0.0) == (1, [])


def test_a_value_that_grows_while_it_waits_weighs_what_it_did():
    batcher = Batcher(Pipe(bytes=10), len)
    value = [1, 2, 3, 4]
    batcher.offer(Batch([value, [5]], [Header("test", 0, 0.0), Header("test", 1, 0.0)]), 0, 0.0)
    value.extend(range(100))
    batcher.hand_over(0.0, 1)
    assert batcher.offer(Batch([[0] * 9], [Header("test", 2, 0.0)]), 0, 0.0) == (1, [])


@pytest.mark.parametrize(
    ("pipe", "values"),
    [
        (Pipe(capacity=8, batch=4, wait=1.0), (1,) * 4),
        (Pipe(capacity=8, batch=8, wait=1.0, bytes=5), (2, 2, 2)),
        (Pipe(capacity=8, batch=8, wait=1.0, bytes=4), (2, 2)),
        (Pipe(capacity=8, batch=8, wait=1.0, overflow="latest"), (1,)),
    ],
    ids=["full batch", "the next is too heavy", "full by weight", "only the latest waits"],
)
def test_a_batch_that_can_not_become_fuller_is_due_at_once(pipe, values):
    batcher = Batcher(pipe, weigh)
    batcher.offer(batch_of(*values), 0, 0.0)
    assert batcher.due(is_last=False) == 0.0


def test_a_batch_that_can_become_fuller_is_due_when_its_oldest_item_waited_long_enough():
    batcher = Batcher(Pipe(batch=8, wait=1.0), weigh)
    batcher.offer(batch_of(1), 0, 5.0)
    batcher.offer(batch_of(1, first=1), 0, 5.5)
    assert batcher.due(is_last=False) == 6.0
    assert batcher.due(is_last=True) == 0.0


def test_stale_items_make_room_for_fresh_ones_in_the_same_batch():
    batcher = Batcher(Pipe(batch=2, stale=1.0), weigh)
    batcher.offer(batch_of(1, 2, born=0.0), 0, 0.0)
    batcher.offer(batch_of(3, 4, first=2, born=9.5), 0, 9.5)
    handed = batcher.hand_over(10.0, 2)
    assert seqs(handed.stale) == [0, 1]
    assert seqs(handed.batch.headers) == [2, 3]


def whole(first: int, count: int) -> Batch[int]:
    """A batch as a source gives it, or another OS process."""
    return Batch(range(first, first + count), Headers.born_at_once("test", range(first, first + count), 0.0))


def test_a_batch_that_nobody_looks_into_is_handed_over_as_it_came():
    batcher = Batcher(Pipe(capacity=8, batch=4), weigh)
    batch = whole(0, 4)
    batcher.offer(batch, 0, 1.0)
    batcher.offer(whole(4, 4), 0, 1.0)
    assert batcher.hand_over(3.0, 4).batch is batch
    assert (4, 8.0) == (batcher.waits.count, batcher.waits.total)
    assert (1, 4, 4) == (batcher.batches.count, batcher.delivered, len(batcher))


@pytest.mark.parametrize("at_most", [1, 3, 4, 5, 6, 7, 11, inf])
def test_batches_become_larger_and_smaller_ones_where_a_unit_asks_for_those(at_most):
    batcher = Batcher(Pipe(capacity=16, batch=int(min(at_most, 16))), weigh)
    for first in (0, 4, 8):
        batcher.offer(whole(first, 4), 0, 0.0)
    numbers: list[int] = []
    while len(batcher):
        batch = batcher.hand_over(0.0, at_most).batch
        assert len(batch) == min(at_most, 12 - len(numbers))
        assert list(batch) == seqs(list(batch.headers))
        numbers += batch
    assert numbers == [*range(12)]


def test_waits_and_sizes_of_batches_are_measured():
    batcher = Batcher(Pipe(batch=4), weigh)
    batcher.offer(batch_of(1, 1, 1), 0, 1.0)
    batcher.hand_over(3.0, 4)
    assert (batcher.waits.summary().count, batcher.waits.summary().max) == (3, 2.0)
    assert (batcher.batches.summary().count, batcher.batches.summary().max) == (1, 3.0)


def test_a_pipe_is_overloaded_from_the_first_item_that_did_not_fit_until_a_batch_is_taken():
    batcher = Batcher(Pipe(capacity=8, bytes=5), weigh)
    batcher.offer(batch_of(2, 2), 0, 0.0)
    assert not batcher.is_full
    assert batcher.offer(batch_of(2), 0, 0.0) == (0, [])
    assert batcher.is_full
    batcher.hand_over(0.0, 1)
    assert not batcher.is_full


def test_without_bounds_everything_fits():
    batcher = Batcher(Pipe(capacity=1, bytes=1), weigh)
    batcher.offer(batch_of(5), 0, 0.0)
    batcher.lift_bounds()
    assert not batcher.is_full
    assert batcher.offer(batch_of(*range(100)), 0, 0.0) == (100, [])
    assert len(batcher.hand_over(0.0, inf).batch) == 101
