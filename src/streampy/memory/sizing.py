"""How large a region is made, by what is to lie in it and by what there is.

Knows nothing of regions that are there already.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from streampy.memory.generations import GRANULE, Generations

_SHARE: Final = 0.8
"""Of what is free one arena takes no more, where it may take less than it would like: others come after it."""
_LEAST: Final = 2
"""Items: one is written while the other is read."""


def extent(items: int, item: int) -> int:
    """Bytes of a region in which so many items of so many bytes have room at once."""
    return Generations.extent(items * (-(-item // GRANULE) or 1))


def fitting(items: int, item: int, folder: Path) -> int:
    """How many of the items a region may have room for: all where the folder has so much, but 2 whatever it has."""
    space = os.statvfs(folder)
    most = int(space.f_bavail * space.f_frsize * _SHARE)
    if extent(items, item) <= most:
        return items
    return max(min(items, _LEAST), most // extent(1, item))
