"""NumPy arrays and scalars as plain values and bytes, and back, held against what they claim.

Knows nothing of messages. An array is `[dtype, shape, order, bytes]`; its bytes are those of its memory, uncopied where
it is contiguous. NumPy is imported by whoever has an array, or is sent one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, Final

_PLAIN: Final = re.compile(r"[<>|=]([biufcSUV]\d{1,9}|[mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)")
"""What may stand for a dtype: no objects, no lists of fields in one text, no names of classes."""
_MOST_DTYPES: Final = 256
"""That are remembered: a stream is of one, or of few."""
_MOST_NESTED: Final = 16
_MOST_DIMENSIONS: Final = 32
Put = Callable[[memoryview], Any]
"""Takes the bytes of an array, and gives what goes instead of them."""


def plain_of(array: Any, put: Put) -> list[Any]:
    """An array of exactly `numpy.ndarray`, or a memmap. Raises TypeError for a dtype that can't go."""
    import numpy as np  # noqa: PLC0415 - not everybody has it

    told = _tell(array.dtype)
    order = "F" if array.flags.fnc else "C"
    flat = (array.T if order == "F" else np.ascontiguousarray(array)).reshape(-1).view(np.ndarray)
    return [told, list(array.shape), order, put(flat.view(np.uint8).data)]


def scalar_plain_of(scalar: Any, put: Put) -> list[Any]:
    """A NumPy scalar."""
    import numpy as np  # noqa: PLC0415 - as above

    return plain_of(np.asarray(scalar), put)


def array_of(plain: Any, get: Callable[[Any], memoryview]) -> Any:
    """The array again, read-only, a view of the bytes. Raises ValueError for whatever is not of that form."""
    import numpy as np  # noqa: PLC0415 - as above

    told, shape, order, place = plain
    dtype = _dtype(told) if type(told) is str else _build(told, 0)
    if type(shape) is not list or len(shape) > _MOST_DIMENSIONS or not {int}.issuperset(map(type, shape)):
        raise ValueError(f"an array's shape is a list of at most {_MOST_DIMENSIONS} int")
    data = memoryview(get(place)).cast("B").toreadonly()
    if order not in {"C", "F"} or (shape and min(shape) < 0) or prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape}, {dtype} has not {len(data)} bytes")
    return np.ndarray(shape, dtype, data, order=order)


def scalar_of(plain: Any, get: Callable[[Any], memoryview]) -> Any:
    """The scalar again."""
    array = array_of(plain, get)
    if array.shape:
        raise ValueError("a scalar has no shape")
    return array[()]


@lru_cache(_MOST_DTYPES)
def _tell(dtype: Any) -> Any:
    """A dtype as plain values: its text, or its fields."""
    told = _told(dtype)
    if told is None or dtype.itemsize == 0 or _build(told, 0) != dtype:
        raise TypeError(
            f"an array of dtype {dtype}, which has no safe form; expected numbers, times, or text of fixed size"
        )
    return told


def _told(dtype: Any) -> Any:
    if dtype.hasobject:
        return None
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return [_told(base), list(shape)]
    if dtype.names is None:
        return dtype.str if _PLAIN.fullmatch(dtype.str) else None
    fields = [dtype.fields[name] for name in dtype.names]
    titles = [one[2] if len(one) > 2 else None for one in fields]  # noqa: PLR2004 - a title is the third, if any
    return [list(dtype.names), [_told(one[0]) for one in fields], [one[1] for one in fields], titles, dtype.itemsize]


@lru_cache(_MOST_DTYPES)
def _dtype(told: str) -> Any:
    import numpy as np  # noqa: PLC0415 - as above

    if not _PLAIN.fullmatch(told):
        raise ValueError("the text of a dtype is none that is sent")
    dtype = np.dtype(told)
    if dtype.itemsize == 0:
        raise ValueError("an array's items have at least one byte")
    return dtype


def _build(told: Any, depth: int) -> Any:
    """See `_told`."""
    import numpy as np  # noqa: PLC0415 - as above

    if type(told) is str:
        return _dtype(told)
    if type(told) is not list or depth > _MOST_NESTED:
        raise ValueError("a dtype is a text or fields, not too deep")
    if len(told) == 2:  # noqa: PLR2004 - base and shape
        base, shape = told
        return np.dtype((_build(base, depth + 1), tuple(shape)))
    names, formats, offsets, titles, size = told
    if type(size) is not int or size < 1:
        raise ValueError("an array's items have at least one byte")
    if not {str, type(None)}.issuperset(map(type, titles)):
        raise ValueError("the title of a field is a text")
    built = [_build(one, depth + 1) for one in formats]
    return np.dtype({"names": names, "formats": built, "offsets": offsets, "titles": titles, "itemsize": size})
