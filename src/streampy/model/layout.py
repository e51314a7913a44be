"""Where each unit stands in a drawing of a plan: layers from the sources on, few crossings, straight long links.

The way of Sugiyama, Tagawa and Toda (1981): layers by the longest way, bends for links that pass a layer, order by
barycentres, then heights by least squares. Units of length are the caller's. Knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from streampy.model.plan import Link, Plan

_SWEEPS = 12
_BEND_GAP = 0.6
"""How much nearer than two units a link may pass, as a share of the gap."""

Bend = tuple[str, str, int]
"""Where the links from an output (unit, port) pass a layer; they share it, so that they look like one that forks."""
Spot = str | Bend


@dataclass(frozen=True, slots=True)
class Layout:
    """Layers from left to right, and the height of the middle of everything in them, from 0 down."""

    layers: tuple[tuple[str, ...], ...]
    """The units of each, from the top."""
    heights: Mapping[str, float]
    bends: Mapping[Link, tuple[tuple[int, float], ...]]
    """Layer and height of each bend of a link that passes layers; empty for others."""
    bottom: float


def lay_out(plan: Plan, sizes: Mapping[str, float], gap: float) -> Layout:
    """Find a place for every unit. sizes: how high each is; gap: what is to be left between two."""
    layer_of = _layers(plan)
    ways = {link: _way(link, layer_of) for link in plan.links if not link.feedback}
    rows = _first_rows(plan, layer_of, ways)
    neighbours = _Neighbours(plan, ways)
    rows = _uncross(rows, neighbours, _groups(ways, plan))
    room = {spot: sizes[spot] if isinstance(spot, str) else 0.0 for row in rows for spot in row}
    heights = _straighten(rows, neighbours, room, gap)
    top = min((heights[spot] - room[spot] / 2 for spot in heights), default=0.0)
    heights = {spot: height - top for spot, height in heights.items()}
    return Layout(
        layers=tuple(tuple(spot for spot in row if isinstance(spot, str)) for row in rows),
        heights={spot: height for spot, height in heights.items() if isinstance(spot, str)},
        bends={
            link: tuple((spot[2], heights[spot]) for spot in way if not isinstance(spot, str))
            for link, way in ways.items()
        },
        bottom=max((heights[spot] + room[spot] / 2 for spot in heights), default=0.0),
    )


def _layers(plan: Plan) -> dict[str, int]:
    """The longest way from a source; a source stands as near to what it feeds as it can."""
    layers: dict[str, int] = {}
    for name, unit in plan.units.items():  # senders come before receivers
        links = [link for entry in unit.inputs.values() for link in entry.links if not link.feedback]
        layers[name] = max((layers[link.sender] + 1 for link in links), default=0)
    for name, unit in plan.units.items():
        fed = [layers[link.receiver] for links in unit.receivers.values() for link in links if not link.feedback]
        if fed and not unit.inputs:
            layers[name] = min(fed) - 1
    return layers


def _way(link: Link, layer_of: Mapping[str, int]) -> list[Spot]:
    between = range(layer_of[link.sender] + 1, layer_of[link.receiver])
    return [link.sender, *((link.sender, link.output, layer) for layer in between), link.receiver]


def _first_rows(plan: Plan, layer_of: Mapping[str, int], ways: Mapping[Link, list[Spot]]) -> list[list[Spot]]:
    rows: list[list[Spot]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for name in plan.units:
        rows[layer_of[name]].append(name)
    for way in ways.values():
        for spot in way:
            if not isinstance(spot, str) and spot not in rows[spot[2]]:
                rows[spot[2]].append(spot)
    return rows


def _groups(ways: Mapping[Link, list[Spot]], plan: Plan) -> dict[Spot, tuple[str, ...]]:
    """The segment and the used processes that each spot lies in, from the outermost on; a bend lies where all do."""
    groups: dict[Spot, tuple[str, ...]] = {
        name: (*filter(None, [plan.segment_of(name)]), *name.split("/")[:-1]) for name in plan.units
    }
    for link, way in ways.items():
        for bend in way[1:-1]:
            groups[bend] = _common(groups.get(bend, groups[link.sender]), groups[link.receiver])
    return groups


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(name for name, _ in pairs)


class _Neighbours:
    """What stands beside each spot in the layer before and in the one after, and at which of their ports."""

    def __init__(self, plan: Plan, ways: Mapping[Link, list[Spot]]) -> None:
        self.before: dict[Spot, list[Spot]] = {}
        self.after: dict[Spot, list[Spot]] = {}
        self._ports: dict[tuple[Spot, Spot], tuple[float, float]] = {}
        for link, way in ways.items():
            for left, right in pairwise(way):
                if (left, right) in self._ports:
                    continue
                self._ports[left, right] = (
                    _share(link.output, plan.units[left].receivers) if isinstance(left, str) else 0.0,
                    _share(link.input, plan.units[right].inputs) if isinstance(right, str) else 0.0,
                )
                self.after.setdefault(left, []).append(right)
                self.before.setdefault(right, []).append(left)

    def of(self, spot: Spot, *, leftward: bool) -> list[Spot]:
        return (self.before if leftward else self.after).get(spot, [])

    def port(self, spot: Spot, beside: Spot, *, leftward: bool) -> float:
        """How far from its middle the neighbour's end of the link is, as a share of its height."""
        return self._ports[beside, spot][0] if leftward else self._ports[spot, beside][1]


def _share(port: str, ports: Mapping[str, object]) -> float:
    return (list(ports).index(port) + 1) / (len(ports) + 1) - 0.5


def _uncross(
    rows: list[list[Spot]], neighbours: _Neighbours, groups: Mapping[Spot, tuple[str, ...]]
) -> list[list[Spot]]:
    """Order each layer by where its neighbours stand, there and back, from either end; keep the best that was seen.

    The units of a used process stay together in each layer.
    """
    rows = [_together(row, list(range(len(row))), groups) for row in rows]
    best, fewest = rows, _crossings(rows, neighbours)
    for first in (0, 1):
        swept = rows
        for sweep in range(first, first + _SWEEPS):
            swept = _sweep(swept, neighbours, groups, leftward=sweep % 2 == 0)
            crossings = _crossings(swept, neighbours)
            if crossings < fewest:
                best, fewest = swept, crossings
    return best


def _together(
    row: Sequence[Spot], wanted: Sequence[float], groups: Mapping[Spot, tuple[str, ...]], depth: int = 0
) -> list[Spot]:
    """Order by where each is wanted; what lies in one group stands together, where its members are on the average."""
    parts: dict[Spot | tuple[str], list[tuple[float, Spot]]] = {}
    for place, spot in zip(wanted, row, strict=True):
        inside = groups[spot][depth : depth + 1]
        parts.setdefault((inside[0],) if inside else spot, []).append((place, spot))
    in_order = sorted(parts.items(), key=lambda part: sum(place for place, _ in part[1]) / len(part[1]))
    ordered: list[Spot] = []
    for name, members in in_order:
        places, spots = [place for place, _ in members], [spot for _, spot in members]
        is_group = isinstance(name, tuple) and len(name) == 1
        ordered += _together(spots, places, groups, depth + 1) if is_group else spots
    return ordered


def _sweep(
    rows: list[list[Spot]], neighbours: _Neighbours, groups: Mapping[Spot, tuple[str, ...]], *, leftward: bool
) -> list[list[Spot]]:
    ordered = [list(row) for row in rows]
    for number in range(len(ordered)) if leftward else reversed(range(len(ordered))):
        index = {spot: i for one in ordered for i, spot in enumerate(one)}

        def middle(spot: Spot, index: Mapping[Spot, int] = index) -> float:
            beside = neighbours.of(spot, leftward=leftward)
            ends = [index[one] + neighbours.port(spot, one, leftward=leftward) for one in beside]
            return sum(ends) / len(ends) if ends else index[spot]

        ordered[number] = _together(ordered[number], [middle(spot) for spot in ordered[number]], groups)
    return ordered


def _crossings(rows: Sequence[Sequence[Spot]], neighbours: _Neighbours) -> int:
    count = 0
    for left, right in pairwise(rows):
        index = {spot: i for i, spot in enumerate(right)}
        links = sorted(
            (
                i + neighbours.port(other, spot, leftward=True),
                index[other] + neighbours.port(spot, other, leftward=False),
            )
            for i, spot in enumerate(left)
            for other in neighbours.after.get(spot, [])
        )
        ends = [end for _, end in links]
        count += sum(one > other for i, one in enumerate(ends) for other in ends[i + 1 :])
    return count


def _straighten(
    rows: list[list[Spot]], neighbours: _Neighbours, room: Mapping[Spot, float], gap: float
) -> dict[Spot, float]:
    """Move each layer towards its neighbours, as near as order and room allow."""
    heights: dict[Spot, float] = {}
    for row in rows:
        heights |= zip(row, _spread(row, [0.0] * len(row), [1.0] * len(row), room, gap), strict=True)
    for sweep in range(2 * _SWEEPS):
        leftward = sweep % 2 == 0
        for row in rows if leftward else rows[::-1]:
            wanted, weights = [], []
            for spot in row:
                beside = neighbours.of(spot, leftward=leftward) or neighbours.of(spot, leftward=not leftward)
                wanted.append(sum(heights[one] for one in beside) / len(beside) if beside else heights[spot])
                weights.append(1.0 if isinstance(spot, str) else 4.0)  # what only passes by shall be straight
            heights |= zip(row, _spread(row, wanted, weights, room, gap), strict=True)
    return heights


def _spread(
    row: Sequence[Spot], wanted: Sequence[float], weights: Sequence[float], room: Mapping[Spot, float], gap: float
) -> list[float]:
    """The heights nearest to the wanted ones (least squares) that keep order and distance: pool adjacent violators."""
    offsets = [0.0]
    for upper, lower in pairwise(row):
        share = 1.0 if isinstance(upper, str) and isinstance(lower, str) else _BEND_GAP
        offsets.append(offsets[-1] + (room[upper] + room[lower]) / 2 + gap * share)
    blocks: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets[: len(row)], strict=True):
        mean, mass, size = want - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other_mean, other_mass, other_size = blocks.pop()
            mean = (mean * mass + other_mean * other_mass) / (mass + other_mass)
            mass, size = mass + other_mass, size + other_size
        blocks.append((mean, mass, size))
    means = [mean for mean, _, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]
