"""The frames in a drawing, around the units of segments and of used processes: along the layers, around these alone.

Knows nothing of what is drawn inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streampy.cli.words import segment_in_short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streampy.model.plan import Plan

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
    """The units of a segment, or of a used process."""

    label: str
    is_segment: bool
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

    def labels(self, boxes: Mapping[str, Box]) -> Iterator[tuple[float, float, str]]:
        """Where the label begins; the further stretches of a segment only have its name."""
        for number, stretch in enumerate(self.stretches if self.is_segment else self.stretches[:1]):
            first = boxes[stretch[0][0]]
            text = self.label.partition(" · ")[0] if number else self.label
            yield first.x - BELOW * self.levels + 6, first.y - ABOVE * self.levels + 12, text


def depth_of(plan: Plan) -> int:
    """How many frames lie around each other at the most."""
    return _depth(plan.units) + bool(plan.segments)


def frames_of(plan: Plan, layers: Sequence[Sequence[str]]) -> list[Frame]:
    """The frames of a plan, those around others first."""
    found = []
    for segment in plan.segments.values():
        levels = 1 + _depth(segment.units)
        found.append(_frame(segment_in_short(segment), set(segment.units), levels, layers, is_segment=True))
    for name, used_as in plan.groups.items():
        inside = {unit for unit in plan.units if unit.startswith(f"{name}/")}
        levels = _depth(inside) - name.count("/")
        found.append(_frame(f"{name.rpartition('/')[2]} · {used_as}", inside, levels, layers))
    return sorted(found, key=lambda frame: -frame.levels)


def _depth(units: Iterable[str]) -> int:
    """How many used processes lie around each other, at the most, with one of the units in them."""
    return max((name.count("/") for name in units), default=0)


def _frame(
    label: str, inside: AbstractSet[str], levels: int, layers: Sequence[Sequence[str]], *, is_segment: bool = False
) -> Frame:
    rows = [tuple(unit for unit in layer if unit in inside) for layer in layers]
    first = next(number for number, row in enumerate(rows) if row)
    return Frame(label, is_segment, levels, first, _stretches(rows))


def _stretches(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    stretches: list[list[tuple[str, ...]]] = [[]]
    for row in rows:
        if row:
            stretches[-1].append(row)
        elif stretches[-1]:
            stretches.append([])
    return tuple(tuple(stretch) for stretch in stretches if stretch)
