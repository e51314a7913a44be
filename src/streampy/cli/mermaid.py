"""A plan as text from which Mermaid draws, as GitHub and many editors do. Knows nothing of terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streampy.cli.words import kinds, pipe_in_short, place_in_short
from streampy.model.ports import OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streampy.model.plan import Link, Plan

_SHAPES = {"source": ("([", "])"), "sink": ("[/", "/]"), "join": ("{{", "}}"), "": ("[", "]")}


def write_mermaid(plan: Plan) -> str:
    """A flowchart from left to right; a thick arrow is a fused link, a dotted one closes a cycle."""
    lines = ["flowchart LR", *_inside(plan, "", "  ")]
    lines += [f"  {_id(plan, link.sender)} {_arrow(plan, link)} {_id(plan, link.receiver)}" for link in plan.links]
    return "".join(f"{line}\n" for line in lines)


def _inside(plan: Plan, within: str, indent: str) -> Iterator[str]:
    """The units of a process, and what it uses; `within`, such as `other/`, is the beginning of their names."""
    for name, unit in plan.units.items():
        last = name.removeprefix(within)
        if name.startswith(within) and "/" not in last:
            opening, closing = _SHAPES[next(iter(kinds(unit)), "")]
            workers = f" x{unit.spec.workers}" if unit.spec.workers > 1 else ""
            place = f"<br>{place_in_short(unit)}" if unit.spec.is_away else ""
            yield f'{indent}{_id(plan, name)}{opening}"{last}{workers}{place}"{closing}'
    for number, (name, used_as) in enumerate(plan.groups.items()):
        last = name.removeprefix(within)
        if name.startswith(within) and "/" not in last:
            yield f'{indent}subgraph p{number}["{last} · {used_as}"]'
            yield from _inside(plan, f"{name}/", f"{indent}  ")
            yield f"{indent}end"


def _id(plan: Plan, name: str) -> str:
    """A number: some names, such as `end`, mean something to Mermaid."""
    return f"u{list(plan.units).index(name)}"


def _arrow(plan: Plan, link: Link) -> str:
    receiver = plan.units[link.receiver]
    parts = [link.output if link.output != OUT else "", link.input if len(receiver.inputs) > 1 else ""]
    ports = " to ".join(part for part in parts if part)
    pipe = pipe_in_short(receiver.inputs[link.input].pipe)
    label = "<br>".join(part for part in (ports, pipe) if part)
    arrow = "-.->" if link.feedback else "-->" if receiver.not_fused else "==>"
    return f'{arrow}|"{label}"|' if label else arrow
