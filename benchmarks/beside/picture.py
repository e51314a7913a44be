"""Draws some of what was found: how late frames are, and how many items and frames a second each way carries.

Knows nothing of how it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from beside.figures import Sheet
from plot import HEAD, ROW, chart, page

_SHOWN = ("W1 one", "W1 many", "W2 singly one", "W2 singly many", "W3 many")


def draw(sheets: Sequence[Sheet]) -> str:
    """The whole picture, as SVG: for each of the sheets that are there, bars from the best to the worst."""
    parts: list[str] = []
    top = 0
    for sheet in (sheet for sheet in sheets if sheet.name in _SHOWN):
        rows = [(row.way.replace("`", ""), median(row.figures[sheet.main])) for row in sheet.rows if row.figures]
        if rows:
            rows.sort(key=lambda one: one[1], reverse=sheet.more_is_better)
            what = next(column.head for column in sheet.columns if column.key == sheet.main)
            form = ",.0f" if sheet.more_is_better else ",.2f"
            bars = [(way, value, f"{value:{form}}") for way, value in rows]
            parts += chart(f"{sheet.title}: {what} (logarithmic)", bars, top)
            top += HEAD + ROW * len(rows) + 30
    return page(parts, top)
