"""What was measured in a run, for people: the ledger, and the time that each hop took.

Knows nothing of how it is measured.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from streampy.model.measure import format_duration

if TYPE_CHECKING:
    from streampy.flow.ledger import Account
    from streampy.flow.meter import Summary
    from streampy.model.plan import Plan, UnitPlan
    from streampy.run.stats import Stats

_PERCENTILES = ("p50", "p95", "p99")
_TITLES = ["unit", "in", "out", "lost", "waited p50", "p95", "p99", "worked p50", "p95", "p99", "busy", "gil"]


def show_summary(plan: Plan, stats: Stats) -> None:
    """Write it to stderr."""
    rate = stats.ledger.born / stats.seconds if stats.seconds else 0.0
    rows = [_TITLES, *(row for name, unit in plan.units.items() for row in _rows(name, unit, stats))]
    ends = {unit: latency for unit, latency in stats.latency.items() if latency.count}
    lines = [
        f"{plan.name}: {_count(stats.ledger.born)} items in {format_duration(stats.seconds)}, {rate:,.1f}/s",
        f"  {balance(stats.ledger)}",
        *_columns(rows),
        *(f"  born to {unit}: {_times(latency)}, max {format_duration(latency.max)}" for unit, latency in ends.items()),
        *(f"  {hog}" for hog in stats.hogs),
    ]
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _columns(rows: list[list[str]]) -> list[str]:
    """The first column from the left, the others from the right; a window that is too narrow may fold them."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def balance(ledger: Account) -> str:
    """`born 300 + split 20 = joined 20 + delivered 295 + dropped 5`: what came in, and how it ended."""
    came = [
        f"{name} {_count(count)}" for name in ("born", "split") if (count := getattr(ledger, name)) or name == "born"
    ]
    ways = ("joined", "delivered", "filtered", "dropped", "failed", "expired", "in_flight")
    went = [f"{way.replace('_', ' ')} {_count(count)}" for way in ways if (count := getattr(ledger, way))]
    return f"{' + '.join(came)} {'=' if ledger.balanced else '≠'} {' + '.join(went) or '0'}"


def _rows(name: str, unit: UnitPlan, stats: Stats) -> list[list[str]]:
    """A line for a unit; where it has several inputs, one more for each further pipe."""
    told = stats.units[name]
    waits = [_pipe(port, name, stats, several=len(unit.inputs) > 1) for port in unit.inputs] or [("", [""] * 3, 0)]
    first, wait, lost = waits[0]
    workers = f" x{told.workers}" if told.workers > 1 else ""
    came = _count(told.received) if unit.inputs else ""
    share = told.busy / (stats.seconds * told.workers) if stats.seconds else 0.0
    work = [format_duration(getattr(told.work, one)) for one in _PERCENTILES]
    counts = [came, _count(told.emitted), _loss(lost + told.filtered + told.failed)]
    return [
        [f"{name}{workers}{first}", *counts, *wait, *work, f"{share:.0%}", hold(unit, told.gil)],
        *(
            [f"{' ' * len(name)}{port}", "", "", _loss(lost), *wait, "", "", "", "", ""]
            for port, wait, lost in waits[1:]
        ),
    ]


def hold(unit: UnitPlan, gil: float) -> str:
    """How much a unit held the GIL; "" of one in another OS process, where nobody looks."""
    return "" if unit.spec.is_away else f"{gil:.0%}"


def _loss(number: int) -> str:
    return _count(number) if number else ""


def _pipe(port: str, name: str, stats: Stats, *, several: bool) -> tuple[str, list[str], int]:
    """The name of the input where there are several, how long items waited there, and how many were lost."""
    pipe = stats.pipes.get(f"{name}.{port}")
    shown = f".{port}" if several else ""
    if pipe is None:
        return shown, ["fused", "", ""], 0
    return shown, [format_duration(getattr(pipe.wait, one)) for one in _PERCENTILES], pipe.dropped + pipe.expired


def _times(summary: Summary) -> str:
    return ", ".join(f"{one} {format_duration(getattr(summary, one))}" for one in _PERCENTILES)


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
