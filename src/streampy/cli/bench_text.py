"""What `bench` measured, as text: the conclusion first, then the ends, the units and the pipes.

Knows nothing of how it was measured.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from streampy.cli.summary import _columns, hold
from streampy.cli.words import count
from streampy.model.measure import format_duration
from streampy.run.bottleneck import per_second

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streampy.cli.benched import Measured
    from streampy.flow.meter import Summary

_ENDS = ["end", "items/s", "born to end p50", "p95", "p99", "max"]
_UNITS = ["unit", "items/s", "calls/s", "worked p50", "p95", "p99", "busy", "idle", "blocked", "gil"]
_PIPES = ["pipe", "waited p50", "p95", "p99", "most", "of", "batch p50", "lost"]


def write_report(runs: Sequence[Measured]) -> str:
    """The report of several runs: of each a line, and all of the one in the middle."""
    if not runs:
        return "nothing was measured: it did not start\n"
    middle = sorted(runs, key=lambda one: one.rate)[len(runs) // 2]
    lines = write_conclusion(runs, middle)
    for table in (_ends(middle), _units(middle), _pipes(middle)):
        if len(table) > 1:
            lines += ["", *_columns(table)]
    return "".join(f"{line}\n" for line in lines)


def write_conclusion(runs: Sequence[Measured], middle: Measured) -> list[str]:
    """The figures of the whole, what the limit is, and what speaks against that."""
    hogs = (f"  {hog}" for hog in middle.hogs)
    return [*_head(runs, middle), f"  {middle.finding}", *hogs, *_doubts(runs)]


def _head(runs: Sequence[Measured], middle: Measured) -> Iterator[str]:
    if len(runs) > 1:
        yield f"{middle.plan.name}: {count(len(runs), 'run')}, of which the one in the middle is shown"
        for number, one in enumerate(runs, 1):
            shown = " <-" if one is middle else ""
            yield f"  run {number}: {_figures(one)}{shown}"
    else:
        yield f"{middle.plan.name}: {_figures(middle)}"


def _figures(one: Measured) -> str:
    slowest = max((latency.p95 for latency in one.after.latency.values()), default=0.0)
    parts = [
        format_duration(one.seconds),
        f"{per_second(one.born)} items/s born",
        f"p95 {format_duration(slowest)}",
        f"{one.cores:.2f} cores busy",
    ]
    return ", ".join(parts)


def _doubts(runs: Sequence[Measured]) -> Iterator[str]:
    """What speaks against the conclusion."""
    found = Counter(", ".join(one.finding.units) for one in runs)
    if len(found) > 1:
        said = ", ".join(f"{units or 'nothing'} in {times}" for units, times in found.most_common())
        yield f"  the runs don't agree on the limit: {said}"


def _ends(one: Measured) -> list[list[str]]:
    latencies = one.after.latency
    rows = [[end, per_second(rate), *_times(latencies[end])] for end, rate in one.ends.items()]
    return [_ENDS, *([*row, format_duration(latencies[row[0]].max)] for row in rows)]


def _units(one: Measured) -> list[list[str]]:
    """In a fused chain, which is one worker, the first unit waits for items, and the last one for room."""
    rows = []
    heads, tails = {chain[0] for chain in one.plan.chains}, {chain[-1] for chain in one.plan.chains}
    for name, share in one.shares.items():
        unit, told = one.plan.units[name], one.after.units[name]
        workers = f" x{told.workers}" if told.workers > 1 else ""
        idle = f"{share.idle:.0%}" if unit.inputs and name in heads else ""
        blocked = f"{share.blocked:.0%}" if unit.ports.outputs and name in tails else ""
        rates = [per_second(share.items), per_second(share.calls)]
        rows.append(
            [f"{name}{workers}", *rates, *_times(told.work), f"{share.busy:.0%}", idle, blocked, hold(unit, share.gil)]
        )
    return [_UNITS, *rows]


def _pipes(one: Measured) -> list[list[str]]:
    rows = []
    for name, pipe in one.after.pipes.items():
        unit, _, port = name.rpartition(".")
        capacity = one.plan.units[unit].inputs[port].pipe.capacity
        lost = pipe.dropped + pipe.expired
        batch = f"{pipe.batch.p50:.0f}"
        rows.append([name, *_times(pipe.wait), str(pipe.high_water), str(capacity), batch, str(lost) if lost else ""])
    return [_PIPES, *rows]


def _times(summary: Summary) -> list[str]:
    return [format_duration(one) for one in (summary.p50, summary.p95, summary.p99)]
