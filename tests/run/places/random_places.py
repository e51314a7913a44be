"""Any graph, its units put into OS processes at random, and how to run one to its end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.run.random_graphs import Graph, graphs

import streampy as sp
from streampy.errors import ProcessError
from streampy.model.check import make_plan

PLACES = ("main", "main", "own", "one", "one", "two")


@dataclass
class Memory:
    """What all workers of a unit remember, wherever they live, and also those that died: a folder of empty files."""

    folder: Path

    def add(self, what: Any) -> None:
        self._of(what).touch()

    def __contains__(self, what: Any) -> bool:
        return self._of(what).exists()

    def clear(self) -> None:
        for file in self.folder.iterdir():
            file.unlink()

    def _of(self, what: Any) -> Path:
        return self.folder / sha256(repr(what).encode()).hexdigest()


@st.composite
def placed_graphs(draw: st.DrawFn, most: int = 6) -> Graph:
    """As `graphs`; where units may not live where chance wants them, they stay in `main`."""
    graph = draw(graphs(most=most))
    specs = {name: unit.spec for name, unit in graph.plan.units.items()}
    plan = graph.plan
    for name, spec in list(specs.items()):
        place = draw(st.sampled_from(PLACES))
        if place != "main":
            with suppress(ProcessError):
                further = {**specs, name: replace(spec, place=place)}
                plan = make_plan(sp.Process("any", [*further.values()]))
                specs = further
    return replace(graph, plan=plan)


def remember_in(graph: Graph, folder: Path) -> None:
    """Give the units of a graph a memory that outlives their OS processes."""
    for number, mood in enumerate(graph.moods):
        (folder / str(number)).mkdir()
        mood.failed = Memory(folder / str(number))
