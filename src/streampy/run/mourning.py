"""Tells the joins downstream when an item ended, so that nobody waits for it in vain.

The news goes straight to them, past the pipes between: it takes no room there and is never late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from streampy.model.item import Header, Tombstone
    from streampy.model.plan import Mourner, Plan


class Mourning(Protocol):
    """Who can be told: the inlet of a join, or an open output."""

    def bury(self, port: str, tombstone: Tombstone, ways: int) -> None:
        """Nothing of this item will come to `port`, on `ways` ways."""

    def close(self, port: str, header: Header, count: int, ways: int) -> None:
        """This item went into `count` parts, on `ways` ways."""


class Undertaker:
    """Knows who waits for the items of each output. Any thread may call it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._doors: dict[str, dict[str, Mourning]] = {}
        self._told: dict[tuple[str, str], tuple[tuple[Mourner, Mourning], ...]] = {}
        self._outputs = {name: tuple(unit.receivers) for name, unit in plan.units.items()}

    def introduce(self, unit: str, port: str, door: Mourning) -> None:
        """`door` mourns for an input of the unit, or (">PORT") for one of its open outputs."""
        self._doors.setdefault(unit, {})[port] = door

    def door(self, unit: str, port: str) -> Mourning | None:
        """Who mourns for this, see `introduce`; None where nobody does."""
        return self._doors.get(unit, {}).get(port)

    def has_mourners(self, unit: str) -> bool:
        """Whether anybody waits for anything that the unit emits."""
        return any(self._of(unit, port) for port in self._outputs[unit])

    def bury(self, unit: str, tombstone: Tombstone, port: str | None = None) -> None:
        """An item ended at the unit; nothing of it comes from `port`, or from any output."""
        for output in self._outputs[unit] if port is None else (port,):
            for mourner, door in self._of(unit, output):
                door.bury(mourner.input, tombstone, mourner.ways)

    def leave_out(self, unit: str, port: str, tombstone: Tombstone) -> None:
        """One of the parts that the unit made of an item does not come from `port`."""
        for mourner, door in self._known(self._plan.part_mourners[unit, port]):
            door.bury(mourner.input, tombstone, mourner.ways)

    def close(self, unit: str, port: str, header: Header, count: int) -> None:
        """An item went into `count` parts at an output of the unit, those that are left out there among them."""
        for mourner, door in self._of(unit, port):
            door.close(mourner.input, header, count, mourner.ways)

    def _of(self, unit: str, port: str) -> tuple[tuple[Mourner, Mourning], ...]:
        told = self._told.get((unit, port))
        if told is None:
            told = self._told[unit, port] = self._known(self._plan.mourners.get((unit, port), ()))
        return told

    def _known(self, mourners: tuple[Mourner, ...]) -> tuple[tuple[Mourner, Mourning], ...]:
        return tuple(
            (mourner, door)
            for mourner in mourners
            if (door := self._doors.get(mourner.unit, {}).get(mourner.input)) is not None
        )
