"""Whatever is taken and dropped, by whom ever: blocks don't overlap, nor leak, nor pass for others."""

from __future__ import annotations

import gc
import os
import pickle
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


def fill(block: Block) -> Descriptor:
    """Every byte tells which block it is of."""
    block.write([(0, mark(block.descriptor))])
    return block.descriptor


def mark(descriptor: Descriptor) -> bytes:
    return descriptor.generation.to_bytes(8, "little") * (descriptor.size // 8) + bytes(descriptor.size % 8)


class BlocksLives(RuleBasedStateMachine):
    """Beside the blocks: who has which, as tables."""

    def __init__(self) -> None:
        super().__init__()
        self.region = Region.create(name_run(), "law", 40 * GRANULE)
        self.attached = Region.attach(self.region.name)
        self.woken = 0
        self.blocks = Blocks(self.region, self.wake)
        self.held: dict[int, list[Block]] = {}
        self.views: dict[int, list[memoryview]] = {}
        self.all: dict[int, Descriptor] = {}

    def wake(self) -> None:
        self.woken += 1

    def teardown(self) -> None:
        with self.region, self.attached:
            self.held.clear()
            self.views.clear()
            assert (0, 0) == (self.blocks.stats().blocks, self.blocks.stats().used)
            assert self.blocks.shut()
            assert self.blocks.take(1) is None
            self.blocks.open()
            assert self.blocks.take(self.blocks.capacity) is not None

    @property
    def live(self) -> set[int]:
        return {one for table in (self.held, self.views) for one, having in table.items() if having}

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
        self.held[descriptor.generation] = [block]

    @rule(choice=st.integers(0, 99), again=st.booleans())
    def look_at_it(self, choice, again):
        if held := [one for one, blocks in sorted(self.held.items()) if blocks]:
            one = held[choice % len(held)]
            self.views.setdefault(one, []).append(self.held[one][0].view[:])
            if again:
                self.held[one].append(self.held[one][0])

    @rule(choice=st.integers(0, 99), which=st.booleans())
    def drop(self, choice, which):
        table = self.held if which else self.views
        if having := [one for one, some in sorted(table.items()) if some]:
            woken, live = self.woken, len(self.live)
            table[having[choice % len(having)]].pop()
            assert (len(self.live) < live) == (self.woken > woken)

    @rule()
    def shut(self):
        if self.live:
            assert not self.blocks.shut()

    @invariant()
    def the_live_are_there_and_nobody_else(self):
        live = self.live
        for one, descriptor in self.all.items():
            if one in live:
                assert mark(descriptor) == bytes(self.attached.open(descriptor, None))
            else:
                with pytest.raises(Gone):
                    self.attached.open(descriptor, None)
        assert len(live) == self.blocks.stats().blocks

    @invariant()
    def blocks_do_not_overlap(self):
        ends = 0
        for one in sorted((self.all[one] for one in self.live), key=lambda one: one.offset):
            assert (0, True) == (one.offset % 64, ends <= one.offset)
            ends = one.offset + one.size
        assert ends <= self.region.size


TestBlocksLives = BlocksLives.TestCase
TestBlocksLives.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def live_and_die(shared, cycles: int) -> None:
    """Blocks of random sizes; those who have them drop one now and then, and seldom all."""
    blocks, chance = shared.blocks, Random(7)  # noqa: S311 - chance, not secrets
    held: list[Block | memoryview] = []
    known: list[Descriptor] = []
    old = Descriptor(shared.region.name, shared.region.generations.start, 1, 1 << 60)
    taken = 0
    while taken < cycles:
        block = blocks.take(chance.randrange(8, 8 * GRANULE))
        if block is not None:
            taken += 1
            block.write([(0, mark(block.descriptor)[:8])])
            known.append(block.descriptor)
            held.append(block.view[1:] if taken % 4 == 0 else block)
        if block is None or chance.random() < 0.5:
            block = None
            assert not shared.attached.generations.is_there(old)
            place = chance.randrange(len(held))
            old = known[place]
            assert mark(old)[:8] == shared.attached.open(old, None)[:8]
            held[place], known[place] = held[-1], known[-1]
            del held[-1], known[-1]
        if chance.random() < 0.0001:
            block = None
            held.clear()
            known.clear()
            block = blocks.take(8)
            held.append(block)
            known.append(block.descriptor)
            block.write([(0, mark(block.descriptor))])


@pytest.mark.parametrize("cycles", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_through_a_small_region_nothing_leaks_and_no_block_is_taken_for_another(shared, cycles):
    live_and_die(shared, cycles)
    assert (0, 0) == (shared.blocks.stats().blocks, shared.blocks.stats().used)
    assert shared.blocks.take(shared.blocks.capacity) is not None


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


def test_a_reader_of_an_old_descriptor_is_told_that_the_block_is_gone_whatever_lies_there(shared):
    old = fill(shared.blocks.take(5000))
    block = shared.blocks.take(shared.blocks.capacity)
    block.write([(0, mark(old._replace(size=block.descriptor.size)))])
    with pytest.raises(Gone, match=rf"block {old.generation} at {old.offset} of {old.region} is gone"):
        shared.attached.open(old, None)


def test_a_block_stays_as_long_as_there_is_a_view_of_it(shared):
    part = shared.blocks.take(100).view[10:20]
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


def test_whoever_waits_for_room_is_told_by_a_collection_of_garbage(shared):
    freed = []
    blocks = Blocks(shared.region, lambda: freed.append(1))
    cycle = [blocks.take(1)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert [1] == freed


def test_threads_that_take_and_drop_at_once_lose_nothing(shared):
    def work() -> None:
        for size in range(1, 3000):
            block = shared.blocks.take(size)
            if block is not None:
                _ = block.view

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (0, 0) == (shared.blocks.stats().blocks, shared.blocks.stats().used)


def test_what_a_forked_os_process_drops_its_parent_still_has(shared):
    block = shared.blocks.take(100)
    pid = os.fork()
    if not pid:
        descriptor = block.descriptor
        del block
        fails = shared.blocks.take(1) is not None or not shared.region.generations.is_there(descriptor)
        os._exit(fails)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert shared.attached.generations.is_there(block.descriptor)


def test_how_much_was_in_use_at_most_is_known(shared):
    blocks = [shared.blocks.take(GRANULE) for _ in range(3)]
    blocks.clear()
    use = shared.blocks.stats()
    assert (0, 3 * GRANULE) == (use.used, use.high_water)
    assert f"<Blocks of {shared.region.name}: 0, 0 of {use.capacity} bytes in use>" == repr(shared.blocks)
