"""W1 to W4: frames at the rate of a camera, small items, frames as fast as possible, and more workers.

Each gives sheets: one for all units in one OS process, one for an OS process each. Knows nothing of the peers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from beside.catalogue import Place, Way
from beside.figures import Column, Row, Sheet
from beside.one import Found
from beside.turns import Turns
from placed.pictures import RATE
from placed.spins import loops_of
from placed.tables import percentile

PLACES: dict[Place, str] = {"one": "one OS process", "many": "an OS process for each unit"}
COSTS = (Column("cpu", "CPU s", ",.1f"), Column("peak", "PSS MB", ",.0f"))
WORK = 0.005
"""Seconds of pure Python for each item of the CPU-bound unit."""
_WARM = 1.0
"""Seconds of frames, and ..."""
_WARM_SHARE = 0.1
"""... the share of what is as fast as possible, that is discarded: memory and caches are new then."""
_FEW = 5
"""Frames that tell nothing."""
_Figures = Callable[[Found], Mapping[str, float] | None]


def latency(turns: Turns) -> Iterator[Sheet]:
    """W1. Twelve units, 1080p at 30 a second, each reading every fourth row."""
    note = "Who can't keep up falls behind, and is the later the longer it goes on."
    for place, where in PLACES.items():
        seconds = turns.extent.frames + _WARM
        job: dict[str, Any] = {"item": "frame", "does": "touch", "rate": RATE, "capacity": 8}
        found = turns.take("W1", place, look=0.5, seconds=seconds, **job)
        columns = [Column(key, f"{key} ms") for key in ("p50", "p99", "max")]
        rows = [row(way, ones, _lateness) for way, ones in found.items()]
        yield Sheet(f"W1 {place}", f"1080p at 30/s, {where}", rows, (*columns, *COSTS), "p50", note=note)


def small(turns: Turns) -> Iterator[Sheet]:
    """W2. Small items through twelve units, singly and in batches of 64."""
    for size, items, capacity in ((1, "number", 256), (64, "batch", 4)):
        for place, where in PLACES.items():
            found = turns.take("W2", place, item=items, size=size, capacity=capacity, seconds=turns.extent.burst)
            how = "singly" if size == 1 else f"in lists of {size}"
            rows = [row(way, ones, _numbers_a_second) for way, ones in found.items()]
            columns = (Column("rate", "items a second", ",.0f"), *COSTS)
            yield Sheet(f"W2 {how} {place}", f"small items {how}, {where}", rows, columns, "rate", more_is_better=True)


def frames(turns: Turns) -> Iterator[Sheet]:
    """W3. 1080p as fast as possible, through two units that look at a pixel."""
    for place, where in PLACES.items():
        found = turns.take("W3", place, item="frame", does="pass_on", units=2, capacity=4, seconds=turns.extent.burst)
        rows = [row(way, ones, _notes_a_second) for way, ones in found.items()]
        columns = (Column("rate", "frames a second", ",.0f"), *COSTS)
        yield Sheet(f"W3 {place}", f"1080p, {where}", rows, columns, "rate", more_is_better=True)


def workers(turns: Turns) -> Iterator[Sheet]:
    """W4. One unit of pure Python, 5 ms an item, with one worker and with two."""
    job: dict[str, Any] = {"does": "spin", "units": 1, "loops": loops_of(WORK), "capacity": 8}
    seconds = max(1.0, turns.extent.burst)
    job["count"] = int(2.5 * seconds / WORK)  # more than two can do, in case a peer takes items long before it can
    one, two = (turns.take("W4", "many", workers=count, seconds=seconds, **job) for count in (1, 2))
    rows = []
    for way, with_one in one.items():
        with_two = two[way]
        if isinstance(with_one, str) or isinstance(with_two, str):
            rows.append(Row(way.label, why=with_one if isinstance(with_one, str) else str(with_two)))
            continue
        pairs = [(_spins(a), _spins(b)) for a, b in zip(with_one, with_two, strict=True)]
        figures = {"one": [a for a, _ in pairs], "two": [b for _, b in pairs], "up": [b / a for a, b in pairs]}
        order = _order(with_two)
        lacks = ("order",) if order == "lost" else ()
        rows.append(Row(way.label, figures, {"order": order}, lacks=lacks, leaves_out=way.leaves_out))
    columns = (Column("one", "one worker, a second"), Column("two", "two, a second"), Column("up", "speed-up"))
    note = "Threads are left out: Python runs one of them at a time."
    yield Sheet("W4", "5 ms of pure Python", rows, columns, "two", more_is_better=True, words=("order",), note=note)


def row(way: Way, found: Sequence[Found] | str, figures_of: _Figures) -> Row:
    """Of a way, its figures from each round, and what that cost."""
    if isinstance(found, str):
        return Row(way.label, why=found)
    figures: dict[str, list[float]] = {}
    for one in found:
        for key, value in (figures_of(one) or {}).items():
            figures.setdefault(key, []).append(value)
        figures.setdefault("cpu", []).append(one.cpu)
        figures.setdefault("peak", []).append(one.peak / 1e6)
    if len(figures) == len(COSTS):
        return Row(way.label, why="too few items arrived to tell")
    return Row(way.label, figures, leaves_out=way.leaves_out)


def _lateness(found: Found) -> dict[str, float] | None:
    """Milliseconds from when a frame was made until the sink has it."""
    (notes,) = found.arrived
    late = [1000 * (at - made) for at, made in notes if made > notes[0][0] + _WARM]
    if len(late) < _FEW:
        return None
    return {"p50": percentile(late, 0.5), "p99": percentile(late, 0.99), "max": max(late)}


def _warm(found: Found) -> list[tuple[float, float]]:
    (notes,) = found.arrived
    return notes[1 + int(_WARM_SHARE * len(notes)) :]  # the first one went ahead


def _numbers_a_second(found: Found) -> dict[str, float] | None:
    """By the numbers of the items, of which not each is noted."""
    notes = _warm(found)
    return {"rate": (notes[-1][1] - notes[0][1]) / (notes[-1][0] - notes[0][0])} if len(notes) > 1 else None


def _notes_a_second(found: Found) -> dict[str, float] | None:
    notes = _warm(found)
    return {"rate": (len(notes) - 1) / (notes[-1][0] - notes[0][0])} if len(notes) > 1 else None


def _spins(found: Found) -> float:
    return found.told.get("rate") or (_notes_a_second(found) or {"rate": 0.0})["rate"]


def _order(found: Sequence[Found]) -> str:
    """Whether the numbers came as they were sent."""
    numbers = [[number for _, number in one.arrived[0]] for one in found]
    if not any(numbers):
        return "none"
    return "kept" if all(one == sorted(one) for one in numbers) else "lost"
