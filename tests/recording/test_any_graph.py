"""Whatever the graph: a recording of any pipe is replayed with every item accounted for, or is refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.run.random_graphs import Graph, check, graphs, values_of

import streampy as sp
from streampy.model.plan import Plan
from streampy.recording import record, replay
from streampy.testing.simulation import _Scene
from streampy.testing.turns import Turns

pytestmark = pytest.mark.timeout(3600)
SEEDS = st.integers(0, 2**32)
slow = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of errors are wanted here."""
    loggers = [logging.getLogger(name) for name in ("streampy.unit", "streampy.recording")]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


def simulate(graph: Graph, plan: Plan, seed: int):
    """What came out, and whether it ended by itself; checked on the way."""
    for mood in graph.moods:
        mood.failed.clear()
    turns = Turns(seed)
    scene = _Scene(plan, turns, float("inf"), {})
    ended = True
    try:
        turns.run("drive", lambda: scene.play(None))
    except* sp.RunError:
        if not graph.may_fail:
            raise
        ended = False
    outputs = {name: values for name, values in scene.outputs.items() if name.startswith("probe")}
    check(graph, outputs, scene.running.stats(), ended=ended)
    return outputs, ended


def ends_of(plan: Plan) -> list[str]:
    """All ports, but for the outputs of probes, which give headers: no codec knows these as values."""
    ends = {
        name: [*unit.inputs, *(() if name.startswith("probe") else unit.ports.outputs)]
        for name, unit in plan.units.items()
    }
    return [f"{name}.{port}" for name, ports in ends.items() for port in ports]


def is_whole(plan: Plan, cut: Plan) -> bool:
    """Whether every input behind has all that it had."""
    inputs = [(name, port) for name in cut.units if name in plan.units for port in plan.units[name].inputs]
    return all(len(plan.units[n].inputs[port].links) == len(cut.units[n].inputs[port].links) for n, port in inputs)


def look_at_one(graph: Graph, where: str, seed: int, other: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "items.rec"
        outputs, ended = simulate(graph, record(graph.plan, where, path), seed)
        try:
            cut = replay(graph.plan, path, where)
        except sp.StreamPyError as error:
            assert " joins what comes from " in str(error) or " leads nowhere" in str(error)  # noqa: PT017
            return
        again, ended_again = simulate(graph, cut, other)
    comes_whole = is_whole(graph.plan, cut) and not graph.plan.units[where.rpartition(".")[0]].inputs
    if graph.is_calm and comes_whole and ended and ended_again and not graph.may_fail:
        mine = {name: values for name, values in outputs.items() if name.partition(".")[0] in cut.units}
        assert values_of(mine) == values_of(again)


@given(graphs(), st.data(), SEEDS, SEEDS)
@settings(slow, max_examples=100)
def test_any_pipe_of_any_graph_is_recorded_and_replayed(graph, data, seed, other):
    look_at_one(graph, data.draw(st.sampled_from(ends_of(graph.plan))), seed, other)


@pytest.mark.long
@given(graphs(), st.data(), SEEDS, SEEDS)
@settings(slow, max_examples=2000)
def test_any_pipe_of_any_graph_is_recorded_and_replayed_many_times(graph, data, seed, other):
    look_at_one(graph, data.draw(st.sampled_from(ends_of(graph.plan))), seed, other)
