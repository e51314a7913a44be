"""A source in an OS process of its own is held back by the pipe behind it, wherever that lies."""

from __future__ import annotations

import os

import pytest

import streampy as sp

CAPACITY = 8
UNTIL = 5000
LOOKS = 100
MOST = 6 * CAPACITY
"""Items in the pipe, under way, in a message that is being made, and in the hands of a worker."""


@pytest.fixture
def units(lives_path):
    import held_units  # noqa: PLC0415 - the fixture has its folder found

    return held_units


@pytest.mark.parametrize(("place", "workers"), [("main", 1), ("own", 1), ("own", 2)])
def test_a_source_elsewhere_gives_no_more_than_pipes_and_hands_hold(units, tmp_path, place, workers):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    process = sp.Process("held").add("source", units.numbers, until=UNTIL, place="own")
    options = {"place": place, "workers": workers, "pipe": {"capacity": CAPACITY}}
    process.add("wait", units.wait, from_="source", gate=str(gate), **options)
    with sp.run(process) as running:
        holder = os.open(gate, os.O_RDWR)  # those who read wait as long as anybody could write
        while running.stats().ledger.born < CAPACITY:
            pass
        assert max(running.stats().ledger.born for _ in range(LOOKS)) <= MOST * workers
        gate.unlink()
        os.close(holder)
        running.wait(20)
    assert (UNTIL, UNTIL) == (running.stats().ledger.born, running.stats().ledger.delivered)
