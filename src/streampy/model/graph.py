"""What follows from the shape of the graph: order, cycles, who meets whom at a join, and what is fused.

Knows nothing of settings and types; those were checked before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from math import inf

from streampy.errors import Problem
from streampy.model.lineage import Lineages
from streampy.model.pipe import Order
from streampy.model.plan import Link, Mourner, Plan, UnitPlan
from streampy.model.ports import Helping

Report = Callable[[Problem], None]


def complete(
    name: str, units: Mapping[str, UnitPlan], report: Report, segment_of: Mapping[str, str] | None = None
) -> Plan | None:
    """The plan of units that were checked one by one; None where a problem was reported. `check_loops` stands apart.

    segment_of: for each unit its segment, where there are some.
    """
    loops = loops_of(units)
    problems: list[Problem] = []
    units = _mark_feedback(units)
    units = {unit: units[unit] for unit in _order(units)}
    lineages = Lineages(units, problems.append, segment_of or {})
    for unit in units.values():
        problems.extend(_check_limit(unit, units, lineages, loops))
    for problem in problems:
        report(problem)
    if problems:
        return None
    units = {
        unit.name: replace(
            unit,
            join=lineages.joins.get(unit.name),
            not_fused=_why_not_fused(unit, units, lineages, loops, segment_of or {}),
        )
        for unit in units.values()
    }
    return Plan(name, units, _chains(units), loops, *_mourners(units, lineages.roots), lineages.outputs)


def check_loops(units: Mapping[str, UnitPlan], unsure: AbstractSet[str] = frozenset()) -> list[Problem]:
    """What is wrong with the cycles that are known, but for those with a unit whose pipes nobody is sure of."""
    loops = [loop for loop in loops_of(units) if not loop & unsure]
    return [problem for loop in loops for problem in _check_loop(units, loop)]


def _check_limit(
    unit: UnitPlan, units: Mapping[str, UnitPlan], lineages: Lineages, loops: tuple[frozenset[str], ...]
) -> list[Problem]:
    """What is wrong with a pipe that waits for the end of the items that it handed over: it might wait for ever.

    Each item must pass it once and whole; and units that take the whole stream hold their last item until the next.
    """
    limit = _limit(unit)
    if limit == inf:
        return []
    streams = set(_arriving(unit, lineages))
    holders = [
        name for name, other in units.items() if other.ports.is_stream and streams & set(_arriving(other, lineages))
    ]
    rivals = _rivals(unit, units, lineages)
    overtakers, joins = _overtakers(unit, units), _ordered_joins(unit, units, lineages)
    reasons = {
        "it joins several inputs": unit.name in lineages.joins,
        "it lies in a cycle": any(unit.name in loop for loop in loops),
        "it lies behind a cycle, out of which an item comes more than once": any(
            unit.name in _reachable(units, min(loop)) for loop in loops
        ),
        "parts or copies of one item come to it": not _is_passed_once(unit, lineages),
        f"{' and '.join(rivals)} limits the same items on another way, so that each could wait for the other": rivals,
        f"{' and '.join(overtakers)} lets items overtake each other, and {' and '.join(joins)} waits for their order, "
        f"so that each could wait for the other": overtakers and joins,
        f"{' and '.join(holders)} hold the last item that they took until the next one comes, "
        f"so it must be more than {len(holders)}": bool(holders) and limit <= len(holders),
    }
    return [
        unit.spec.problem(
            f"got {limit:g}, but {reason}; limit the items once, where they leave their source", "pipe", "in_flight"
        )
        for reason, holds in reasons.items()
        if holds
    ][:1]


def _limit(unit: UnitPlan) -> float:
    return min((entry.pipe.in_flight for entry in unit.inputs.values()), default=inf)


def _rivals(unit: UnitPlan, units: Mapping[str, UnitPlan], lineages: Lineages) -> list[str]:
    """Limits of the same streams that lie neither before nor behind it: they may let other items in first."""
    streams = set(_arriving(unit, lineages))
    behind = _reachable(units, unit.name)
    return [
        other.name
        for other in units.values()
        if _limit(other) < inf
        and other is not unit
        and other.name not in behind
        and unit.name not in _reachable(units, other.name)
        and streams & set(_arriving(other, lineages))
    ]


def _overtakers(unit: UnitPlan, units: Mapping[str, UnitPlan]) -> list[str]:
    """Where items may come into another order before they are let in."""
    before = [other for other in units.values() if unit.name in _reachable(units, other.name)]
    pools = {other.name for other in before if other.spec.workers > 1 and not other.spec.ordered}
    urgent = {
        other.name
        for other in (*before, unit)
        if any(entry.pipe.order is Order.PRIORITY for entry in other.inputs.values())
    }
    return sorted(pools | urgent)


def _ordered_joins(unit: UnitPlan, units: Mapping[str, UnitPlan], lineages: Lineages) -> list[str]:
    """The joins of the same items that are not before it, and give them on in their order."""
    streams = set(_arriving(unit, lineages))
    return [
        name
        for name in lineages.joins
        if units[name].spec.ordered
        and unit.name not in _reachable(units, name)
        and streams & set(_arriving(units[name], lineages))
    ]


def _arriving(unit: UnitPlan, lineages: Lineages) -> list[str]:
    """The streams that come to a unit, once for each link that they come on."""
    links = [link for entry in unit.inputs.values() for link in entry.links]
    return [stream for link in links for stream in lineages.streams(link.sender, link.output)]


def _is_passed_once(unit: UnitPlan, lineages: Lineages) -> bool:
    """Whether each item comes to the unit once, as its source emitted it."""
    streams = _arriving(unit, lineages)
    links = [link for entry in unit.inputs.values() for link in entry.links]
    shares = [share for link in links for share in lineages.outputs[link.sender, link.output].values()]
    are_known = len(shares) == len(streams) == len(set(streams))
    return are_known and all(share.ways == 1 and not share.levels for share in shares)


def _senders(unit: UnitPlan) -> set[str]:
    return {link.sender for entry in unit.inputs.values() for link in entry.links if not link.feedback}


def _reachable(units: Mapping[str, UnitPlan], start: str, *, without_dropping: bool = False) -> set[str]:
    """The units that a link or more lead to from `start`; optionally only over pipes that never drop."""
    found: set[str] = set()
    open_ends = [start]
    while open_ends:
        for links in units[open_ends.pop()].receivers.values():
            for link in links:
                if without_dropping and units[link.receiver].inputs[link.input].pipe.can_drop:
                    continue
                if link.receiver not in found:
                    found.add(link.receiver)
                    open_ends.append(link.receiver)
    return found


def loops_of(units: Mapping[str, UnitPlan]) -> tuple[frozenset[str], ...]:
    """The sets of units that reach each other in a circle."""
    after = {name: _reachable(units, name) for name in units}
    loops = {frozenset(other for other in after[name] if name in after[other]) for name in units if name in after[name]}
    return tuple(sorted(loops, key=sorted))


def _check_loop(units: Mapping[str, UnitPlan], loop: frozenset[str]) -> list[Problem]:
    stuck = [name for name in units if name in loop and name in _reachable(units, name, without_dropping=True)]
    if not stuck:
        return []
    name, *path = min(_written(units, stuck), key=lambda end: units[end[0]].spec.spot(*end[1:]).within.count("/"))
    start = stuck.index(name)
    spec = units[name].spec
    circle = " -> ".join(spec.seen(one, *path) for one in [*stuck[start:], *stuck[:start], name])
    return [
        spec.problem(
            f"the cycle {circle} could deadlock: each of its pipes waits when it is full, so all may wait for each "
            f"other; give one of them an `overflow` that drops (drop_oldest, drop_newest, latest)",
            *path,
        )
    ]


def _written(units: Mapping[str, UnitPlan], loop: Collection[str]) -> Iterator[tuple[str, ...]]:
    """The units of a loop, and where a link between them was written: where a process is used, or at the unit."""
    for name in loop:
        for port, entry in units[name].inputs.items():
            if ("from", port) in units[name].spec.elsewhere and any(link.sender in loop for link in entry.links):
                yield name, "from", port
        yield name, "from"


def _mark_feedback(units: Mapping[str, UnitPlan]) -> dict[str, UnitPlan]:
    """The links that close a cycle, found by walking depth first from the sources in the order as written."""
    closing: set[Link] = set()
    done: set[str] = set()
    entrances = [name for name, unit in units.items() if not unit.inputs or unit.is_open]
    for root in [*entrances, *units]:
        if root in done:
            continue
        path: list[str] = [root]
        branches = [[link for links in units[root].receivers.values() for link in links]]
        while path:
            if not branches[-1]:
                done.add(path.pop())
                branches.pop()
                continue
            link = branches[-1].pop(0)
            if link.receiver in path:
                closing.add(link)
            elif link.receiver not in done:
                path.append(link.receiver)
                branches.append([one for links in units[link.receiver].receivers.values() for one in links])
    if not closing:
        return dict(units)

    def mark(links: tuple[Link, ...]) -> tuple[Link, ...]:
        return tuple(replace(link, feedback=True) if link in closing else link for link in links)

    return {
        name: replace(
            unit,
            inputs={port: replace(entry, links=mark(entry.links)) for port, entry in unit.inputs.items()},
            receivers={port: mark(links) for port, links in unit.receivers.items()},
        )
        for name, unit in units.items()
    }


def _order(units: Mapping[str, UnitPlan]) -> list[str]:
    """Senders before receivers, else as written."""
    order: list[str] = []
    waiting = list(units)
    while waiting:
        ready = next(name for name in waiting if _senders(units[name]) <= set(order))
        waiting.remove(ready)
        order.append(ready)
    return order


def _why_not_fused(
    unit: UnitPlan,
    units: Mapping[str, UnitPlan],
    lineages: Lineages,
    loops: tuple[frozenset[str], ...],
    segment_of: Mapping[str, str],
) -> str:
    entries = list(unit.inputs.values())
    if not entries:
        return "a source"
    links = [link for entry in entries for link in entry.links]
    if not links:
        return "fed by hand"
    if unit.name in lineages.joins:
        return "gathers parts" if len(entries) == 1 else f"joins {len(entries)} inputs"
    if len(links) > 1:
        return f"{len(links)} links meet in its pipe"
    sender = units[links[0].sender]
    segment = segment_of.get(unit.name, "")
    reasons = {
        f"lives in segment {segment}": segment != segment_of.get(sender.name, ""),
        f"{sender.name} lives in another OS process": not unit.spec.lives_with(sender.spec),
        "its pipe is configured": entries[0].configured,
        f"has {unit.spec.workers} workers": unit.spec.workers > 1 and not _are_copies(unit, sender),
        f"{sender.name} has {sender.spec.workers} workers": sender.spec.workers > 1 and not _are_copies(unit, sender),
        "runs in the event loop": unit.ports.is_async,
        f"{sender.name} runs in the event loop": sender.ports.is_async,
        "takes the whole stream": unit.ports.is_stream,
        f"{sender.name} has several links away": sum(map(len, sender.receivers.values())) > 1,
        f"{sender.name} has several outputs": len(sender.receivers) > 1,
        "lies in a cycle": any(unit.name in loop or sender.name in loop for loop in loops),
        "is restarted on its own": unit.spec.on_crash.restarts,
        f"{sender.name} is restarted on its own": sender.spec.on_crash.restarts,
        "has a timeout of its own": unit.spec.timeout != sender.spec.timeout,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _are_copies(unit: UnitPlan, sender: UnitPlan) -> bool:
    """Whether each has one worker in each copy of one process, so that a worker may run both, one after the other."""
    one, other = unit.spec, sender.spec
    return one.pool == other.pool != "" and one.workers == one.copies == other.workers == other.copies


def _chains(units: Mapping[str, UnitPlan]) -> tuple[tuple[str, ...], ...]:
    chains: dict[str, list[str]] = {}
    head_of: dict[str, str] = {}
    for unit in units.values():
        if unit.not_fused:
            head_of[unit.name] = unit.name
            chains[unit.name] = [unit.name]
        else:
            sender = next(link.sender for entry in unit.inputs.values() for link in entry.links)
            head_of[unit.name] = head_of[sender]
            chains[head_of[sender]].append(unit.name)
    return tuple(map(tuple, chains.values()))


_Mourners = dict[tuple[str, str], tuple[Mourner, ...]]


def _mourners(units: Mapping[str, UnitPlan], roots: Mapping[str, AbstractSet[str]]) -> tuple[_Mourners, _Mourners]:
    """For each output the joins and open outputs that wait for its items, and for its parts; from the far end on.

    A join of parts knows nothing of the items that went into them: those behind it hear of these past it, from
    the fan-out that made the parts, and from all before.
    """
    found: dict[tuple[str, str], Mapping[tuple[str, str], int]] = {}
    of_parts: dict[tuple[str, str], Mapping[tuple[str, str], int]] = {}
    for unit in reversed(list(units.values())):
        for port, links in unit.receivers.items():
            ways: Counter[tuple[str, str]] = Counter()
            if not links:
                ways[unit.name, f">{port}"] = 1
            for link in links:
                ways.update(_ends_behind(units[link.receiver], link, found))
            of_parts[unit.name, port] = ways.copy()
            for join in (join for join, fanouts in roots.items() if _first_port(unit, fanouts) == port):
                ways.update(_ends_of(units[join], found))
            found[unit.name, port] = ways
    return _as_mourners(found), _as_mourners(of_parts)


def _as_mourners(found: Mapping[tuple[str, str], Mapping[tuple[str, str], int]]) -> _Mourners:
    return {
        output: tuple(Mourner(name, port, count) for (name, port), count in ways.items())
        for output, ways in found.items()
    }


def _ends_behind(
    receiver: UnitPlan, link: Link, found: Mapping[tuple[str, str], Mapping[tuple[str, str], int]]
) -> Mapping[tuple[str, str], int]:
    if link.feedback or receiver.inputs[link.input].port.helping is Helping.LATEST:
        return {}
    if receiver.join is not None:
        return {(receiver.name, link.input): 1}
    return _ends_of(receiver, found)


def _ends_of(
    unit: UnitPlan, found: Mapping[tuple[str, str], Mapping[tuple[str, str], int]]
) -> Mapping[tuple[str, str], int]:
    ends: Counter[tuple[str, str]] = Counter()
    for port in unit.receivers:
        ends.update(found.get((unit.name, port), {}))
    return ends


def _first_port(unit: UnitPlan, fanouts: AbstractSet[str]) -> str | None:
    """The output of a unit that tells, once for each item, of a fan-out that is among these."""
    if unit.name in fanouts:
        return next(iter(unit.receivers))
    return next((port for port in unit.receivers if f"{unit.name}.{port}" in fanouts), None)
