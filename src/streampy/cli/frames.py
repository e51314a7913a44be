"""The frames around the units of used processes in a drawing: each goes along the layers, around these units alone.

Knows nothing of what is drawn inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ABOVE, BELOW = 18.0, 7.0
"""How far a frame is from what is in it: above there is its label; below and at the sides there is nothing."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a unit is drawn."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The units of a used process."""

    label: str
    levels: int
    """Of frames: 1 where there is none in it."""
    first: int
    """Its first layer."""
    stretches: tuple[tuple[tuple[str, ...], ...], ...]
    """Its units, by layer, from the top; a layer without any ends a stretch."""

    def outlines(self, boxes: Mapping[str, Box]) -> Iterator[str]:
        """A closed path for each stretch."""
        for stretch in self.stretches:
            upper, lower = [], []
            for layer in stretch:
                first, last = boxes[layer[0]], boxes[layer[-1]]
                left, right = first.x - BELOW * self.levels, first.x + first.width + BELOW * self.levels
                top, bottom = first.y - ABOVE * self.levels, last.y + last.height + BELOW * self.levels
                upper += [(left, top), (right, top)]
                lower += [(left, bottom), (right, bottom)]
            yield "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *reversed(lower)]) + " Z"

    def label_at(self, boxes: Mapping[str, Box]) -> tuple[float, float]:
        """Where the label begins."""
        first = boxes[self.stretches[0][0][0]]
        return first.x - BELOW * self.levels + 6, first.y - ABOVE * self.levels + 12


def frames_of(groups: Mapping[str, str], layers: Sequence[Sequence[str]]) -> list[Frame]:
    """The frames of a plan, those around others first. groups: the used processes, see `Plan.groups`."""
    found = []
    for name, used_as in groups.items():
        inside = [group for group in groups if group.startswith(f"{name}/")]
        levels = 1 + max((group.count("/") - name.count("/") for group in inside), default=0)
        rows = [tuple(unit for unit in layer if unit.startswith(f"{name}/")) for layer in layers]
        first = next(number for number, row in enumerate(rows) if row)
        found.append(Frame(f"{name.rpartition('/')[2]} · {used_as}", levels, first, _stretches(rows)))
    return sorted(found, key=lambda frame: -frame.levels)


def _stretches(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    stretches: list[list[tuple[str, ...]]] = [[]]
    for row in rows:
        if row:
            stretches[-1].append(row)
        elif stretches[-1]:
            stretches.append([])
    return tuple(tuple(stretch) for stretch in stretches if stretch)
