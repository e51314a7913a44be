"""Settings are checked when they are made, and what is wrong is told with the setting's name."""

from __future__ import annotations

from math import inf

import pytest

from streampy.model.pipe import Join, Late, OnError, Order, Overflow, Pipe, Then


def test_durations_sizes_and_words_are_read():
    pipe = Pipe(wait="5ms", stale="2s", bytes="64MB", overflow="drop_oldest", order="priority", rate="600/m")
    assert (pipe.wait, pipe.stale, pipe.bytes, pipe.rate) == (0.005, 2.0, 64e6, 10.0)
    assert (pipe.overflow, pipe.order) == (Overflow.DROP_OLDEST, Order.PRIORITY)


def test_a_plain_pipe_loses_nothing_and_waits_for_nothing():
    plain = Pipe(capacity=64, bytes=inf, batch=1, wait=0.0, overflow=Overflow.BLOCK, stale=inf)
    assert Pipe() == plain == Pipe(order=Order.FIFO, rate=inf, from_=())


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({}, 64),
        ({"capacity": 8, "item": "6MB"}, 8),
        ({"capacity": 8, "item": "6MB", "bytes": "20MB"}, 3),
        ({"capacity": 8, "item": "6MB", "bytes": "1MB"}, 1),
        ({"capacity": 8, "overflow": "latest"}, 1),
    ],
)
def test_as_many_items_wait_as_number_and_bytes_allow(settings, most):
    assert Pipe(**settings).most == most


@pytest.mark.parametrize(("overflow", "can_drop"), [(one, one is not Overflow.BLOCK) for one in Overflow])
def test_only_a_pipe_that_blocks_holds_its_sender(overflow, can_drop):
    assert Pipe(overflow=overflow).can_drop == can_drop


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pipe(capacity=0), "capacity: got 0, expected at least 1 item"),
        (lambda: Pipe(batch=0), "batch: got 0, expected at least 1 item"),
        (
            lambda: Pipe(capacity=4, batch=8),
            "batch: got 8, expected at most the capacity (4): it could never be full",
        ),
        (
            lambda: Pipe(wait="5 fortnights"),
            "wait: got '5 fortnights', expected a duration: seconds as a number, or text such as 5ms, 2s, 1m",
        ),
        (
            lambda: Pipe(bytes="big"),
            "bytes: got 'big', expected a size: bytes as a number, or text such as 64MB, 2GiB",
        ),
        (
            lambda: Pipe(overflow="drop_oldst"),
            (
                "overflow: got 'drop_oldst', expected block, drop_oldest, drop_newest, latest or fail, "
                "did you mean 'drop_oldest'?"
            ),
        ),
        (lambda: Pipe(item=0), "item: got 0, expected the bytes of one item, above 0"),
        (lambda: Pipe(order="fif"), "order: got 'fif', expected fifo or priority, did you mean 'fifo'?"),
        (
            lambda: Pipe(rate=0),
            "rate: got 0, expected a rate: items a second as a number, or text such as 10/s, 600/m, above 0",
        ),
        (
            lambda: Pipe(rate="10s"),
            "rate: got '10s', expected a rate: items a second as a number, or text such as 10/s, 600/m",
        ),
        (lambda: Pipe(from_=3), "from_: got 3, expected the name of a unit, `unit.port`, or several of them"),
        (
            lambda: Pipe(from_=["a", ""]),
            "from_: got ['a', ''], expected the name of a unit, `unit.port`, or several of them",
        ),
        (lambda: Join(late="never"), "late: got 'never', expected partial, drop or error"),
        (lambda: Join(capacity=-1), "capacity: got -1, expected at least 1 item, or 0 for as many as can come"),
        (lambda: OnError(retry=-1), "retry: got -1, expected 0 or more tries"),
        (lambda: OnError(then="retry"), "then: got 'retry', expected stop, skip or dead_letter"),
        (lambda: OnError.of("stopp"), "got 'stopp', expected stop, skip, retry or dead_letter, did you mean 'stop'?"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_with_the_name_of_the_setting(make, message):
    with pytest.raises(ValueError) as refused:
        make()
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ("stop", OnError()),
        ("skip", OnError(then=Then.SKIP)),
        ("retry", OnError(retry=3)),
        ("dead_letter", OnError(then=Then.DEAD_LETTER)),
        (OnError(retry=7), OnError(retry=7)),
    ],
)
def test_the_short_form_of_on_error(short, expected):
    assert OnError.of(short) == expected


def test_a_join_waits_until_all_is_told_unless_it_is_told_how_long():
    assert (Join().wait, Join().late, Join().key) == (inf, Late.PARTIAL, "ancestor")
    assert Join(wait="60ms", late="drop") == Join(wait=0.06, late=Late.DROP)
