"""Knows when all that became of an item has come to its end: its family, the parts and copies that were made of it.

Pure. It is told what the ledgers count; one at a time tells it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streampy.model.item import Header

Family = tuple[str, int]
"""Stream and number of the item that was born."""
_COMING: Final = frozenset({"born", "split"})
"""What makes more of an item; everything else that a ledger counts is an end."""
_HELD: Final[Mapping[str, int]] = {"held": 1, "let go": -1}
"""A unit is not done with an item, and will count the parts that it makes of it only then: these may have ended."""


def family(header: Header) -> Family:
    """The family of an item, a part, or a copy."""
    return header[:2]


class Families:
    """How many parts and copies of each item are on their way."""

    def __init__(self) -> None:
        self._alive: dict[Family, int] = {}
        self._held: dict[Family, int] = {}

    def __len__(self) -> int:
        return len(self._alive.keys() | self._held.keys())

    def __contains__(self, key: Family) -> bool:
        """Whether anything of a family is on its way."""
        return key in self._alive or key in self._held

    def count(self, what: str, header: Header, count: int = 1) -> bool:
        """Count as a ledger does; returns whether the family has ended by it."""
        key = family(header)
        if what in _HELD:
            _add(self._held, key, _HELD[what] * count)
        else:
            _add(self._alive, key, count if what in _COMING else -count)
        return key not in self._alive and key not in self._held


def _add(counts: dict[Family, int], key: Family, count: int) -> None:
    total = counts.get(key, 0) + count
    if total:
        counts[key] = total
    else:
        counts.pop(key, None)
