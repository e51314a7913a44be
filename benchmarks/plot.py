"""Draws what `chain.py --json` wrote: how many small items a second each way carries, and how late frames are.

    python benchmarks/plot.py chain.json docs/pictures/chain.svg

Bars are logarithmic, because the ways differ by a hundred times: each line is ten times the one before it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path

LEFT, WIDTH, ROW, HEAD = 230, 380, 24, 46
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 } .tick { fill: #6e7781 }
.line { stroke: #d0d7de } .ours { fill: #0969da } .other { fill: #afb8c1 } .back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .tick { fill: #8b949e } .line { stroke: #30363d } .ours { fill: #4493f8 }
.other { fill: #6e7681 } .back { fill: #0d1117 } }
"""


def chart(title: str, rows: Sequence[tuple[str, float, str]], top: int) -> Iterator[str]:
    """One group of bars: rows of name, value, and the text behind the bar."""
    low = floor(log10(min(value for _, value, _ in rows)))
    high = ceil(log10(max(value for _, value, _ in rows)))
    bottom = top + HEAD + ROW * len(rows)
    yield f'<text class="title" x="10" y="{top + 18}">{escape(title)}</text>'
    for power in range(low, high + 1):
        x = LEFT + WIDTH * (power - low) / (high - low)
        yield f'<line class="line" x1="{x:.0f}" x2="{x:.0f}" y1="{top + HEAD - 4}" y2="{bottom}"/>'
        yield f'<text class="tick" x="{x:.0f}" y="{top + HEAD - 8}" text-anchor="middle">{10.0**power:,.9g}</text>'
    for number, (name, value, label) in enumerate(rows):
        y = top + HEAD + ROW * number
        kind = "ours" if name.startswith("StreamPy") else "other"
        long = WIDTH * (log10(value) - low) / (high - low)
        yield f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect class="{kind}" x="{LEFT}" y="{y + 4}" width="{long:.1f}" height="{ROW - 8}" rx="2"/>'
        yield f'<text x="{LEFT + WIDTH + 10}" y="{y + 16}">{escape(label)}</text>'


def draw(found: dict[str, list[dict[str, float]]]) -> str:
    """The whole picture, as SVG."""
    rates = [(str(one["way"]), one["median"], f"{one['median']:,.0f}") for one in found["rates"]]
    late = [(str(one["way"]), one["p99"], f"{one['p99']:.2f}") for one in found["latencies"]]
    middle = HEAD + ROW * len(rates) + 30
    height = middle + HEAD + ROW * len(late) + 14
    parts = [
        *chart("Small items a second through twelve units (logarithmic)", rates, 0),
        *chart("Latency of 1080p frames through twelve units, p99 in milliseconds", late, middle),
    ]
    return page(parts, height)


def page(parts: Iterable[str], height: int) -> str:
    """What was drawn, as SVG, as high as it is (pixels)."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" width="720" height="{height}">',
            f'<style>{STYLE}</style><rect class="back" width="720" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Read JSON, write SVG."""
    source, picture = map(Path, sys.argv[1:])
    picture.write_text(draw(json.loads(source.read_text())))


if __name__ == "__main__":
    main()
