"""A value is sealed and opened again: small ones travel themselves, an array that lies in shared memory stays there."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streampy
from streampy.memory.arena import FULL, Arena
from streampy.memory.empty import empty, make_arrays_in
from streampy.memory.generations import Gone
from streampy.memory.packing import INLINE
from streampy.memory.sealed import Sealed
from streampy.memory.sweep import name_run

FRAME = np.arange(60_000, dtype=np.uint8).reshape(100, 200, 3)


@pytest.fixture
def here(ends):
    """The arena is that of this OS process."""
    make_arrays_in(ends.arena)
    yield
    make_arrays_in(None)


@pytest.mark.parametrize("value", [0, 1.5, True, None, "a" * INLINE, b"a" * INLINE, ""])
def test_a_plain_value_travels_as_it_is(ends, value):
    assert ends.arena.seal(value) is value


@pytest.mark.parametrize("value", [{"a": [1, "b"]}, np.arange(300), [np.zeros(3), b"a", np.ones(2)], 1j, "é" * 2000])
def test_a_small_value_travels_itself(ends, value):
    np.testing.assert_equal(ends.send(value), value)
    assert 0 == ends.blocks


def test_small_arrays_are_read_only_too_and_aligned(ends):
    back = ends.send([np.zeros(3, np.uint8), np.arange(5.0)])
    assert [False, False] == [one.flags.writeable for one in back]
    assert [True, True] == [one.flags.aligned for one in back]


def test_a_frame_lies_in_a_block_as_long_as_there_is_a_view_of_it(ends):
    sealed = ends.arena.seal({"frame": FRAME, "name": "a"})
    assert b"" == sealed.inline
    assert FRAME.nbytes < sealed.nbytes < FRAME.nbytes + 500
    back = sealed.open()
    np.testing.assert_equal(back, {"frame": FRAME, "name": "a"})
    assert not back["frame"].flags.writeable
    line = back["frame"][3]
    del back, sealed
    assert 1 == ends.blocks
    assert FRAME[3].tobytes() == line.tobytes()
    del line
    assert 0 == ends.blocks


def test_a_sealed_value_does_not_change_with_the_value(ends):
    frame = FRAME.copy()
    sealed = ends.arena.seal(frame)
    frame[:] = 0
    np.testing.assert_equal(sealed.open(), FRAME)


def test_large_bytes_are_copied_out(ends):
    value = [b"a" * 100_000, bytearray(70_000), list(range(5000))]
    sealed = ends.arena.seal(value)
    back = sealed.open()
    del sealed
    assert (0, value) == (ends.blocks, back)


def test_many_arrays_share_one_block(ends):
    value = [FRAME[:10], FRAME[10:20, 5:], np.float64(3), FRAME]
    sealed = ends.arena.seal(value)
    assert 1 == len(sealed.holds)
    assert [0] * 4 == [start % 64 for _, start, _ in sealed.places]
    np.testing.assert_equal(sealed.open(), value)


def test_a_sealed_value_is_opened_as_often_as_one_likes_in_several_threads(ends):
    sealed = ends.arena.seal(FRAME)
    with ThreadPoolExecutor(4) as threads:
        backs = list(threads.map(lambda _: sealed.open(), range(200)))
    assert all((back == FRAME).all() for back in backs)
    assert 1 == ends.blocks


def test_a_table_of_arrow_lies_in_a_block(ends):
    table = pa.table({"number": np.arange(10_000)})
    assert table.equals(ends.send(table))


def test_an_array_made_in_shared_memory_is_not_copied(ends, here):
    frame = empty(FRAME.shape, FRAME.dtype)
    frame[:] = FRAME
    sealed = ends.arena.seal(frame)
    assert (1, 1) == (len(sealed.holds), ends.blocks)
    back = sealed.open()
    frame[0, 0, 0] = 99
    assert 99 == back[0, 0, 0]
    assert not back.flags.writeable
    del frame, sealed
    assert 1 == ends.blocks
    del back
    assert 0 == ends.blocks


def test_what_is_cut_from_an_array_in_shared_memory_is_not_copied_either(ends, here):
    frame = empty(FRAME.shape, FRAME.dtype)
    frame[:] = FRAME
    value = [frame[10:20], FRAME, frame[::2], frame, memoryview(frame)[3:4]]
    sealed = ends.arena.seal(value)
    assert 2 == len(sealed.holds)
    assert 3 * FRAME.nbytes > ends.arena.stats().used
    np.testing.assert_equal(sealed.open()[:4], value[:4])
    assert FRAME[3].tobytes() == sealed.open()[4].tobytes()


@pytest.mark.parametrize("change", [lambda it: it.astype("M8[s]"), lambda it: it.view("u1,u1,u1"), np.asfortranarray])
def test_whatever_numpy_makes_of_it_comes_back(ends, here, change):
    frame = empty(FRAME.shape, FRAME.dtype)
    frame[:] = FRAME
    np.testing.assert_equal(ends.send(change(frame)), change(FRAME))


def test_an_array_in_shared_memory_that_is_not_sent_is_gone_when_it_is_dropped(ends, here):
    frame = empty(FRAME.shape, FRAME.dtype)
    assert 1 == ends.blocks
    del frame
    assert 0 == ends.blocks


def test_other_threads_make_their_arrays_there_too(ends, here):
    with ThreadPoolExecutor(1) as thread:
        frame = thread.submit(streampy.empty, FRAME.shape, FRAME.dtype).result()
    frame[:] = FRAME
    sealed = ends.arena.seal(frame)
    assert 1 == ends.blocks
    np.testing.assert_equal(sealed.open(), FRAME)


def test_an_array_is_plain_memory_where_no_shared_memory_is_to_be_had(ends):
    made = [empty(FRAME.shape, FRAME.dtype)]
    make_arrays_in(ends.arena)
    try:
        made += [empty(100), empty((9999,), object), empty((1 << 50, 0), np.uint8)]
        full = ends.arena.take(ends.arena.stats().capacity)
        made.append(empty([100, 100]))
        del full
        assert 0 == ends.blocks
    finally:
        make_arrays_in(None)
    assert [FRAME.shape, (100,), (9999,), (1 << 50, 0), (100, 100)] == [one.shape for one in made]


def test_a_sealed_value_is_not_pickled_as_it_is(ends):
    with pytest.raises(TypeError, match=r"goes to another OS process by `Loans.dumps`"):
        pickle.dumps(ends.arena.seal([1]))


@pytest.mark.parametrize(("value", "name"), [([Lock()], "list"), (lambda: 0, "function"), (Lock(), "_thread.lock")])
def test_what_can_not_be_pickled_is_an_error_of_pickle_that_says_what_for(ends, value, name):
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError), match="pickle") as caught:
        ends.arena.seal(value)
    note = f"a value of type {name} was to be sent to another OS process, so it must be one that can be pickled"
    assert [note] == caught.value.__notes__


def test_a_loan_of_an_os_process_that_was_taken_for_dead_is_gone(ends):
    frame = ends.send(FRAME, opened=False)
    ends.here.clear()
    assert 0 == ends.blocks
    with pytest.raises(Gone):
        frame.open()


items = st.lists(
    st.integers() | st.binary(max_size=6000) | st.builds(np.zeros, st.integers(0, 9000), st.sampled_from(["u1", "f8"])),
    max_size=5,
)


@settings(deadline=None)
@given(st.lists(items, max_size=8))
def test_whatever_is_sealed_comes_back_and_leaves_nothing(values):
    with Arena(name_run(), "law", most=10, item=50_000) as arena:
        pairs = [(value, arena.seal(value)) for value in values]
        there = [(value, sealed) for value, sealed in pairs if sealed is not FULL]
        back = [sealed.open() for _, sealed in there]
        np.testing.assert_equal(back, [value for value, _ in there])
        assert all(isinstance(sealed, Sealed) and len(sealed.inline) <= INLINE for _, sealed in there)
        del back, pairs, there
        assert (0, 0) == (arena.stats().blocks, arena.stats().used)
