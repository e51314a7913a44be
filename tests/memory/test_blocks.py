"""Whatever is taken, lent and given back, and whoever dies: blocks don't overlap, nor leak, nor pass for others."""

from __future__ import annotations

import pickle
from collections import Counter
from random import Random
from threading import Thread

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streampy.errors import StreamPyError
from streampy.memory.blocks import Block, Blocks, TooLarge
from streampy.memory.generations import GRANULE, Descriptor, Gone
from streampy.memory.region import Region
from streampy.memory.sweep import name_run
from streampy.memory.views import open_view

READERS = "abc"


def fill(block: Block) -> Descriptor:
    """Every byte tells which block it is of."""
    block.write([(0, mark(block.descriptor))])
    return block.descriptor


def mark(descriptor: Descriptor) -> bytes:
    return descriptor.generation.to_bytes(8, "little") * (descriptor.size // 8) + bytes(descriptor.size % 8)


class BlocksLives(RuleBasedStateMachine):
    """Beside the blocks: who holds which, as a table."""

    def __init__(self) -> None:
        super().__init__()
        self.region = Region.create(name_run(), "law", 40 * GRANULE)
        self.attached = Region.attach(self.region.name)
        self.woken = 0
        self.blocks = Blocks(self.region, self.wake)
        self.held: dict[int, Block] = {}
        self.views: dict[int, memoryview] = {}
        self.lent: dict[int, Counter[str]] = {}
        self.all: dict[int, Descriptor] = {}

    def wake(self) -> None:
        self.woken += 1

    def teardown(self) -> None:
        with self.region, self.attached:
            self.held.clear()
            self.views.clear()
            for reader in READERS:
                self.blocks.reader_died(reader)
            assert (0, 0) == (self.blocks.stats().blocks, self.blocks.stats().used)
            assert self.blocks.take(self.blocks.capacity) is not None

    @property
    def live(self) -> dict[int, Descriptor]:
        lent = {one for one, readers in self.lent.items() if readers.total()}
        return {one: self.all[one] for one in {*self.held, *self.views, *lent}}

    @rule(size=st.integers(0, 12 * GRANULE))
    def take(self, size):
        free = self.blocks.capacity - self.blocks.stats().used
        block = self.blocks.take(size)
        if block is None:
            assert free < self.blocks.capacity
            return
        descriptor = fill(block)
        assert descriptor.generation not in self.all
        self.all[descriptor.generation] = descriptor
        self.held[descriptor.generation] = block

    @rule(choice=st.integers(0, 99))
    def look_at_it(self, choice):
        if self.held:
            one = sorted(self.held)[choice % len(self.held)]
            self.views[one] = self.held[one].view[:]

    @rule(choice=st.integers(0, 99))
    def drop(self, choice):
        if self.held:
            del self.held[sorted(self.held)[choice % len(self.held)]]

    @rule(choice=st.integers(0, 99))
    def drop_a_view(self, choice):
        if self.views:
            del self.views[sorted(self.views)[choice % len(self.views)]]

    @rule(choice=st.integers(0, 99), readers=st.lists(st.sampled_from(READERS), min_size=1, max_size=4))
    def lend(self, choice, readers):
        if self.all:
            one = sorted(self.all)[choice % len(self.all)]
            if one not in self.live:
                with pytest.raises(Gone):
                    self.blocks.lend(self.all[one], readers)
                return
            self.blocks.lend(self.all[one], readers)
            self.lent.setdefault(one, Counter()).update(readers)
            self.held.pop(one, None)

    @rule(choice=st.integers(0, 99), reader=st.sampled_from(READERS))
    def give_back(self, choice, reader):
        if self.all:
            one = sorted(self.all)[choice % len(self.all)]
            strays, woken, live = self.blocks.stats().strays, self.woken, len(self.live)
            is_held = self.lent.get(one, Counter())[reader] > 0
            self.blocks.give_back(self.all[one], reader)
            if is_held:
                self.lent[one][reader] -= 1
            assert strays + (not is_held) == self.blocks.stats().strays
            assert (live > len(self.live)) == (self.woken > woken)

    @rule(reader=st.sampled_from(READERS))
    def die(self, reader):
        self.blocks.reader_died(reader)
        for readers in self.lent.values():
            readers[reader] = 0

    @invariant()
    def the_live_are_there_and_nobody_else(self):
        live = self.live
        for one, descriptor in self.all.items():
            if one in live:
                assert mark(descriptor) == bytes(open_view(self.attached, descriptor))
            else:
                with pytest.raises(Gone):
                    open_view(self.attached, descriptor)
        assert len(live) == self.blocks.stats().blocks

    @invariant()
    def blocks_do_not_overlap(self):
        ends = 0
        for one in sorted(self.live.values(), key=lambda one: one.offset):
            assert (0, True) == (one.offset % 64, ends <= one.offset)
            ends = one.offset + one.size
        assert ends <= self.region.size


TestBlocksLives = BlocksLives.TestCase
TestBlocksLives.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def live_and_die(region: Region, cycles: int) -> Blocks:
    """Blocks of random sizes for random readers, some of whom die."""
    blocks, chance = Blocks(region), Random(7)  # noqa: S311 - chance, not secrets
    out: list[tuple[Descriptor, int]] = []
    old = Descriptor(region.name, region.generations.start, 1, 0)
    taken = 0
    while taken < cycles:
        block = blocks.take(chance.randrange(8, 8 * GRANULE))
        if block is not None:
            taken += 1
            reader = chance.randrange(4)
            block.write([(0, mark(block.descriptor)[:8])])
            blocks.lend(block.descriptor, [reader])
            out.append((block.descriptor, reader))
        if block is None or chance.random() < 0.5:
            assert not region.generations.is_there(old)
            place = chance.randrange(len(out))
            out[place], out[-1] = out[-1], out[place]
            old, reader = out.pop()
            assert mark(old)[:8] == open_view(region, old)[:8]
            blocks.give_back(old, reader)
        if chance.random() < 0.0001:
            dead = chance.randrange(4)
            blocks.reader_died(dead)
            out = [one for one in out if one[1] != dead]
    for descriptor, reader in out:
        blocks.give_back(descriptor, reader)
    return blocks


@pytest.mark.parametrize("cycles", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_through_a_small_region_nothing_leaks_and_no_block_is_taken_for_another(shared, cycles):
    blocks = live_and_die(shared.region, cycles)
    assert (0, 0, 0) == (blocks.stats().blocks, blocks.stats().used, blocks.stats().strays)
    assert blocks.take(blocks.capacity) is not None


def test_a_block_begins_at_a_multiple_of_64_bytes(shared):
    blocks = [shared.blocks.take(size) for size in (1, 63, 4097, 0)]
    assert [0] * 4 == [block.descriptor.offset % 64 for block in blocks]


def test_where_there_is_no_room_now_nothing_is_given(shared):
    block = shared.blocks.take(shared.blocks.capacity)
    assert shared.blocks.take(1) is None
    del block
    assert shared.blocks.take(1) is not None


def test_a_block_that_never_has_room_is_an_error_that_says_how_large_it_is(shared):
    asked = shared.blocks.capacity + 1
    with pytest.raises(TooLarge, match=rf"an item of {asked} bytes, but there is room for {asked - 1} bytes") as caught:
        shared.blocks.take(asked)
    assert isinstance(caught.value, StreamPyError)
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


def test_lent_to_several_a_block_stays_until_the_last_gives_it_back(shared):
    block = shared.blocks.take(100)
    shared.blocks.lend(block.descriptor, [1, 2])
    shared.blocks.give_back(block.descriptor, 1)
    assert 1 == shared.blocks.stats().blocks
    shared.blocks.reader_died(2)
    assert 0 == shared.blocks.stats().blocks


def test_a_late_word_of_a_reader_that_was_taken_for_dead_does_not_free_what_another_has(shared):
    block = shared.blocks.take(100)
    shared.blocks.lend(block.descriptor, ["old", "new"])
    shared.blocks.reader_died("old")
    shared.blocks.give_back(block.descriptor, "old")
    assert (1, 1) == (shared.blocks.stats().blocks, shared.blocks.stats().strays)


def test_a_reader_of_an_old_descriptor_is_told_that_the_block_is_gone_whatever_lies_there(shared):
    old = fill(shared.blocks.take(5000))
    block = shared.blocks.take(shared.blocks.capacity)
    block.write([(0, mark(old._replace(size=block.descriptor.size)))])
    with pytest.raises(Gone, match=rf"block {old.generation} at {old.offset} of {old.region} is gone") as caught:
        open_view(shared.attached, old)
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


def test_once_lent_nobody_is_given_a_view_to_write_to(shared):
    block = shared.blocks.take(100)
    shared.blocks.lend(block.descriptor, [1])
    with pytest.raises(Gone):
        _ = block.view
    with pytest.raises(Gone):
        shared.blocks.lend(block.descriptor._replace(generation=99), [1])


def test_a_block_stays_as_long_as_its_writer_has_a_view_of_it(shared):
    block = shared.blocks.take(100)
    part = block.view[10:20]
    shared.blocks.lend(block.descriptor, [1])
    shared.blocks.give_back(block.descriptor, 1)
    assert 1 == shared.blocks.stats().blocks
    del part
    assert 0 == shared.blocks.stats().blocks


def test_whoever_waits_for_room_is_told_also_by_a_view_that_is_dropped(shared):
    freed = []
    blocks = Blocks(shared.region, lambda: freed.append(blocks.stats().used))
    view = blocks.take(blocks.capacity).view
    assert [] == freed
    del view
    assert [0] == freed


def test_threads_that_take_and_give_back_at_once_lose_nothing(shared):
    def work(reader: int) -> None:
        for size in range(1, 3000):
            block = shared.blocks.take(size)
            if block is not None:
                shared.blocks.lend(block.descriptor, [reader])
                shared.blocks.give_back(block.descriptor, reader)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (0, 0, 0) == (shared.blocks.stats().blocks, shared.blocks.stats().used, shared.blocks.stats().strays)


def test_how_much_was_in_use_at_most_is_known(shared):
    blocks = [shared.blocks.take(GRANULE) for _ in range(3)]
    blocks.clear()
    use = shared.blocks.stats()
    assert (0, 3 * GRANULE) == (use.used, use.high_water)
    assert f"<Blocks of {shared.region.name}: 0, 0 of {use.capacity} bytes in use>" == repr(shared.blocks)
