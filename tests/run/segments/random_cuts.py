"""Any graph, cut into segments at random."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import reject
from hypothesis import strategies as st
from tests.run.random_graphs import Graph, graphs

import streampy as sp
from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.segments import LinkSpec, SegmentSpec

NAMES = ("edge", "core", "far")


@st.composite
def cut_graphs(draw: st.DrawFn, most: int = 7) -> Graph:
    """As `graphs`, its units in two or three segments; those of a cycle in one."""
    graph = draw(graphs(most=most))
    names = NAMES[: draw(st.integers(2, 3))]
    home: dict[str, str] = {}
    for unit in graph.plan.units:
        loop = next((loop for loop in graph.plan.loops if unit in loop), frozenset((unit,)))
        known = next((home[mate] for mate in loop if mate in home), "")
        home[unit] = known or draw(st.sampled_from(names))
    specs = [unit.spec for unit in graph.plan.units.values()]
    try:
        plan = make_plan(sp.Process("any", specs, _segments(home)))
    except ProcessError:  # they could wait for each other for ever
        reject()
    window = draw(st.sampled_from([64, 64, 16]))
    turned = draw(st.booleans())
    wires = []
    for wire in plan.wires:
        ends = (wire.listener, wire.dialler) if turned else (wire.dialler, wire.listener)
        wires.append(LinkSpec(*ends, window=window))
    return replace(graph, plan=replace(plan, wires=tuple(wires)))


def _segments(home: dict[str, str]) -> list[SegmentSpec]:
    of = {name: tuple(unit for unit in home if home[unit] == name) for name in NAMES}
    return [SegmentSpec(name, units) for name, units in of.items() if units]


def whole(graph: Graph) -> Graph:
    """The same graph, not cut."""
    return replace(graph, plan=make_plan(sp.Process("any", [unit.spec for unit in graph.plan.units.values()])))
