"""What is counted in other OS processes and what is counted in the main one are one account."""

from __future__ import annotations

from tests.run.places.passing import both, numbers, same

import streampy as sp

SOON = 20.0
OWN = {"place": "own"}


def test_copies_of_what_a_worker_on_its_own_gives_are_in_the_account():
    process = sp.Process("copies").add("numbers", numbers, **OWN)
    process.add("left", same, from_="numbers").add("right", same, from_="numbers")
    process.add("both", both, from_={"left": "left", "right": "right"})
    with sp.run(process) as running:
        assert [(number, number) for number in range(20)] == list(running.stream("both", timeout=SOON))
        ledger = running.stats().ledger
    assert (20, 20, 20, 20) == (ledger.born, ledger.split, ledger.joined, ledger.delivered)
    assert (ledger.balanced, ledger.in_flight) == (True, 0)


def test_what_is_given_here_and_sent_straight_on_is_counted_as_sent():
    process = sp.Process("straight").add("left", numbers).add("right", numbers)
    process.add("first", same, from_=["left", "right"], **OWN).add("second", same, from_="first", **OWN)
    with sp.run(process) as running:
        assert sorted([*range(20)] * 2) == sorted(running.stream("second", timeout=SOON))
        ledger = running.stats().ledger
    assert (40, 40, 0) == (ledger.born, ledger.delivered, ledger.in_flight)
    assert ledger.balanced
