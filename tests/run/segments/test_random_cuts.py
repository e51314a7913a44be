"""Whatever the graph, and wherever it is cut: it does as it does in one piece, and all ledgers balance.

`STREAMPY_GRAPHS=10000 ./dev nox -s long -- -k any_cut` tries so many.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from tests.run.random_graphs import Graph, check, values_of
from tests.run.segments.cut import Cut
from tests.run.segments.random_cuts import cut_graphs, whole
from tests.run.test_random_graphs import simulate

import streampy as sp
from streampy.flow.ledger import Account

MANY = int(os.environ.get("STREAMPY_GRAPHS", "1000"))
SEEDS = st.integers(0, 2**32)
pytestmark = pytest.mark.timeout(3600)
slow = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of errors are wanted here."""
    loggers = [logging.getLogger("streampy.unit"), logging.getLogger("streampy.run")]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


def run_in_parts(graph: Graph) -> tuple[dict[str, list[Any]], Cut, bool]:
    for mood in graph.moods:
        mood.failed.clear()
        mood.scale = 0.1
    with Cut(graph.plan) as cut:
        try:
            cut.wait()
        except* sp.RunError:
            if not graph.may_fail:
                raise
        return cut.outputs, cut, not cut.errors


def try_one(graph: Graph, seed: int) -> None:
    note(f"{graph!r}\n{graph.plan.segments}\n{graph.plan.wires}")
    outputs, cut, ended = run_in_parts(graph)
    for part in cut.parts:
        if part.running is not None:
            check(graph, outputs, part.stats, ended=False)
            if ended:
                assert part.stats.ledger.balanced, (part.name, part.stats.ledger)
                assert part.stats.ledger.in_flight == 0, part.name
                assert not any(one.in_flight for one in part.stats.ledger.streams.values()), part.name
    if graph.is_calm:
        expected, stats, _, _ = simulate(whole(graph), seed)
        assert values_of(expected) == values_of(outputs)
        accounts = {name: account for part in cut.parts for name, account in at_home(part.stats.ledger).items()}
        assert dict(stats.ledger.streams) == accounts


def at_home(account: Account) -> dict[str, Account]:
    """Of the streams that began here."""
    return {name: one for name, one in account.streams.items() if "@" not in name}


@given(graph=cut_graphs(), seed=SEEDS)
@settings(slow, max_examples=20)
def test_any_cut_does_as_the_whole(graph, seed):
    try_one(graph, seed)


@pytest.mark.long
@given(graph=cut_graphs(), seed=SEEDS)
@settings(slow, max_examples=max(100, MANY // 10))
def test_any_cut_of_many_does_as_the_whole(graph, seed):
    try_one(graph, seed)
