"""What was lent is held until nobody has it over there, whatever became of the message, the value, or the other end."""

from __future__ import annotations

import gc
import pickle
from collections import Counter
from threading import Lock

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streampy.memory.arena import FULL, Arena
from streampy.memory.generations import Gone
from streampy.memory.loans import Loans
from streampy.memory.regions import Regions
from streampy.memory.sweep import name_run

FRAME = np.arange(60_000, dtype=np.uint8)


class Explosive:
    """Fails where it is unpickled."""

    def __reduce__(self):
        return _explode, ()


def _explode() -> None:
    raise RuntimeError("boom")


def test_a_loan_is_returned_when_nothing_of_the_value_is_left_there(ends):
    back = ends.send(FRAME)
    assert (1, 1) == (ends.settle(), ends.blocks)
    line = back[5:6]
    del back
    assert (1, 0) == (ends.settle(), ends.woken)
    del line
    assert 1 == ends.woken
    assert (0, 0) == (ends.settle(), ends.blocks)


def test_a_value_that_is_never_opened_is_returned_too(ends):
    sealed = ends.send(FRAME, opened=False)
    assert 1 == ends.settle()
    np.testing.assert_equal(sealed.open(), FRAME)
    del sealed
    assert 0 == ends.settle()


def test_one_block_is_lent_as_often_as_it_is_sent(ends):
    sealed = ends.arena.seal(FRAME)
    backs = [ends.there.loads(ends.here.dumps(sealed)) for _ in range(3)]
    del sealed
    assert (3, 1) == (ends.settle(), ends.blocks)
    del backs[:2]
    assert (1, 1) == (ends.settle(), ends.blocks)
    del backs
    assert (0, 0) == (ends.settle(), ends.blocks)


def test_sealed_values_come_out_wherever_they_are_nested_in_a_message(ends):
    arena = ends.arena
    message = [1, "a", ("x", arena.seal(FRAME)), {"k": [arena.seal({"small": 1}), arena.seal(FRAME[::-1])]}]
    data = ends.here.dumps(message)
    kept, opened = ends.there.loads(data), ends.there.loads(data, opened=True)
    del message
    np.testing.assert_equal(opened, [1, "a", ("x", FRAME), {"k": [{"small": 1}, FRAME[::-1]]}])
    np.testing.assert_equal(kept[2][1].open(), FRAME)
    del kept, opened
    assert (0, 0) == (ends.settle(), ends.blocks)


def test_what_is_sealed_once_and_sent_twice_in_a_message_is_one_value_there(ends):
    sealed = ends.arena.seal(FRAME)
    one, other = ends.there.loads(ends.here.dumps([sealed, sealed]), opened=True)
    assert one is other
    assert 1 == len(ends.here)


def test_a_message_in_which_nothing_is_sealed_is_a_pickle(ends):
    message = [1, 2.5, None, "text", (b"bytes", {1: 2})]
    assert message == ends.there.loads(ends.here.dumps(message)) == pickle.loads(ends.here.dumps(message))


def test_where_a_message_can_not_be_pickled_nothing_is_lent_and_the_error_says_what_for(ends):
    with pytest.raises(TypeError, match="cannot pickle") as caught:
        ends.here.dumps([ends.arena.seal(FRAME), Lock()])
    assert ["a value of type list was to be sent to another OS process"] == [
        note.partition(",")[0] for note in caught.value.__notes__
    ]
    assert 0 == len(ends.here)


@pytest.mark.parametrize("opened", [False, True])
def test_where_a_message_can_not_be_read_all_that_was_lent_with_it_is_returned(ends, opened):
    message = [ends.arena.seal(FRAME), Explosive(), ends.arena.seal(FRAME), ends.arena.seal(FRAME[:5000])]
    with pytest.raises(RuntimeError, match="boom"):
        ends.there.loads(ends.here.dumps(message), opened=opened)
    del message
    gc.collect()
    assert (0, 0) == (ends.settle(), ends.blocks)


def test_a_value_that_fails_when_it_is_opened_is_kept_and_returned_as_any(ends):
    sealed = ends.send([Explosive(), FRAME], opened=False)
    with pytest.raises(RuntimeError, match="boom"):
        sealed.open()
    assert 1 == ends.settle()
    del sealed
    gc.collect()
    assert (0, 0) == (ends.settle(), ends.blocks)


def test_when_the_other_end_is_dead_nothing_is_lent_any_more(ends):
    backs = [ends.send(FRAME) for _ in range(3)]
    ends.here.clear()
    assert (0, 0) == (len(ends.here), ends.blocks)
    del backs
    assert 0 == ends.settle()  # late words are no matter
    np.testing.assert_equal(ends.send(FRAME), FRAME)


def test_what_was_borrowed_is_lent_on_without_a_copy(ends):
    third = Loans(Regions(), lambda: None)
    sealed = ends.send(FRAME, opened=False)
    data = ends.there.dumps(sealed)
    del sealed
    last = third.loads(data, opened=True)
    assert (1, 1) == (ends.settle(), ends.blocks)
    np.testing.assert_equal(last, FRAME)
    del last
    ends.there.returned(third.take_returned())
    assert (0, 0) == (ends.settle(), ends.blocks)


@pytest.mark.parametrize("part", [slice(None), slice(1, 3), 7])
def test_what_was_borrowed_and_opened_is_sealed_again_without_a_copy(ends, part):
    back = ends.send(FRAME.reshape(10, 6000))
    with Arena(name_run(), "another", most=2) as another:
        sealed = another.seal(back[part])
        assert (0, 1) == (another.stats().blocks, len(sealed.holds))
        del back
        np.testing.assert_equal(sealed.open(), FRAME.reshape(10, 6000)[part])
        assert 1 == ends.settle()
        del sealed
        assert (0, 0) == (ends.settle(), ends.blocks)


def test_what_comes_home_is_not_copied_either(ends):
    sealed = ends.send(FRAME, opened=False)
    home = ends.here.loads(ends.there.dumps(sealed), opened=True)
    del sealed
    again = ends.arena.seal(home)
    assert 1 == ends.blocks
    ends.there.returned(ends.here.take_returned())
    assert (0, 0) == (len(ends.there), ends.settle())
    del home, again
    assert 0 == ends.blocks


@pytest.mark.parametrize("opened", [False, True])
def test_what_came_home_stays_when_the_other_end_dies(ends, opened):
    message = ends.there.dumps(ends.there.loads(ends.here.dumps(ends.arena.seal(FRAME))))
    home = ends.here.loads(message, opened=opened)
    ends.here.clear()
    assert 1 == ends.blocks
    np.testing.assert_equal(home if opened else home.open(), FRAME)


def test_what_is_passed_on_by_an_os_process_that_died_stays_with_who_lent_it_there(ends):
    """One in the middle has it from a writer, and lends it to a worker, which sends it on and dies."""
    middle, worker = Loans(ends.regions, lambda: None), Loans(ends.regions, lambda: None)
    sealed = ends.send(FRAME, opened=False)
    back = middle.loads(worker.dumps(worker.loads(middle.dumps(sealed))))
    del sealed
    middle.clear()
    assert 1 == ends.settle()
    np.testing.assert_equal(back.open(), FRAME)
    del back
    assert (0, 0) == (ends.settle(), ends.blocks)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_message_is_read_in_whatever_memory_it_came(ends, kind):
    data = ends.here.dumps([ends.arena.seal(FRAME), Explosive()])
    with pytest.raises(RuntimeError, match="boom"):
        ends.there.loads(kind(data))
    assert [1] == list(ends.there.loads(kind(ends.here.dumps([1]))))
    gc.collect()
    assert (0, 0) == (ends.settle(), ends.blocks)


def test_the_data_of_a_region_that_is_gone_stay_good_and_what_was_not_received_is_gone(ends):
    with Arena(name_run(), "another", most=3) as another:
        late = ends.here.dumps(another.seal(FRAME))
        sealed = ends.there.loads(ends.here.dumps(another.seal(FRAME)))
        view = sealed.open()
    (name,) = {hold.descriptor.region for hold in sealed.holds}
    ends.regions.let_go(name)
    np.testing.assert_equal(view, FRAME)
    np.testing.assert_equal(sealed.open(), FRAME)
    with pytest.raises(Gone):
        ends.there.loads(late).open()
    del sealed, view
    gc.collect()
    assert 0 == ends.settle()


def test_a_region_is_attached_once_and_found_by_its_name(ends):
    sealed = ends.send(FRAME, opened=False)
    name = sealed.holds[0].descriptor.region
    assert ends.regions.find(name) is ends.regions.find(name)
    assert f"<Regions: {name}>" == repr(ends.regions)
    ends.regions.let_go(name)
    assert "<Regions: none>" == repr(ends.regions)


def test_a_lent_value_is_of_no_use_to_a_plain_unpickler(ends):
    with pytest.raises(TypeError, match=r"can only be unpickled by `Loans.loads`"):
        pickle.loads(ends.here.dumps(ends.arena.seal(FRAME)))


PEERS = "abc"


class Lending(RuleBasedStateMachine):
    """Beside three OS processes that are lent things, lend them on, and die: who has which, as tables."""

    def __init__(self) -> None:
        super().__init__()
        self.arena = Arena(name_run(), "law", most=6, item=9000)
        self.regions = Regions()
        self.number = 0
        self.own: dict[int, object] = {}
        self.has: dict[str, Counter[int]] = {peer: Counter() for peer in PEERS}
        self.values: dict[str, list[tuple[int, object]]] = {peer: [] for peer in PEERS}
        self.here: dict[str, Loans] = {}
        self.there: dict[str, Loans] = {}
        for peer in PEERS:
            self.start(peer)

    def start(self, peer: str) -> None:
        self.here[peer], self.there[peer] = (Loans(self.regions, lambda: None) for _ in range(2))

    def teardown(self) -> None:
        self.own.clear()
        for peer in PEERS:
            self.values[peer].clear()
            self.settle(peer)
        assert (0, 0) == (self.arena.stats().blocks, self.arena.stats().used)
        self.arena.close()
        self.regions.close()

    @rule(size=st.integers(5000, 9000))
    def seal(self, size):
        sealed = self.arena.seal(np.full(size, self.number, np.uint8))
        if sealed is FULL:
            assert self.arena.stats().blocks >= 3
            return
        self.own[self.number] = sealed
        self.number += 1

    @rule(choice=st.integers(0, 99))
    def drop(self, choice):
        if self.own:
            del self.own[sorted(self.own)[choice % len(self.own)]]

    @rule(choice=st.integers(0, 99), peer=st.sampled_from(PEERS), opened=st.booleans(), arrives=st.booleans())
    def lend(self, choice, peer, opened, arrives):
        if self.own:
            number = sorted(self.own)[choice % len(self.own)]
            data = self.here[peer].dumps([self.own[number]])
            if arrives:
                self.values[peer].append((number, self.there[peer].loads(data, opened=opened)[0]))
            else:
                self.die(peer)

    @rule(choice=st.integers(0, 99), peer=st.sampled_from(PEERS))
    def drop_there(self, choice, peer):
        if self.values[peer]:
            del self.values[peer][choice % len(self.values[peer])]

    @rule(peer=st.sampled_from(PEERS))
    def settle(self, peer):
        self.here[peer].returned(self.there[peer].take_returned())
        assert len(self.values[peer]) == len(self.here[peer])

    @rule(peer=st.sampled_from(PEERS))
    def die(self, peer):
        self.values[peer].clear()
        self.here[peer].clear()
        self.start(peer)

    @invariant()
    def whoever_has_a_value_sees_what_was_sealed(self):
        for number, value in [*self.own.items(), *(pair for pairs in self.values.values() for pair in pairs)]:
            array = value if isinstance(value, np.ndarray) else value.open()
            assert (array == number % 256).all()

    @invariant()
    def what_nobody_has_is_there_no_more(self):
        held = set(self.own) | {number for pairs in self.values.values() for number, _ in pairs}
        lent = sum(map(len, self.here.values()))
        assert len(held) <= self.arena.stats().blocks <= len(self.own) + lent


TestLending = Lending.TestCase
TestLending.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
