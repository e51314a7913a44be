"""A plan as text from which Mermaid draws, as GitHub and many editors do. Knows nothing of terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streampy.cli.words import kinds, pipe_in_short
from streampy.model.ports import OUT

if TYPE_CHECKING:
    from streampy.model.plan import Link, Plan

_SHAPES = {"source": ("([", "])"), "sink": ("[/", "/]"), "join": ("{{", "}}"), "": ("[", "]")}


def write_mermaid(plan: Plan) -> str:
    """A flowchart from left to right; a thick arrow is a fused link, a dotted one closes a cycle."""
    lines = ["flowchart LR"]
    for name, unit in plan.units.items():
        opening, closing = _SHAPES[next(iter(kinds(unit)), "")]
        workers = f" x{unit.spec.workers}" if unit.spec.workers > 1 else ""
        lines.append(f'  {_id(plan, name)}{opening}"{name}{workers}"{closing}')
    lines += [f"  {_id(plan, link.sender)} {_arrow(plan, link)} {_id(plan, link.receiver)}" for link in plan.links]
    return "".join(f"{line}\n" for line in lines)


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
