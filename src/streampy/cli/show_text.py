"""A plan as text: the units in layers, with their links, pipes, and what is fused with whom and why not.

Knows nothing of terminals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streampy.cli.words import (
    count,
    dial_in_words,
    join_in_words,
    kinds,
    pipe_in_words,
    place_in_words,
    segment_in_words,
    settings_in_words,
    shared_in_words,
    unit_in_words,
    wire_in_words,
)
from streampy.model.annotations import type_name
from streampy.model.layout import lay_out
from streampy.model.measure import format_size
from streampy.model.parts import Parts
from streampy.model.ports import OUT, Helping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streampy.model.plan import InputPlan, Link, Plan, UnitPlan


def write_text(plan: Plan) -> str:
    """Some lines for each unit, in the order in which items pass them."""
    layout = lay_out(plan, dict.fromkeys(plan.units, 1.0), 1.0)
    workers = sum(plan.units[chain[0]].spec.workers for chain in plan.chains)
    fused = len(plan.units) - len(plan.chains)
    counts = [count(len(plan.units), "unit"), count(len(plan.links), "link"), count(workers, "worker")]
    if plan.segments:
        counts.append(count(len(plan.segments), "segment"))
    elif len(plan.places) > 1:
        counts.append(count(len(plan.places), "OS process"))
    lines = [f"process {plan.name}: {', '.join(counts)}{f', {fused} fused' if fused else ''}"]
    for name, used_as in plan.groups.items():
        inside = [unit for unit in plan.units if unit.startswith(f"{name}/")]
        lines.append(f"  {name} is {used_as}: {count(len(inside), 'unit')}")
    parts = Parts(plan)
    if plan.segments:
        lines += _segments(parts)
    elif len(plan.places) > 1:
        lines += ["", "OS processes", *_places(plan)]
    for number, layer in enumerate(layout.layers, 1):
        lines += ["", f"layer {number}"]
        for name in layer:
            lines += [f"  {line}".rstrip() for line in _unit(parts, plan.units[name])]
    return "".join(f"{line}\n" for line in lines)


def _segments(parts: Parts) -> Iterator[str]:
    """Each with the OS processes of one replica, then what joins them."""
    for name, part in parts.plans.items():
        said = segment_in_words(parts.plan.segments[name])
        yield from ("", f"segment {name}{f': {said}' if said else ''}", *_places(part))
    if parts.plan.wires:
        yield from ("", "network")
    wide = max((len(str(wire)) for wire in parts.plan.wires), default=0)
    for wire in parts.plan.wires:
        yield f"  {wire!s:<{wide}}  {dial_in_words(wire)}; {wire_in_words(wire)}"


def _places(plan: Plan) -> Iterator[str]:
    """The OS processes, and what goes between them."""
    wide = max(len(place.name) for place in plan.places)
    for place in plan.places:
        yield f"  {place.name:<{wide}}  {place_in_words(place)}"
    sizes = [pipe.bytes for pipe in plan.shared_pipes.values()]
    known = [size for size in sizes if size is not None]
    parts = [f"{format_size(sum(known))} for {count(len(known), 'pipe')}"] if known else []
    if len(known) < len(sizes):
        parts.append(f"{'' if known else 'known '}for {count(len(sizes) - len(known), 'pipe')} with the first items")
    if parts:
        yield f"  shared memory: {'; '.join(parts)}"


def _unit(parts: Parts, unit: UnitPlan) -> Iterator[str]:
    what = ", ".join(kinds(unit))
    yield f"{unit.name}  {unit.spec.used_as}{f'  ({what})' if what else ''}"
    if unit.settings:
        yield f"    set   {settings_in_words(unit.settings)}"
    for index, settings in enumerate(unit.each):
        yield f"    each  {index}: {settings_in_words(settings)}"
    for port, entry in unit.inputs.items():
        yield f"    in    {port}: {_given(entry)} <- {_senders(entry)}"
        if unit.not_fused:
            yield f"          pipe: {pipe_in_words(entry.pipe)}{_carried(parts, unit.name, port)}"
    if unit.join is not None:
        yield f"    join  {join_in_words(unit.join.settings)}, room for {unit.join.settings.capacity} items"
    for port, links in unit.receivers.items():
        name = "" if port == OUT and len(unit.receivers) == 1 else f"{port}: "
        yield f"    out   {name}{type_name(unit.ports.outputs[port].type)} -> {_receivers(links)}"
    yield f"    runs  {_runs(parts.plan, unit)}"


def _carried(parts: Parts, unit: str, port: str) -> str:
    """What carries the items of a pipe, where there is more than one OS process."""
    ways = [f"; network, from {name}: {wire_in_words(wire)}" for name, wire in parts.wires_to(unit, port).items()]
    shared = parts.shared.get((unit, port))
    if shared:
        ways.append(f"; in shared memory: {shared_in_words(shared)}")
    elif not ways and parts.has_several_places(unit):
        ways.append("; within one OS process")
    return "".join(ways)


def _runs(plan: Plan, unit: UnitPlan) -> str:
    segment = plan.segment_of(unit.name)
    where = f"in segment {segment}: " if segment else ""
    if unit.not_fused:
        own = "" if unit.not_fused == "a source" else f"; not fused: {unit.not_fused}"
        return f"{where}{unit_in_words(unit)}{own}"
    chain = next(chain for chain in plan.chains if unit.name in chain)
    sender = chain[chain.index(unit.name) - 1]
    return f"{where}{unit_in_words(unit)}; fused: called directly by {sender}, no pipe between"


def _given(entry: InputPlan) -> str:
    """What the unit is given at once: `list[Profile] | None`."""
    port = entry.port
    inner = type_name(port.type)
    whole = inner if port.helping is Helping.ONE else port.helping.value.replace("T", inner)
    return f"{whole} | None" if port.optional and port.helping is not Helping.LATEST else whole


def _senders(entry: InputPlan) -> str:
    ends = [f"{_end(link.sender, link.output)}{' (closes a cycle)' if link.feedback else ''}" for link in entry.links]
    return ", ".join(ends) or "nothing: fed by hand, with running.push"


def _receivers(links: tuple[Link, ...]) -> str:
    return ", ".join(f"{link.receiver}.{link.input}" for link in links) or "nothing: read by running.stream"


def _end(unit: str, port: str) -> str:
    return unit if port == OUT else f"{unit}.{port}"
