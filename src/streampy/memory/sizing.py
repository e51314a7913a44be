"""How large a region is made, by what is to lie in it and by what there is.

Knows nothing of regions that are there already.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from streampy.memory.generations import GRANULE, Generations
from streampy.memory.packing import INLINE
from streampy.memory.region import FOLDER, NoSharedMemory

_SHARE: Final = 0.8
"""Of what is free all arenas together take no more, where they may take less than they would like."""
_LEAST: Final = 2
"""Items: one is written while the other is read."""


def extent(items: int, item: int) -> int:
    """Bytes of a region in which so many items of so many bytes have room at once."""
    return Generations.extent(items * (-(-item // GRANULE) or 1))


def require(arenas: Iterable[tuple[int, int]], folder: Path = FOLDER) -> None:
    """Whether the folder has now what arenas will reserve, of which this many items of this many bytes are stated.

    Raises NoSharedMemory, with what all of them take together.
    """
    asked = sum(extent(items, item + INLINE) for items, item in arenas)
    if asked > (free := _free(folder)):
        raise NoSharedMemory(str(folder), asked, free)


def fitting(items: int, item: int, folder: Path, sharers: int = 1) -> int:
    """How many of the items a region may have room for: all where the folder has so much for each of the sharers.

    sharers: arenas that are to have room there. At least it is 2, whatever there is.
    """
    most = int(_free(folder) * _SHARE / sharers)
    if extent(items, item) <= most:
        return items
    return max(min(items, _LEAST), most // extent(1, item))


def _free(folder: Path) -> int:
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize
