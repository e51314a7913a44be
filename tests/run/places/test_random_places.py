"""Whatever the graph, and wherever its units live: it does as it does in one OS process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from tests.run.places.random_places import placed_graphs, remember_in
from tests.run.random_graphs import check, values_of
from tests.run.test_random_graphs import run_on_threads, simulate

MANY = int(os.environ.get("STREAMPY_GRAPHS", "100"))
SEEDS = st.integers(0, 2**32)
pytestmark = pytest.mark.timeout(3600)
slow = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Many errors are wanted here."""
    loggers = [logging.getLogger(name) for name in ("streampy.unit", "streampy.run")]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


def try_one(graph, seed: int) -> None:
    note(repr(graph))
    with TemporaryDirectory() as folder:
        remember_in(graph, Path(folder))
        outputs, stats, ended = run_on_threads(graph)
        check(graph, outputs, stats, ended=ended)
        if graph.is_calm:
            assert values_of(simulate(graph, seed)[0]) == values_of(outputs)


@given(graph=placed_graphs(), seed=SEEDS)
@settings(slow, max_examples=5)
def test_any_graph_in_os_processes_does_as_in_one(graph, seed):
    try_one(graph, seed)


@pytest.mark.long
@given(graph=placed_graphs(most=9), seed=SEEDS)
@settings(slow, max_examples=MANY)
def test_any_graph_of_many_in_os_processes_does_as_in_one(graph, seed):
    try_one(graph, seed)
