"""A value as bytes, and back: pickle protocol 5, its large buffers apart, so that they are copied once or never.

Knows nothing of where the bytes lie. Only for OS processes that trust each other: to unpickle is to run what came.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple


class Encoded(NamedTuple):
    """A value as bytes: `pieces` in a row are the pickle, `buffers` lie apart from it. All are the value's own memory.

    So the value must not change until they were copied.
    """

    pieces: Sequence[bytes | bytearray]
    buffers: Sequence[memoryview]
    """Contiguous bytes each."""


class _Pieces(list[bytes | bytearray]):
    """A file to the pickler, which hands large `bytes` over as they are, uncopied."""

    write = list.append


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any, /) -> Any:
        kind = type(value)
        if kind is memoryview:
            return _reduce_memoryview(value)
        if kind is getattr(sys.modules.get("numpy"), "ndarray", None):
            return _reduce_array(value)
        return NotImplemented


def encode(value: object) -> Encoded:
    """A value as bytes. NumPy arrays, memoryviews, Arrow tables, and what else offers its buffers lie apart.

    Large `bytes` and `bytearray` are pieces of their own, so they are not copied here either.
    Raises what pickle raises for what can't be pickled: PicklingError, TypeError, AttributeError.
    """
    pieces = _Pieces()
    found: list[pickle.PickleBuffer] = []
    _Pickler(pieces, 5, buffer_callback=found.append).dump(value)
    return Encoded(pieces, [one.raw() for one in found])


def decode(pickled: bytes | memoryview, buffers: Sequence[memoryview] = ()) -> Any:
    """The value again. Arrays and memoryviews in it are views of the buffers, read-only where these are."""
    return pickle.loads(pickled, buffers=buffers)  # noqa: S301 - between OS processes of one run


def _reduce_memoryview(view: memoryview) -> tuple[Any, ...]:
    data = pickle.PickleBuffer(view).raw() if view.c_contiguous else memoryview(view.tobytes())
    shape = view.shape if view.ndim != 1 else None
    form = view.format.lstrip("@<=" if sys.byteorder == "little" else "@>=")
    _restore_memoryview(data, form, shape)  # what can't be restored is an error here, not there
    return _restore_memoryview, (pickle.PickleBuffer(data), form, shape)


def _restore_memoryview(data: memoryview, form: Any, shape: tuple[int, ...] | None) -> memoryview:
    return data.cast(form) if shape is None else data.cast(form, shape)


def _reduce_array(array: Any) -> Any:
    """NumPy offers the buffer of a contiguous array only, and none of dates; others it would copy into the pickle."""
    kind = array.dtype
    if kind.hasobject or not kind.itemsize:
        return array.__reduce_ex__(5)
    if kind.kind in "mM" or kind.names is not None:  # records may hold dates
        return _restore_kind, (array.view(f"V{kind.itemsize}"), kind)
    return (array if array.flags.forc else array.copy()).__reduce_ex__(5)


def _restore_kind(array: Any, kind: Any) -> Any:
    return array.view(kind)
