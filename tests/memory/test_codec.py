"""Values come back as they were; their large buffers are not copied on the way."""

from __future__ import annotations

import struct
from collections import namedtuple
from pickle import PicklingError
from threading import Lock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from streampy.memory.codec import decode, encode

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)
arrays = stn.arrays(
    stn.scalar_dtypes() | stn.array_dtypes(), stn.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4)
)


def trip(value):
    encoded = encode(value)
    return decode(b"".join(encoded.pieces), [view.toreadonly() for view in encoded.buffers])


@given(plain)
def test_a_plain_value_comes_back(value):
    assert value == trip(value)


@given(arrays, st.data())
def test_an_array_comes_back_read_only_whatever_its_strides(array, data):
    part = data.draw(stn.basic_indices(array.shape)) if array.ndim else ()
    for one in (array, array.T, np.asarray(array[part])):
        back = trip(one)
        assert (one.dtype, one.shape) == (back.dtype, back.shape)
        assert one.tobytes() == back.tobytes()
        assert not back.flags.writeable or not one.size


@pytest.mark.parametrize("order", ["C", "F", "gaps"])
def test_the_buffer_of_an_array_lies_apart(order):
    array = np.arange(60_000, dtype=np.uint16).reshape(200, 300)
    array = {"C": array, "F": np.asfortranarray(array), "gaps": array[::2, 1::2]}[order]
    encoded = encode({"frame": array})
    assert [array.nbytes] == [view.nbytes for view in encoded.buffers]
    assert sum(map(len, encoded.pieces)) < 300


def test_large_bytes_are_not_copied():
    large, changing = b"x" * 100_000, bytearray(100_000)
    pieces = encode([large, changing]).pieces
    assert any(piece is large for piece in pieces)
    assert any(piece is changing for piece in pieces)
    assert [large, changing] == trip([large, changing])


@pytest.mark.parametrize(
    "view",
    [
        memoryview(b"abc"),
        memoryview(b""),
        memoryview(b"abcdef")[::2],
        memoryview(struct.pack("6d", *range(6))).cast("d", (2, 3)),
        memoryview(np.arange(6, dtype="<f4").reshape(2, 3).T),
        memoryview(np.array(7)),
    ],
    ids=["bytes", "empty", "gaps", "of doubles", "of an array", "of a number"],
)
def test_a_memoryview_comes_back_as_one(view):
    back = trip(view)
    assert (view.shape, view.tolist()) == (back.shape, back.tolist())
    assert back.readonly


def test_an_arrow_table_is_not_copied_on_the_reading_side():
    table = pa.table({"number": np.arange(10_000), "text": [f"row {number}" for number in range(10_000)]})
    encoded = encode(table)
    back = decode(b"".join(encoded.pieces), encoded.buffers)
    addresses = {buffer.address for column in table.columns for buffer in column.chunk(0).buffers() if buffer}
    assert table.equals(back)
    assert addresses == {buffer.address for column in back.columns for buffer in column.chunk(0).buffers() if buffer}


def test_an_array_of_objects_travels_in_the_pickle():
    array = np.array([{"a": 1}, None, "text"], dtype=object)[::2]
    assert array.tolist() == trip(array).tolist()


Local = namedtuple("Local", "x")  # noqa: PYI024 - not at the place that it says
Local.__qualname__ = "elsewhere.Local"


@pytest.mark.parametrize("value", [Lock(), lambda: 0, Local(1), memoryview(np.zeros(2, "i4,f4"))])
def test_what_can_not_travel_is_an_error_where_it_is_encoded(value):
    with pytest.raises((PicklingError, TypeError, AttributeError, ValueError)):
        encode([value])
