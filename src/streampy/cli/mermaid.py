"""A plan as text from which Mermaid draws, as GitHub and many editors do. Knows nothing of terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streampy.cli.words import kinds, pipe_in_short, place_in_short, segment_in_short, wire_in_words
from streampy.model.place import Transport
from streampy.model.ports import OUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from streampy.model.plan import Link, Plan

_SHAPES = {"source": ("([", "])"), "sink": ("[/", "/]"), "join": ("{{", "}}"), "": ("[", "]")}


def write_mermaid(plan: Plan) -> str:
    """A flowchart from left to right; a thick arrow is a fused link, a dotted one closes a cycle."""
    lines = ["flowchart LR"]
    for number, segment in enumerate(plan.segments.values()):
        lines += [f'  subgraph s{number}["{segment_in_short(segment)}"]']
        lines += [*_inside(plan, "", "    ", set(segment.units)), "  end"]
    if not plan.segments:
        lines += _inside(plan, "", "  ", plan.units.keys())
    lines += [f"  {_id(plan, link.sender)} {_arrow(plan, link)} {_id(plan, link.receiver)}" for link in plan.links]
    return "".join(f"{line}\n" for line in lines)


def _inside(plan: Plan, within: str, indent: str, members: AbstractSet[str]) -> Iterator[str]:
    """Those of some units that lie in a process, and what it uses of which they are.

    within: the beginning of their names, such as `other/`.
    """
    for name, unit in plan.units.items():
        last = name.removeprefix(within)
        if name in members and name.startswith(within) and "/" not in last:
            opening, closing = _SHAPES[next(iter(kinds(unit)), "")]
            workers = f" x{unit.spec.workers}" if unit.spec.workers > 1 else ""
            place = f"<br>{place_in_short(unit)}" if unit.spec.is_away else ""
            yield f'{indent}{_id(plan, name)}{opening}"{last}{workers}{place}"{closing}'
    for number, (name, used_as) in enumerate(plan.groups.items()):
        last = name.removeprefix(within)
        has_members = any(unit.startswith(f"{name}/") for unit in members)
        if has_members and name.startswith(within) and "/" not in last:
            yield f'{indent}subgraph p{number}["{last} · {used_as}"]'
            yield from _inside(plan, f"{name}/", f"{indent}  ", members)
            yield f"{indent}end"


def _id(plan: Plan, name: str) -> str:
    """A number: some names, such as `end`, mean something to Mermaid."""
    return f"u{list(plan.units).index(name)}"


def _arrow(plan: Plan, link: Link) -> str:
    receiver = plan.units[link.receiver]
    parts = [link.output if link.output != OUT else "", link.input if len(receiver.inputs) > 1 else ""]
    ports = " to ".join(part for part in parts if part)
    pipe = pipe_in_short(receiver.inputs[link.input].pipe)
    label = "<br>".join(part for part in (ports, pipe, _network(plan, link)) if part)
    arrow = "-.->" if link.feedback else "-->" if receiver.not_fused else "==>"
    return f'{arrow}|"{label}"|' if label else arrow


def _network(plan: Plan, link: Link) -> str:
    """`network, window 64, ack processed` where the ends of the link lie in different segments."""
    if plan.transport(link) is not Transport.NETWORK:
        return ""
    return f"network, {wire_in_words(plan.wire(plan.segment_of(link.sender), plan.segment_of(link.receiver)))}"
