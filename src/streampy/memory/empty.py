"""Arrays that are made in shared memory at once, so that what a unit writes there is not copied when it is sent.

Knows nothing of who will read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, SupportsIndex

from streampy.memory.packing import INLINE
from streampy.memory.region import NoSharedMemory

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from streampy.memory.arena import Arena


class _Here:
    """Of this OS process."""

    arena: Arena | None = None


def make_arrays_in(arena: Arena | None) -> None:
    """From now on `empty` makes its arrays there, whatever thread or task asks; None: in plain memory."""
    _Here.arena = arena


def empty(shape: SupportsIndex | Sequence[SupportsIndex], dtype: DTypeLike = float) -> NDArray[Any]:
    """An array as of `numpy.empty`, in C order, that goes to other OS processes without being copied.

    Make a new one for each item, and don't write to it once it is emitted: others read it then. It is plain memory, and
    copied as any array, outside of an OS process that sends to others, where it is small, where its dtype holds Python
    objects, and where there is no room now. Needs NumPy.
    """
    import numpy as np  # noqa: PLC0415 - whoever asks for an array has it; nobody else needs it

    kind = np.dtype(dtype)
    extent = tuple(map(int, shape)) if isinstance(shape, Sequence) else (int(shape),)
    size = prod(extent) * kind.itemsize
    arena = _Here.arena
    if arena is None or size <= INLINE or kind.hasobject:
        return np.empty(extent, kind)
    try:
        block = arena.take(size)
    except (NoSharedMemory, ValueError):  # the latter where the arena was closed meanwhile
        block = None
    return np.empty(extent, kind) if block is None else np.ndarray(extent, kind, buffer=block.view)
