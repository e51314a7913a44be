"""The accounts of all writers add up, in all and for each stream."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.ledger import Account, Ledger, add_up
from streampy.model.item import Header, Reason

FIELDS = ("born", "split", "joined", "delivered", "filtered", "dropped", "failed", "expired")
ENDS = FIELDS[2:]

entries = st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from("abc"), st.integers(0, 5)), max_size=30)


def ledger_of(entries: list[tuple[str, str, int]]) -> Ledger:
    ledger = Ledger()
    for what, stream, count in entries:
        ledger.add(what, Header(stream, 0, 0.0), count)
    return ledger


def total(entries: list[tuple[str, str, int]], what: str, stream: str = "") -> int:
    return sum(count for name, of, count in entries if name == what and stream in ("", of))


@given(several=st.lists(entries, max_size=4), in_flight=st.integers(0, 9))
def test_the_sum_is_that_of_all_writers(several, in_flight):
    account = add_up(map(ledger_of, several), in_flight)
    written = [entry for entries in several for entry in entries]
    assert {name: getattr(account, name) for name in FIELDS} == {name: total(written, name) for name in FIELDS}
    assert account.in_flight == in_flight
    assert list(account.streams) == sorted({stream for _, stream, _ in written})
    for stream, of_stream in account.streams.items():
        assert {name: getattr(of_stream, name) for name in FIELDS} == {
            name: total(written, name, stream) for name in FIELDS
        }
        assert of_stream.balanced


@given(several=st.lists(entries, max_size=4))
def test_it_is_balanced_if_and_only_if_what_is_missing_is_in_flight(several):
    account = add_up(map(ledger_of, several), 0)
    missing = account.born + account.split - account.ended
    assert account.balanced == (missing == 0)
    assert sum(of_stream.in_flight for of_stream in account.streams.values()) == missing
    assert replace(account, in_flight=missing).balanced


@given(streams=st.lists(st.sampled_from("abc"), max_size=8), times=st.integers(1, 3))
def test_items_that_are_counted_together_are_counted_each(streams, times):
    ledger = Ledger()
    ledger.add_each("split", [Header(stream, number, 0.0) for number, stream in enumerate(streams)], times)
    one_by_one = ledger_of([("split", stream, times) for stream in streams])
    assert add_up([one_by_one], 0) == add_up([ledger], 0)


def test_nothing_was_written():
    assert add_up([], 0) == Account()
    assert add_up([Ledger(), Ledger()], 0).balanced


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_account(reason):
    ledger = Ledger()
    ledger.ended([Header("a", 0, 0.0), Header("b", 0, 0.0), Header("a", 1, 0.0)], reason)
    account = add_up([ledger], 0)
    assert getattr(account, reason.value) == account.ended == 3
    assert getattr(account.streams["a"], reason.value) == 2


def test_adding_up_changes_no_ledger():
    ledger = ledger_of([("born", "a", 2)])
    assert add_up([ledger], 2) == add_up([ledger], 2)


def test_what_a_dead_worker_tells_late_takes_back_no_births_of_its_heir():
    ledger = Ledger()
    ledger.absorb({("born", "a"): 3})
    ledger.absorb({("born", "a"): 2, ("delivered", "a"): 1})
    assert {("born", "a"): 3, ("delivered", "a"): 1} == dict(ledger.counts)
