"""Arrays that are made in shared memory at once, so that what a unit writes there is not copied when it is sent.

Knows nothing of who will read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import TYPE_CHECKING, Any, SupportsIndex

from streampy.memory.blocks import Blocks, TooLarge
from streampy.memory.parcel import INLINE

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_here: ContextVar[Blocks] = ContextVar("streampy_blocks")


@contextmanager
def made_in(blocks: Blocks) -> Iterator[None]:
    """Within, in this thread or task, `empty` makes its arrays in these blocks."""
    before = _here.set(blocks)
    try:
        yield
    finally:
        _here.reset(before)


def empty(shape: SupportsIndex | Sequence[SupportsIndex], dtype: DTypeLike = float) -> NDArray[Any]:
    """An array as of `numpy.empty`, in C order, that goes to other OS processes without being copied.

    Make a new one for each item, and don't write to it once it is emitted: others read it then. It is plain memory, and
    copied as any array, outside of a worker that sends to other OS processes, where it is small, where its dtype holds
    Python objects, and where there is no room now. Needs NumPy.
    """
    import numpy as np  # noqa: PLC0415 - whoever asks for an array has it; nobody else needs it

    kind = np.dtype(dtype)
    extent = tuple(map(int, shape)) if isinstance(shape, Sequence) else (int(shape),)
    blocks = _here.get(None)
    size = prod(extent) * kind.itemsize
    if blocks is None or size <= INLINE or kind.hasobject:
        return np.empty(extent, kind)
    try:
        block = blocks.take(size)
    except TooLarge:
        block = None
    return np.empty(extent, kind) if block is None else np.ndarray(extent, kind, buffer=block.view)
