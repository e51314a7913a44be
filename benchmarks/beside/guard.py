"""Whether StreamPy stands to its peers and to the floor as it did in a run that was kept.

Pure: knows nothing of how ratios were measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

LIMIT = 0.15
"""The share by which a ratio may differ: what is more is told."""
Ratios = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Of each sheet, of each way of ours, to the best peer (`best`) and to the `floor`."""


def changes(kept: Ratios, now: Ratios, limit: float = LIMIT) -> list[str]:
    """A line for each ratio that differs by more than the limit, and for each that is there no more."""
    lines = []
    for sheet, way, to, before in _each(kept):
        if sheet not in now:  # that work was not measured
            continue
        after = now[sheet].get(way, {}).get(to)
        if after is None:
            lines.append(f"{sheet}: {way} to {_NAMES[to]}: {before:.3g} before, nothing now")
        elif abs(after / before - 1) > limit:
            lines.append(
                f"{sheet}: {way} to {_NAMES[to]}: {before:.3g} before, {after:.3g} now ({after / before - 1:+.0%})"
            )
    return lines


_NAMES = {"best": "the best peer", "floor": "the floor"}


def _each(ratios: Ratios) -> Iterator[tuple[str, str, str, float]]:
    for sheet, ways in ratios.items():
        for way, ones in ways.items():
            for to, ratio in ones.items():
                yield sheet, way, to, ratio
