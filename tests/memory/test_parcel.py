"""A value goes into a block and comes out of it: small ones travel themselves, an array that lies there stays there."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streampy.memory.blocks import Blocks, TooLarge
from streampy.memory.codec import encode
from streampy.memory.empty import empty, made_in
from streampy.memory.generations import Gone
from streampy.memory.parcel import INLINE, open_parcel, put
from streampy.memory.region import Region
from streampy.memory.sweep import name_run

FRAME = np.arange(60_000, dtype=np.uint8).reshape(100, 200, 3)


def send(shared, value):
    return put(encode(value), shared.blocks, [1])


def receive(shared, parcel):
    return open_parcel(pickle.loads(pickle.dumps(parcel)), shared.region_of, shared.give_back)


@pytest.mark.parametrize("value", [1, {"a": [1, "b"]}, b"x" * 3000, np.arange(300), [np.zeros(3), b"a", np.ones(2)]])
def test_a_small_value_travels_itself(shared, value):
    parcel = send(shared, value)
    assert () == parcel.blocks
    np.testing.assert_equal(receive(shared, parcel), value)


def test_small_arrays_are_read_only_too_and_aligned(shared):
    back = receive(shared, send(shared, [np.zeros(3, np.uint8), np.arange(5.0)]))
    assert [False, False] == [one.flags.writeable for one in back]
    assert [True, True] == [one.flags.aligned for one in back]


def test_a_frame_lies_in_a_block_and_is_given_back_with_the_last_view_of_it(shared):
    parcel = send(shared, {"frame": FRAME, "name": "a"})
    assert b"" == parcel.inline
    assert len(pickle.dumps(parcel)) < 400
    back = receive(shared, parcel)
    np.testing.assert_equal(back, {"frame": FRAME, "name": "a"})
    assert not back["frame"].flags.writeable
    line = back["frame"][3]
    del back
    assert [] == shared.given_back
    del line
    assert list(parcel.blocks) == shared.given_back
    assert 0 == shared.blocks.stats().blocks


def test_large_bytes_are_copied_out_and_their_block_is_given_back_at_once(shared):
    value = [b"a" * 100_000, bytearray(70_000), list(range(5000))]
    assert value == receive(shared, send(shared, value))
    assert 1 == len(shared.given_back)


def test_many_arrays_share_one_block(shared):
    value = [FRAME[:10], FRAME[10:20, 5:], np.float64(3), FRAME]
    parcel = send(shared, value)
    assert 1 == len(parcel.blocks)
    assert [0] * 4 == [place.start % 64 for place in parcel.places]
    np.testing.assert_equal(receive(shared, parcel), value)


def test_where_there_is_no_room_now_nothing_is_taken(shared):
    block = shared.blocks.take(shared.blocks.capacity - 50_000)
    encoded = encode(FRAME)
    assert put(encoded, shared.blocks, [1]) is None
    assert 1 == shared.blocks.stats().blocks
    del block
    np.testing.assert_equal(receive(shared, put(encoded, shared.blocks, [1])), FRAME)


def test_what_never_has_room_is_an_error(shared):
    with pytest.raises(TooLarge):
        send(shared, bytes(shared.region.size))


def test_one_block_serves_several_readers(shared):
    parcel = put(encode(FRAME), shared.blocks, [1, 2])
    assert 1 == shared.blocks.stats().blocks
    receive(shared, parcel)
    shared.blocks.give_back(parcel.blocks[0], 2)
    assert 0 == shared.blocks.stats().blocks


def test_what_is_gone_is_told_and_the_other_blocks_are_given_back(shared):
    with made_in(shared.blocks):
        arrays = [empty(5000, np.uint8) for _ in range(2)]
    parcel = send(shared, arrays)
    del arrays
    shared.blocks.give_back(parcel.blocks[1], 1)
    with pytest.raises(Gone):
        receive(shared, parcel)
    assert 0 == shared.blocks.stats().blocks


def test_an_array_made_in_a_block_is_not_copied(shared):
    with made_in(shared.blocks):
        frame = empty(FRAME.shape, FRAME.dtype)
    frame[:] = FRAME
    parcel = send(shared, frame)
    assert (1, 1) == (len(parcel.blocks), shared.blocks.stats().blocks)
    back = receive(shared, parcel)
    frame[0, 0, 0] = 99
    assert 99 == back[0, 0, 0]
    del frame
    assert 1 == shared.blocks.stats().blocks
    del back
    assert 0 == shared.blocks.stats().blocks


def test_what_is_cut_from_an_array_in_a_block_is_not_copied_either(shared):
    with made_in(shared.blocks):
        frame = empty(FRAME.shape, FRAME.dtype)
    frame[:] = FRAME
    parcel = send(shared, [frame[10:20], FRAME, frame[::2], frame])
    assert 2 == len(parcel.blocks)
    assert 3 * FRAME.nbytes > shared.blocks.stats().used
    np.testing.assert_equal(receive(shared, parcel), [FRAME[10:20], FRAME, FRAME[::2], FRAME])


def test_an_array_in_a_block_that_is_not_sent_is_given_back_when_it_is_dropped(shared):
    with made_in(shared.blocks):
        frame = empty(FRAME.shape, FRAME.dtype)
    assert 1 == shared.blocks.stats().blocks
    del frame
    assert 0 == shared.blocks.stats().blocks


def test_an_empty_array_is_plain_memory_where_no_block_is_to_be_had(shared):
    outside = empty(FRAME.shape, FRAME.dtype)
    with made_in(shared.blocks):
        made = [empty(100), empty((9999,), object), empty(shared.region.size, np.uint8)]
        full = shared.blocks.take(shared.blocks.capacity)
        made.append(empty([100, 100]))
        del full
        assert [(100,), (9999,), (shared.region.size,), (100, 100)] == [one.shape for one in made]
        assert 0 == shared.blocks.stats().blocks
    assert (FRAME.shape, FRAME.dtype) == (outside.shape, outside.dtype)


items = st.lists(
    st.integers() | st.binary(max_size=6000) | st.builds(np.zeros, st.integers(0, 9000), st.sampled_from(["u1", "f8"])),
    max_size=5,
)


@settings(deadline=None)
@given(st.lists(items, max_size=8))
def test_whatever_is_sent_comes_back_and_leaves_nothing(values):
    with Region.create(name_run(), "law", 1 << 20) as region, Region.attach(region.name) as attached:
        blocks = Blocks(region)
        parcels = [put(encode(value), blocks, [1]) for value in values]
        sent = [(value, one) for value, one in zip(values, parcels, strict=True) if one is not None]
        back = [open_parcel(one, lambda _: attached, lambda block: blocks.give_back(block, 1)) for _, one in sent]
        np.testing.assert_equal(back, [value for value, _ in sent])
        assert all(len(one.inline) <= INLINE for _, one in sent)
        del back
        assert (0, 0) == (blocks.stats().blocks, blocks.stats().strays)
