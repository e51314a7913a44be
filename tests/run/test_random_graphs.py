"""Whatever the graph: it ends, every item is accounted for, and what is to be in order is.

`STREAMPY_GRAPHS=10000 ./dev nox -s long -- -k any_graph` tries so many.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.run.random_graphs import Graph, check, graphs, values_of

import streampy as sp
from streampy.run.backend import Backend
from streampy.run.running import Running
from streampy.run.segment import Segment
from streampy.testing.simulation import _Scene
from streampy.testing.turns import Turns

MANY = int(os.environ.get("STREAMPY_GRAPHS", "1000"))
SEEDS = st.integers(0, 2**32)
pytestmark = pytest.mark.timeout(3600)
slow = settings(deadline=None, suppress_health_check=list(HealthCheck))
same = settings(slow, derandomize=True)
"""For who changes something else: what is found by chance takes minutes to be made small. Others are always new."""


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of errors are wanted here."""
    logger = logging.getLogger("streampy.unit")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


def simulate(graph: Graph, seed: int) -> tuple[dict[str, list[Any]], Any, bool, list[Any]]:
    """What came out, the statistics, whether it ended by itself, and the turns."""
    for mood in graph.moods:
        mood.failed.clear()
    turns = Turns(seed)
    scene = _Scene(graph.plan, turns, float("inf"), {})
    ended = True
    try:
        turns.run("drive", lambda: scene.play(None))
    except* sp.RunError:
        if not graph.may_fail:
            raise
        ended = False
    return scene.outputs, scene.running.stats(), ended, turns.trace


def look_at_one(graph: Graph, seed: int, other: int) -> None:
    note(f"{graph!r}\nseed {seed}")
    outputs, stats, ended, _ = simulate(graph, seed)
    check(graph, outputs, stats, ended=ended)
    if graph.is_calm:
        assert values_of(outputs) == values_of(simulate(graph, other)[0])


@given(graph=graphs(), seed=SEEDS, other=SEEDS)
@settings(same, max_examples=400)
def test_any_graph_ends_with_every_item_accounted_for(graph, seed, other):
    look_at_one(graph, seed, other)


@pytest.mark.long
@given(graph=graphs(most=14), seed=SEEDS, other=SEEDS)
@settings(slow, max_examples=MANY)
def test_any_graph_of_many_ends_with_every_item_accounted_for(graph, seed, other):
    look_at_one(graph, seed, other)


@given(graph=graphs(), seed=SEEDS)
@settings(slow, max_examples=40)
def test_the_same_seed_gives_the_same_run_to_the_last_turn(graph, seed):
    note(f"{graph!r}\nseed {seed}")
    assert simulate(graph, seed) == simulate(graph, seed)


def run_on_threads(graph: Graph) -> tuple[dict[str, list[Any]], Any, bool]:
    """As `simulate`, on the threads of the machine, in a tenth of the time."""
    for mood in graph.moods:
        mood.failed.clear()
        mood.scale = 0.1
    running = Running(Segment(graph.plan, Backend()))
    running.start(30)
    names = list(running._segment.outputs)
    streams = [running.stream(name, timeout=30) for name in names]
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        came = [pool.submit(collect, stream) for stream in streams]
        with suppress(sp.RunError, ExceptionGroup), running:
            running.wait(30)
        outputs = {name: future.result() for name, future in zip(names, came, strict=True)}
    errors = running._segment.errors
    assert graph.may_fail or errors == []
    return outputs, running.stats(), not errors


def collect(stream: Any) -> list[Any]:
    values = []
    with suppress(sp.RunError, ExceptionGroup):
        values.extend(stream)
    return values


def try_one_on_threads(graph: Graph, seed: int) -> None:
    note(repr(graph))
    outputs, stats, ended = run_on_threads(graph)
    check(graph, outputs, stats, ended=ended)
    if graph.is_calm:
        assert values_of(simulate(graph, seed)[0]) == values_of(outputs)


@given(graph=graphs(), seed=SEEDS)
@settings(slow, max_examples=60)
def test_any_graph_on_threads_does_as_in_the_simulation(graph, seed):
    try_one_on_threads(graph, seed)


@pytest.mark.long
@given(graph=graphs(), seed=SEEDS)
@settings(slow, max_examples=max(100, MANY // 10))
def test_any_graph_of_many_on_threads_does_as_in_the_simulation(graph, seed):
    try_one_on_threads(graph, seed)


def test_a_limit_on_one_of_two_ways_locks_nothing():
    def batches() -> Iterator[sp.Batch[int]]:
        yield sp.Batch(range(3))

    def same(x: int) -> int:
        return x

    process = sp.Process("limited").add("batches", batches)
    process.add("limited", same, from_="batches", pipe={"capacity": 1, "in_flight": 1})
    process.add("same", same, from_="batches")
    assert [0, 1, 2] == sp.testing.simulate(process)["limited"]
