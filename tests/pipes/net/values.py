"""Values of all kinds that may cross the network, drawn by hypothesis, and whether two are the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, timezone
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from streampy.model.item import NO_META, Batch, Header, Item
from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.registered import WireTypes


@dataclass
class Box:
    """Registered at both ends."""

    corner: Any
    label: str


class Score(NamedTuple):
    """Registered at both ends."""

    value: Any
    of: str


def a_codec() -> WireCodec:
    types = WireTypes()
    types.register(Box)
    types.register(Score)
    return WireCodec(types)


zones = st.sampled_from([None, UTC, timezone(timedelta(hours=-3, minutes=-30))])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**300), 2**300)
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary(max_size=50)
    | st.integers(8000, 20_000).map(lambda size: b"x" * size)
    | st.dates()
    | st.datetimes(timezones=zones)
    | st.times(timezones=zones)
    | st.timedeltas()
    | st.decimals()
    | st.uuids()
)
keys = st.none() | st.booleans() | st.integers() | st.text() | st.binary(max_size=9) | st.dates() | st.uuids()
dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
    | hnp.complex_number_dtypes()
    | hnp.datetime64_dtypes()
    | hnp.timedelta64_dtypes()
    | hnp.unicode_string_dtypes(min_len=1)
    | hnp.byte_string_dtypes(min_len=1)
)
arrays = hnp.arrays(
    dtypes
    | hnp.nested_dtypes(dtypes, max_itemsize=200).filter(lambda dtype: dtype.itemsize and dtype.subdtype is None),
    hnp.array_shapes(min_dims=0, min_side=0, max_side=6),
)
headers = st.builds(
    Header,
    st.sampled_from(["camera", "camera#1", "запад"]),
    st.integers(0, 2**70),
    st.floats(allow_nan=False),
    st.lists(st.integers(0, 100), max_size=3).map(tuple),
    st.floats(allow_nan=False),
    st.just(NO_META) | st.dictionaries(st.text(), scalars, max_size=2),
)
values = st.recursive(
    scalars | arrays | arrays.filter(lambda array: array.size > 0).map(lambda array: array.reshape(-1)[0]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys | st.tuples(keys, keys), inner, max_size=4)
        | st.sets(keys, max_size=4)
        | st.frozensets(st.tuples(keys), max_size=4)
        | st.builds(Item, inner, headers)
        | st.builds(Box, inner, st.text())
        | st.builds(Score, inner, st.text())
    ),
    max_leaves=8,
)
batches = st.lists(st.tuples(values, headers), max_size=4).map(
    lambda rows: Batch([value for value, _ in rows], [header for _, header in rows])
)


def are_same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all through; what is no number is the same as what is no number."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return (
            one.dtype == other.dtype
            and np.asarray(one).tobytes() == np.asarray(other).tobytes()
            and (np.shape(one) == np.shape(other))
        )
    if isinstance(one, dict):
        pairs = zip(sorted(one.items(), key=repr_of_key), sorted(other.items(), key=repr_of_key), strict=False)
        return len(one) == len(other) and all(are_same(first, second) for first, second in pairs)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(are_same, one, other))
    if isinstance(one, Box):
        return are_same(one.corner, other.corner) and one.label == other.label
    return repr(one) == repr(other) or one == other


def repr_of_key(pair: tuple[Any, Any]) -> str:
    return repr(pair[0])
