"""W7 and W8: the faces example beside one plain loop, and what more units and more streams cost.

Knows nothing of the peers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from beside.catalogue import Way
from beside.figures import Column, Row, Sheet
from beside.one import Found
from beside.turns import Turns
from beside.works import row
from placed.tables import percentile

_RATE = 30.0
_LINE = re.compile(r"^(plain loop|StreamPy) +([\d.]+) +([\d.]+) +([\d.]+) ms", re.MULTILINE)
_SECONDS = 0.7
"""Of items, for each count."""
_LIMIT = 900.0


def faces(turns: Turns) -> Iterator[Sheet]:
    """W7. As `python -m examples.faces --compare` has it."""
    ended = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "examples.faces", "--compare", "--rounds", str(min(3, turns.extent.rounds))],
        capture_output=True, text=True, check=False, timeout=_LIMIT, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    rows = [
        Row(way, {"rate": [float(rate)], "cores": [float(cores)], "p95": [float(p95)]})
        for way, rate, cores, p95 in _LINE.findall(ended.stdout)
    ]
    why = "" if rows else (ended.stderr.strip().splitlines() or ["it told nothing"])[-1]
    columns = (Column("rate", "frames a second", ".1f"), Column("cores", "cores"), Column("p95", "p95 ms", ".1f"))
    rows = rows or [Row("StreamPy", why=why)]
    yield Sheet("W7", "faces in two cameras", rows, columns, "rate", more_is_better=True)


def units(turns: Turns) -> Iterator[Sheet]:
    """W8. So many units in a row, 30 small items a second."""
    for count in turns.extent.units:
        found = turns.take("W8 units", "one", rounds=1, item="time", units=count, rate=_RATE, seconds=_SECONDS)
        yield _grown(f"W8 units {count}", f"units in a row: {count}", found, count)


def streams(turns: Turns) -> Iterator[Sheet]:
    """W8. So many streams side by side, each of three units, 30 small items a second."""
    for count in turns.extent.streams:
        found = turns.take(
            "W8 streams", "one", rounds=1, item="time", units=3, rate=_RATE, seconds=_SECONDS, streams=count
        )
        yield _grown(f"W8 streams {count}", f"streams of three units side by side: {count}", found, 3)


def _grown(name: str, title: str, found: dict[Way, list[Found] | str], units: int) -> Sheet:
    rows = [row(way, ones, lambda one: _growth(one, units)) for way, ones in found.items()]
    columns = (
        Column("start", "start s", ".2f"), Column("hop", "a hop, µs", ",.1f"),
        Column("cpu", "CPU s", ",.1f"), Column("peak", "PSS MB", ",.0f"),
    )  # fmt: skip
    return Sheet(name, f"{title}, one OS process", rows, columns, "hop")


def _growth(found: Found, units: int) -> dict[str, float] | None:
    """Until the first item of each stream is through, and the median of what an item took, for each hop."""
    if not all(found.arrived) or not found.began:
        return None
    late = [at - made for notes in found.arrived for at, made in _behind_the_first(notes)]
    if not late:
        return None
    start = max(notes[0][0] for notes in found.arrived) - found.began
    return {"start": start, "hop": 1e6 * percentile(late, 0.5) / (units + 1)}


def _behind_the_first(notes: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return notes[1:]
