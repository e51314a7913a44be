"""A region is as large as what is to lie in it, and leaves something for others."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streampy.memory.blocks import Blocks
from streampy.memory.region import FOLDER, Region
from streampy.memory.sizing import extent, fitting
from streampy.memory.sweep import name_run

MB = 1 << 20


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 20_000))
def test_so_many_items_have_room_at_once(items, item):
    with Region.create(name_run(), "law", extent(items, item)) as region:
        blocks = Blocks(region)
        taken = [blocks.take(item) for _ in range(items)]
        assert None not in taken
        assert region.size <= 1.02 * items * (item + 512) + 10_000


def test_all_items_have_room_where_the_folder_is_large():
    assert 10 == fitting(10, 1000, FOLDER)


def test_in_a_small_folder_there_is_room_for_fewer_and_a_fifth_is_left(small_folder):
    items = fitting(100, MB, small_folder(10 * MB))
    assert 7 == items
    assert extent(items, MB) <= 8 * MB


def test_for_two_items_it_is_tried_however_small_the_folder_is(small_folder):
    folder = small_folder(MB)
    assert (2, 1) == (fitting(100, MB, folder), fitting(1, MB, folder))
