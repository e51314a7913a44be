"""Opens what came sealed, however a join has put it together.

Knows nothing of how it came.
"""

from __future__ import annotations

from typing import Any

from streampy.memory.sealed import Sealed
from streampy.model.item import Item


def opened(value: Any) -> Any:
    """The value itself; of a tuple of arguments, the parts in a list, or an item, what is in it too."""
    kind = type(value)
    if kind is Sealed:
        return value.open()
    if kind is Item:
        return Item(opened(value.value), value.header)
    if kind is tuple:
        return tuple(map(opened, value))
    if kind is list:
        return list(map(opened, value))
    return value
