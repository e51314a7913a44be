"""What each unit did between two looks at a process: its rate, and how it spent its time.

Pure. Knows nothing of what is concluded from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streampy.model.plan import Plan
    from streampy.run.stats import Stats


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One unit. `busy`, `idle`, `blocked` are 0..1 of the time of its workers.

    In a fused chain, which is one worker, only the first unit is idle and only the last one blocked.
    """

    items: float
    """A second: what it was given; what it gave, where it is a source."""
    calls: float
    """A second; where the unit takes batches, one is for a whole batch."""
    busy: float
    """In the unit's own code; a source's waiting for what it reads is in there."""
    idle: float
    """Waiting for items."""
    blocked: float
    """Waiting for room in the pipes that follow."""
    gil: float
    """Of all the time, not that of its workers: in which it held the GIL."""


def shares(plan: Plan, before: Stats, after: Stats) -> dict[str, Share]:
    """The shares of all units. A call that is under way counts when it is done, so the looks should be far apart."""
    found: dict[str, Share] = {}
    for chain in plan.chains:
        whole = _whole(plan, chain, before, after)
        of_chain = {name: _share(plan, name, before, after, whole) for name in chain}
        if plan.units[chain[0]].ports.is_stream:
            of_chain[chain[0]] = _of_stream(chain, of_chain)
        found |= of_chain
    return {name: found[name] for name in plan.units}


def _seconds(before: Stats, after: Stats) -> float:
    return max(after.seconds - before.seconds, 1e-9)


def _whole(plan: Plan, chain: Sequence[str], before: Stats, after: Stats) -> float:
    """The time that the workers of a chain had: seconds.

    Where their number follows the load it is that of which something is known, for nobody noted how many there were.
    """
    spec = plan.units[chain[0]].spec
    most = _seconds(before, after) * spec.workers
    if not spec.spare:
        return most
    least = _seconds(before, after) * (spec.workers - spec.spare)
    return min(most, max(least, sum(_known(after, name) - _known(before, name) for name in chain)))


def _known(stats: Stats, name: str) -> float:
    unit = stats.units[name]
    return unit.busy + unit.idle + unit.blocked


def _share(plan: Plan, name: str, before: Stats, after: Stats, whole: float) -> Share:
    old, new = before.units[name], after.units[name]
    seconds = _seconds(before, after)
    items = new.received - old.received if plan.units[name].inputs else new.emitted - old.emitted
    return Share(
        items=items / seconds,
        calls=(new.work.count - old.work.count) / seconds,
        busy=min(1.0, (new.busy - old.busy) / whole),
        idle=min(1.0, (new.idle - old.idle) / whole),
        blocked=min(1.0, (new.blocked - old.blocked) / whole),
        gil=min(1.0, max(0.0, new.gil * after.seconds - old.gil * before.seconds) / seconds),
    )


def _of_stream(chain: Sequence[str], found: dict[str, Share]) -> Share:
    """A unit that takes the whole stream is called once and for all, so it is busy when it does not wait."""
    head = found[chain[0]]
    others = sum(found[name].busy for name in chain[1:])
    return replace(head, busy=max(head.busy, 1.0 - head.idle - found[chain[-1]].blocked - others))
