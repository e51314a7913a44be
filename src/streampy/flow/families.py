"""Knows when all that became of an item has come to its end: its family, the parts and copies that were made of it.

Pure. It is told what the ledgers count; one at a time tells it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from streampy.model.item import Header

Family = tuple[str, int]
"""Stream and number of the item that was born."""
_COMING: Final = frozenset({"born", "split", "held"})
"""What makes more of an item; everything else that a ledger counts is an end."""


def family(header: Header) -> Family:
    """The family of an item, a part, or a copy."""
    return header[:2]


class Families:
    """How many parts and copies of each item are on their way."""

    def __init__(self) -> None:
        self._alive: dict[Family, int] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def count(self, what: str, header: Header, count: int = 1) -> bool:
        """Count as a ledger does; returns whether the family has ended by it.

        `held` stands for a unit that is not done with an item: what it gave so far may be gone before it gives more.
        """
        key = family(header)
        alive = self._alive.get(key, 0) + (count if what in _COMING else -count)
        if alive:
            self._alive[key] = alive
            return False
        self._alive.pop(key, None)
        return True
