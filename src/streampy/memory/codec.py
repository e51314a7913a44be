"""A value as bytes, and back: pickle protocol 5, its large buffers apart, so that they are copied once or never.

Knows nothing of where the bytes lie. Only for OS processes that trust each other: to unpickle is to run what came.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

_ARRAY: Final = b"numpy."
"""What is in the pickle of an array that is nothing else, behind its first bytes: no code of a user is run by it."""
_BEFORE: Final = 13
"""So many: protocol, length, and the length of a name."""
_KINDS: Final = 256
"""Of arrays whose pickles are kept: a stream is of one shape, or of few."""


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
        if kind is _array_type():
            return _reduce_array(value)
        return NotImplemented


def encode(value: object) -> Encoded:
    """A value as bytes. NumPy arrays, memoryviews, Arrow tables, and what else offers its buffers lie apart.

    Large `bytes` and `bytearray` are pieces of their own, so they are not copied here either.
    Raises what pickle raises for what can't be pickled: PicklingError, TypeError, AttributeError; with a note.
    """
    if type(value) is _array_type():
        array: Any = value
        if array.flags.forc and _is_buffer(array.dtype):
            return Encoded(
                (_pickle_array(array.dtype, array.shape, array.flags.fnc),), (pickle.PickleBuffer(array).raw(),)
            )
    pieces = _Pieces()
    found: list[pickle.PickleBuffer] = []
    try:
        _Pickler(pieces, 5, buffer_callback=found.append).dump(value)
    except BaseException as error:
        note_what(value, error)
        raise
    return Encoded(pieces, [one.raw() for one in found])


def decode(pickled: bytes | memoryview, buffers: Sequence[memoryview] = ()) -> Any:
    """The value again. Arrays and memoryviews in it are views of the buffers, read-only where these are."""
    if len(buffers) == 1 and pickled[_BEFORE : _BEFORE + len(_ARRAY)] == _ARRAY:
        kind = _array_kind(bytes(pickled), buffers[0].nbytes)
        if kind is not None:
            new, shape, dtype, order = kind
            return new(shape, dtype, buffers[0], order=order)
    return pickle.loads(pickled, buffers=buffers)  # noqa: S301 - between OS processes of one run


def note_what(value: object, error: BaseException) -> None:
    """Say with the error what could not be pickled, and what for."""
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    error.add_note(
        f"a value of type {name} was to be sent to another OS process, so it must be one that can be pickled"
    )


def _reduce_memoryview(view: memoryview) -> tuple[Any, ...]:
    data = pickle.PickleBuffer(view).raw() if view.c_contiguous else memoryview(view.tobytes())
    shape = view.shape if view.ndim != 1 else None
    form = view.format.lstrip("@<=" if sys.byteorder == "little" else "@>=")
    _restore_memoryview(data, form, shape)  # what can't be restored is an error here, not there
    return _restore_memoryview, (pickle.PickleBuffer(data), form, shape)


def _restore_memoryview(data: memoryview, form: Any, shape: tuple[int, ...] | None) -> memoryview:
    return data.cast(form) if shape is None else data.cast(form, shape)


def _array_type() -> Any:
    """NumPy's, where anybody has imported it."""
    return getattr(sys.modules.get("numpy"), "ndarray", None)


def _is_buffer(kind: Any) -> bool:
    """Whether an array of this dtype is no more than its bytes to NumPy too."""
    return kind.kind in "biufc" and kind.metadata is None


@lru_cache(_KINDS)
def _pickle_array(kind: Any, shape: tuple[int, ...], is_fortran: bool) -> bytes:  # noqa: FBT001 - positions are quicker
    """The pickle of an array without its buffer. To make it anew for each frame takes 4 µs."""
    array = sys.modules["numpy"].empty(shape, kind, "F" if is_fortran else "C")
    return pickle.dumps(array, 5, buffer_callback=lambda _: None)


@lru_cache(_KINDS)
def _array_kind(pickled: bytes, size: int) -> tuple[Any, tuple[int, ...], Any, str] | None:
    """What an array is made of, of which `_pickle_array` gave the pickle; None where it is another one's."""
    array = pickle.loads(pickled, buffers=[bytes(size)])  # noqa: S301 - between OS processes of one run
    if type(array) is not _array_type() or pickled != _pickle_array(array.dtype, array.shape, array.flags.fnc):
        return None
    return type(array), array.shape, array.dtype, "F" if array.flags.fnc else "C"


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
