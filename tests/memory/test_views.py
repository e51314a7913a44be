"""A reader sees what was written and can't change it; the block goes back when nobody looks any more, not before."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from streampy.memory.generations import Gone
from streampy.memory.region import Region
from streampy.memory.sweep import name_run
from streampy.memory.views import Lent, open_view


def lend(shared, data: bytes):
    block = shared.blocks.take(len(data))
    block.write([(0, data)])
    shared.blocks.lend(block.descriptor, [1])
    return block.descriptor


def test_a_view_is_of_the_block_and_read_only(shared):
    view = open_view(shared.attached, lend(shared, b"abc"))
    assert b"abc" == view
    with pytest.raises(TypeError, match="read-only"):
        view[0] = 1


def test_also_in_the_os_process_that_wrote_it_a_view_is_read_only(shared):
    descriptor = lend(shared, b"abc")
    assert open_view(shared.region, descriptor).readonly
    assert Lent(shared.region, descriptor, shared.give_back).view.readonly


@pytest.mark.parametrize(
    "make",
    [
        lambda view: view[5:7],
        lambda view: np.frombuffer(view, np.uint8),
        lambda view: np.frombuffer(view[8:], np.uint32).reshape(2, 2)[1:, ::2],
    ],
    ids=["slice", "array", "view of an array"],
)
def test_the_block_is_given_back_with_the_last_that_was_made_of_it(shared, make):
    descriptor = lend(shared, bytes(range(24)))
    made = make(Lent(shared.attached, descriptor, shared.give_back).view)
    gc.collect()
    assert [] == shared.given_back
    del made
    assert [descriptor] == shared.given_back
    assert 0 == shared.blocks.stats().blocks


def test_an_array_of_it_can_not_be_made_writable(shared):
    array = np.frombuffer(Lent(shared.attached, lend(shared, b"abc"), shared.give_back).view, np.uint8)
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        array.flags.writeable = True


def test_a_block_that_is_gone_is_not_given_back(shared):
    descriptor = lend(shared, b"abc")
    shared.blocks.give_back(descriptor, 1)
    with pytest.raises(Gone):
        Lent(shared.attached, descriptor, shared.give_back)
    assert [] == shared.given_back


def test_a_block_in_a_cycle_of_garbage_is_given_back_when_that_is_collected(shared):
    descriptor = lend(shared, b"abc")
    cycle = [Lent(shared.attached, descriptor, shared.give_back)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert [descriptor] == shared.given_back


def test_a_block_is_looked_for_in_its_own_region(shared):
    descriptor = lend(shared, b"abc")
    with Region.create(name_run(), "another", 100) as another:
        with pytest.raises(ValueError, match=f"a block of {shared.region.name} was looked for in {another.name}"):
            open_view(another, descriptor)
