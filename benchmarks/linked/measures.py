"""What is measured of links, and how it becomes a table. The ways take turns, round by round, so they share the noise.

Knows nothing of how the ways do it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from beside.environments import NotThere, python_of
from placed.one import measure
from placed.tables import Table, spread

WAYS: Final = {"bare": "bare socket, by hand", "ours": "StreamPy", "zeromq": "pyzmq", "rpc": "gRPC"}
_PINNED: Final = ("zeromq", "rpc")
_BATCH: Final = 64
_SLOWNESS: Final = (0.004, 0.008, 0.016)
"""Seconds that replicas take for an item: 4, 2 and 1 times as quick."""
_DELAY: Final = 0.05
_RATE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    rounds: int
    size: float
    """Of each measure: 1 is about half a second of the slowest way."""
    pythons: Mapping[str, str] = field(default_factory=dict)
    """The interpreter of each way that there is."""


def pythons_of(cache: Path) -> dict[str, str]:
    """The interpreter of each way; those of others in an environment of their own, which is made where it is missing.

    Says which can't be had, and why.
    """
    found = dict.fromkeys(("bare", "ours"), sys.executable)
    try:
        found |= dict.fromkeys(_PINNED, str(python_of("links", cache)))
    except NotThere as error:
        print(f"without pyzmq and gRPC: {error}", file=sys.stderr)
    return found


def frames(extent: Extent) -> Table:
    """A. Frames of 6 MB, one way, as fast as possible."""
    found = _in_turn(extent, {way: ("frames", {"count": int(150 * extent.size) + 20}) for way in WAYS})
    head = ["1080p frames, one way", "frames a second", "of a bare socket"]
    return Table("frames", head, _rates(found), raw=found)


def trips(extent: Extent) -> Table:
    """B. 64 bytes there and back, one after another."""
    count = int(1500 * extent.size) + 100
    asked = {way: ("trips", {"count": count}) for way in WAYS}
    found = _in_turn(extent, asked | {"rpc, stream": ("streamed_trips", {"count": count})})
    bare = found["bare"]
    rows = []
    for way, rounds in found.items():
        ratio = [one[0] / other[0] for one, other in zip(rounds, bare, strict=True)]
        p50, p99 = ([one[at] for one in rounds] for at in (0, 1))
        rows.append([_name(way), spread(p50, ",.0f"), spread(p99, ",.0f"), f"{median(ratio):,.1f}"])
    return Table("trips", ["64 bytes there and back", "p50 µs", "p99 µs", "p50 / bare socket"], rows, raw=found)


def small(extent: Extent) -> Table:
    """C. Small items as fast as possible."""
    rows, raw = [], {}
    for what, told in (("one_way", "one way"), ("there_and_back", "there and back")):
        for size in (1, _BATCH):
            many = {"bare": 20_000, "ours": 6_000, "zeromq": 20_000, "rpc": 6_000}
            asked = {
                way: (
                    what,
                    {
                        "count": (int(count * extent.size) // _BATCH + 4) * _BATCH * (1 if size == 1 else 4),
                        "size": size,
                    },
                )
                for way, count in many.items()
            }
            found = raw[f"{what} {size}"] = _in_turn(extent, asked)
            cells = [spread(found[way]) if way in found else "" for way in WAYS]
            rows.append([f"{told}, {'singly' if size == 1 else f'batches of {size}'}", *cells])
    return Table("small items", ["items a second", *WAYS.values()], rows, raw=raw)


def shares(extent: Extent) -> Table:
    """D. Three replicas of unequal speed."""
    rows, raw = [], {}
    for order in ("kept", "any"):
        settings = {"seconds": 1.0 + extent.size, "slowness": _SLOWNESS, "order": order}
        found = raw[order] = [measure("linked.ours", "shares", **settings) for _ in range(extent.rounds)]
        got = [spread([100 * one["shares"][at][1] for one in found], ".1f") for at in range(len(_SLOWNESS))]
        rates = spread([100 * one["rate"] for one in found], ".0f")
        rows.append(["results in order" if order == "kept" else "in any order", *got, rates])
    ideal = [100 / slow / sum(1 / one for one in _SLOWNESS) for slow in _SLOWNESS]
    rows.append(["ideal", *(f"{share:.1f}" for share in ideal), "100"])
    head = ["share of the items, %", "4 ms an item", "8 ms", "16 ms", "rate, % of the ideal one"]
    return Table("replicas", head, rows, raw=raw)


def far(extent: Extent) -> Table:
    """E. Frames at 30 a second over a line on which every byte takes 50 ms longer, each way."""
    seconds = 2.0 + 2.0 * extent.size
    found = [measure("linked.ours", "far", seconds=seconds, rate=_RATE, delay=_DELAY) for _ in range(extent.rounds)]
    cells = [spread([one[key] for one in found], ".1f") for key in ("rate", "p50", "p99")]
    head = ["1080p at 30/s, 50 ms each way", "results a second", "p50 ms", "p99 ms"]
    return Table("far", head, [["StreamPy, window 64", *cells]], raw=found)


def _in_turn(extent: Extent, asked: Mapping[str, tuple[str, dict[str, Any]]]) -> dict[str, list[Any]]:
    """What each way found in each round."""
    found: dict[str, list[Any]] = {}
    for _ in range(extent.rounds):
        for way, (what, settings) in asked.items():
            module = way.partition(",")[0]
            if module in extent.pythons:
                one = measure(f"linked.{module}", what, python=extent.pythons[module], **settings)
                found.setdefault(way, []).append(one)
    return found


def _rates(found: Mapping[str, Sequence[float]]) -> list[list[str]]:
    bare = found["bare"]
    return [
        [_name(way), spread(rates), f"{median([a / b for a, b in zip(rates, bare, strict=True)]):.0%}"]
        for way, rates in found.items()
    ]


def _name(way: str) -> str:
    module, _, rest = way.partition(",")
    return WAYS[module] + ("," + rest if rest else "")


MEASURES: Final[Mapping[str, Callable[[Extent], Table]]] = {
    "frames": frames,
    "trips": trips,
    "small": small,
    "shares": shares,
    "far": far,
}
