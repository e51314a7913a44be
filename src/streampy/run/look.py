"""Reads the meters of a running segment: makes `Stats`.

Knows nothing of what is done with them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from streampy.flow.ledger import add_up
from streampy.flow.meter import summarize
from streampy.run.hogs import find_hogs
from streampy.run.stats import PipeStats, Stats, UnitStats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streampy.flow.ledger import Ledger
    from streampy.flow.meter import Distribution, Summary
    from streampy.pipes.local import LocalPipe
    from streampy.run.call import Call
    from streampy.run.segment import Segment


def look_at(segment: Segment, entries: Sequence[Ledger], seconds: float) -> Stats:
    """The statistics of a segment, as of now."""
    calls = {plan.name: several for crew in segment.crews.values() for plan, several in crew.by_unit()}
    segment.ask_those_away()
    pipes = {f"{name}.{port}": pipe for name, inlet in segment.inlets.items() for port, pipe in inlet.pipes.items()}
    here = {name: look_at_pipe(pipe) for name, pipe in pipes.items()}
    in_flight = None if segment.is_cancelled else segment.in_flight
    held = segment.gil.held
    gil = held.seconds
    stats = Stats(
        units={
            name: _unit(calls[name], segment.crew_of(name).count, gil.get(name, 0.0) / max(seconds, 1e-9))
            for name in segment.plan.units
        },
        pipes=_in_order(segment, {**here, **segment.far_pipes}),
        latency=_latency(segment, calls),
        ledger=add_up([*entries, *segment.ledgers], in_flight),
        expected=_expected(segment),
        gil_wait=held.waits.summary(),
        hogs=(),
        seconds=seconds,
    )
    return replace(stats, hogs=find_hogs(segment.plan, None, stats))


def _unit(calls: Sequence[Call], workers: int, gil: float) -> UnitStats:
    meters = [call.meter for call in calls]
    return UnitStats(
        received=sum(meter.received for meter in meters),
        emitted=sum(meter.emitted for meter in meters),
        filtered=sum(meter.filtered for meter in meters),
        failed=sum(meter.failed for meter in meters),
        retried=sum(meter.retried for meter in meters),
        busy=sum(meter.work.total for meter in meters),
        idle=sum(meter.idle for meter in meters),
        blocked=sum(call.outlet.blocked for call in calls),
        gil=min(1.0, gil),
        workers=workers,
        work=summarize(meter.work for meter in meters),
    )


def look_at_pipe(pipe: LocalPipe) -> PipeStats:
    """The statistics of a pipe, as of now."""
    with pipe.lock:
        batcher = pipe.batcher
        return PipeStats(
            depth=len(batcher),
            high_water=batcher.high_water,
            received=batcher.received,
            delivered=batcher.delivered,
            dropped=batcher.dropped,
            expired=batcher.expired,
            wait=batcher.waits.summary(),
            batch=batcher.batches.summary(),
            overloaded=batcher.is_full,
        )


def _in_order(segment: Segment, pipes: dict[str, PipeStats]) -> dict[str, PipeStats]:
    """By unit, as they stand in the plan."""
    names = [f"{name}.{port}" for name, unit in segment.plan.units.items() for port in unit.inputs]
    return {name: pipes[name] for name in names if name in pipes}


def _latency(segment: Segment, calls: dict[str, list[Call]]) -> dict[str, Summary]:
    found: dict[str, list[Distribution]] = {}
    for name, several in calls.items():
        if not segment.plan.units[name].ports.outputs:
            found[name] = [call.outlet.latency for call in several]
    for name, output in segment.outputs.items():
        found.setdefault(name.partition(".")[0], []).append(output.latency)
    return {name: summarize(several) for name, several in found.items()}


def _expected(segment: Segment) -> int | None:
    said = [call.worker.expected for crew in segment.crews.values() for call in crew.calls if not call.plan.inputs]
    counts = [count for count in said if count is not None]
    return sum(counts) if said and len(counts) == len(said) else None
