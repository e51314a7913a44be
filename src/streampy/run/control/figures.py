"""The statistics of a segment as JSON has them: what they are since the start, and over the last second or so.

Knows nothing of who asks; looks at the segment only when it is asked.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import asdict, replace
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, final

from streampy.flow.meter import Summary
from streampy.model.describe import plain
from streampy.run.bottleneck import find_limit
from streampy.run.places.away import AwayMember
from streampy.run.shares import shares

if TYPE_CHECKING:
    from streampy.run.crew import Crew
    from streampy.run.member import Member
    from streampy.run.running import Running
    from streampy.run.shares import Share
    from streampy.run.stats import PipeStats, Stats, UnitStats

_WINDOW: Final = 1.0
"""Seconds over which rates and shares are taken, where somebody looked so long ago."""
_OLDEST: Final = 3.0
"""Seconds: what was seen before that says nothing of now."""


@final
class Figures:
    """Those of one segment. For any thread."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._looks: deque[Stats] = deque()
        self._lock = Lock()

    def take(self) -> dict[str, Any]:
        """What is so now."""
        with self._lock:
            now = self._running.stats()
            before = self._before(now)
            self._looks.append(now)
        return self._told(before, now)

    def _before(self, now: Stats) -> Stats | None:
        """The look to compare with: the latest that is a second old, else the oldest; None where there is none."""
        while self._looks and now.seconds - self._looks[0].seconds > _OLDEST:
            self._looks.popleft()
        while len(self._looks) > 1 and now.seconds - self._looks[1].seconds >= _WINDOW:
            self._looks.popleft()
        return self._looks[0] if self._looks else None

    def _told(self, before: Stats | None, now: Stats) -> dict[str, Any]:
        segment = self._running._segment
        plan = segment.plan
        first = before or nothing_of(now)
        window = max(now.seconds - first.seconds, 1e-9)
        of_window = shares(plan, first, now)
        limit = find_limit(plan, first, now)
        neighbours, tracer = segment.neighbours, segment.tracer
        told: dict[str, Any] = finite(
            {
                "seconds": now.seconds,
                "window": window,
                "units": {
                    name: self._unit(name, unit, first.units[name], of_window[name], window)
                    for name, unit in now.units.items()
                },
                "pipes": {
                    name: _pipe(
                        plan.units[name.rpartition(".")[0]].inputs[name.rpartition(".")[2]].pipe.capacity,
                        pipe,
                        first.pipes.get(name),
                        window,
                    )
                    for name, pipe in now.pipes.items()
                },
                "links": {} if neighbours is None else neighbours.figures,
                "latency": {name: summary(one) for name, one in now.latency.items()},
                "ledger": _ledger(now),
                "expected": now.expected,
                "gil_wait": summary(now.gil_wait),
                "hogs": [str(hog) for hog in now.hogs],
                "trace": tracer and {"sent": tracer.exporter.sent, "dropped": tracer.exporter.dropped},
                "bottleneck": {
                    "limit": limit.limit.value,
                    "units": list(limit.units),
                    "why": limit.why,
                    "advice": limit.advice,
                    "text": str(limit),
                },
            }
        )
        return told

    def _unit(self, name: str, now: UnitStats, before: UnitStats, share: Share, window: float) -> dict[str, Any]:
        segment = self._running._segment
        crew = segment.crew_of(name)
        plan = segment.plan.units[name]
        defaults = {key: one.default for key, one in plan.ports.settings.items() if not one.required}
        settings = defaults | plan.settings_of(0, segment.changed[name])
        return {
            **{key: getattr(now, key) for key in ("received", "emitted", "filtered", "failed", "retried")},
            **{key: getattr(now, key) for key in ("busy", "idle", "blocked", "gil", "workers")},
            "share": {key: getattr(share, key) for key in ("busy", "idle", "blocked", "gil")},
            "rates": {
                "in": (now.received - before.received) / window,
                "out": (now.emitted - before.emitted) / window,
                "calls": share.calls,
            },
            "work": summary(now.work),
            "state": "stopped" if crew.is_down else "held" if crew.is_held else "running",
            "crew": [_member(crew, member) for member in list(crew.members)],
            "restarted": crew.replaced,
            "hung": crew.hung,
            "settings": {key: plain(value) for key, value in settings.items()},
        }


def _member(crew: Crew, member: Member) -> dict[str, Any]:
    worker = member.calls[0].worker
    place, pid = (member.place, member.pid) if isinstance(member, AwayMember) else ("main", os.getpid())
    return {
        "name": worker.name,
        "index": worker.index,
        "place": place,
        "pid": pid or None,
        "state": _state(crew, member),
    }


def _state(crew: Crew, member: Member) -> str:
    if member.has_left:
        return "left"
    if member.is_starting:
        return "starting"
    if member.is_dismissed:
        return "leaving"
    if member.calls[-1].outlet.is_blocked:
        return "blocked"
    if member.in_hand or (not crew.head.inputs and not crew.is_held):
        return "busy"
    return "stopped" if crew.is_down else "held" if crew.is_held else "idle"


def _pipe(capacity: int, now: PipeStats, before: PipeStats | None, window: float) -> dict[str, Any]:
    def rate(what: str) -> float:
        return float(getattr(now, what) - (0 if before is None else getattr(before, what))) / window

    counts = ("depth", "high_water", "received", "delivered", "dropped", "expired", "overloaded")
    return {
        **{key: getattr(now, key) for key in counts},
        "capacity": capacity,
        "rates": {"in": rate("received"), "out": rate("delivered"), "dropped": rate("dropped")},
        "wait": summary(now.wait),
        "batch": summary(now.batch),
    }


def _ledger(now: Stats) -> dict[str, Any]:
    told = asdict(now.ledger)
    del told["streams"]
    return told | {"balanced": now.ledger.balanced}


def summary(one: Summary) -> dict[str, Any]:
    """As JSON has it; `asdict` takes ten times as long."""
    told: dict[str, Any] = {key: getattr(one, key) for key in ("count", "mean", "p50", "p95", "p99", "max")}
    return told | {"buckets": [list(bucket) for bucket in one.buckets]}


def nothing_of(stats: Stats) -> Stats:
    """As it was at the very start: so that the first look is one over all the time."""
    units = {
        name: replace(
            unit,
            received=0,
            emitted=0,
            filtered=0,
            failed=0,
            retried=0,
            busy=0.0,
            idle=0.0,
            blocked=0.0,
            gil=0.0,
            work=Summary(),
        )
        for name, unit in stats.units.items()
    }
    pipes = {
        name: replace(pipe, received=0, delivered=0, dropped=0, expired=0, wait=Summary(), batch=Summary())
        for name, pipe in stats.pipes.items()
    }
    return replace(stats, units=units, pipes=pipes, gil_wait=Summary(), seconds=0.0)


def finite(told: Any) -> Any:
    """The same without what JSON can't say: no bound, and no number, is null."""
    if isinstance(told, dict):
        return {key: finite(value) for key, value in told.items()}
    if isinstance(told, list):
        return [finite(value) for value in told]
    return None if isinstance(told, float) and not isfinite(told) else told
