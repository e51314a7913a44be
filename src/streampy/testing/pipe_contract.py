"""The contract that every pipe keeps, as one suite: run it on a new kind of pipe before anything else.

Knows nothing of how the pipe carries; it sees only its two ends.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol

from streampy.flow.batcher import Handed, Overloaded
from streampy.model.item import Batch, Header
from streampy.model.pipe import Order, Overflow, Pipe
from streampy.pipes.base import Cancelled, Receiver, Sender

_SOON = 5.0
"""Seconds in which what must happen has to happen; nothing waits that long when all is well."""


class Ends(Protocol):
    """A pipe under test."""

    @property
    def sender(self) -> Sender:
        """Where batches go in."""

    @property
    def receiver(self) -> Receiver:
        """Where they come out."""

    def cancel(self) -> None:
        """The process is being stopped."""


def check_pipe(make: Callable[[Pipe], Ends]) -> None:
    """Raise AssertionError with the broken rule, or return. `make` gives a fresh pipe with these settings."""
    for rule in (
        _what_goes_in_comes_out_in_order,
        _the_end_comes_after_the_last_item,
        _a_batch_is_full_or_its_wait_is_over,
        _without_a_wait_nobody_waits_for_a_full_batch,
        _a_full_pipe_that_blocks_holds_its_sender_and_loses_nothing,
        _a_full_pipe_that_drops_says_what,
        _a_full_pipe_that_fails_says_so,
        _stale_items_are_refused,
        _the_highest_priority_comes_first,
        _a_rate_is_kept,
        _bytes_are_a_bound_too,
        _an_item_heavier_than_the_bound_passes_alone,
        _a_wait_ends_when_its_time_is_over,
        _who_waits_goes_home_when_cancelled,
    ):
        rule(make)


def _batch(first: int, last: int, *, born: float | None = None, value: object = None) -> Batch[Any]:
    at = monotonic() if born is None else born
    numbers = range(first, last)
    return Batch([n if value is None else value for n in numbers], [Header("test", n, at) for n in numbers])


def _seqs(handed: Handed | None) -> list[int]:
    assert handed is not None, "a batch was expected, and the pipe said that it had ended"
    return [header.seq for header in handed.batch.headers]


def _get(ends: Ends) -> Handed | None:
    return ends.receiver.get(monotonic() + _SOON)


def _all(ends: Ends) -> list[int]:
    seqs: list[int] = []
    while (handed := _get(ends)) is not None:
        seqs += _seqs(handed)
    return seqs


def _what_goes_in_comes_out_in_order(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=100))
    for first in range(0, 50, 5):
        assert ends.sender.put(_batch(first, first + 5)) == [], "a pipe with room dropped something"
    ends.sender.end()
    assert _all(ends) == list(range(50)), "items were lost, doubled or out of order"


def _the_end_comes_after_the_last_item(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe())
    ends.sender.put(_batch(0, 5))
    ends.sender.end()
    assert _all(ends) == [0, 1, 2, 3, 4], "the end overtook items"
    assert _get(ends) is None, "after the end the pipe gave something"


def _a_batch_is_full_or_its_wait_is_over(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(batch=4, wait=0.02))
    ends.sender.put(_batch(0, 6))
    assert _seqs(_get(ends)) == [0, 1, 2, 3], "a full batch was not handed over whole"
    began = monotonic()
    assert _seqs(_get(ends)) == [4, 5], "what was there when the wait was over was not handed over"
    assert monotonic() - began < _SOON, "the wait had no end"


def _without_a_wait_nobody_waits_for_a_full_batch(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(batch=8))
    ends.sender.put(_batch(0, 3))
    assert _seqs(_get(ends)) == [0, 1, 2], "a free receiver was not given what was there"


def _a_full_pipe_that_blocks_holds_its_sender_and_loses_nothing(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=3))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_put_and_end, ends, _batch(0, 50))
        seqs = _all(ends)
        assert sending.result(_SOON) == [], "a pipe that blocks dropped something"
    assert seqs == list(range(50)), "items were lost, doubled or out of order"


def _put_and_end(ends: Ends, batch: Batch[Any]) -> list[Header]:
    dropped = ends.sender.put(batch)
    ends.sender.end()
    return dropped


def _a_full_pipe_that_drops_says_what(make: Callable[[Pipe], Ends]) -> None:
    for overflow, dropped, kept in (
        (Overflow.DROP_OLDEST, [0, 1], [2, 3, 4]),
        (Overflow.DROP_NEWEST, [3, 4], [0, 1, 2]),
        (Overflow.LATEST, [0, 1, 2, 3], [4]),
    ):
        ends = make(Pipe(capacity=3, overflow=overflow))
        lost = [header.seq for first in range(5) for header in ends.sender.put(_batch(first, first + 1))]
        assert lost == dropped, f"{overflow} dropped {lost}, not {dropped}"
        ends.sender.end()
        assert _all(ends) == kept, f"{overflow} did not keep {kept}"
        ends = make(Pipe(capacity=3, overflow=overflow))
        lost = [header.seq for header in ends.sender.put(_batch(0, 5))]
        assert lost == dropped, f"{overflow} dropped {lost} of one batch, not {dropped}"


def _a_full_pipe_that_fails_says_so(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=1, overflow=Overflow.FAIL))
    ends.sender.put(_batch(0, 1))
    with suppress(Overloaded):
        ends.sender.put(_batch(1, 2))
        raise AssertionError("an overload was not told")


def _stale_items_are_refused(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(batch=4, stale=60.0))
    ends.sender.put(_batch(0, 2, born=monotonic() - 61))
    ends.sender.put(_batch(2, 3))
    ends.sender.end()
    handed = _get(ends)
    assert handed is not None, "the pipe ended without telling what went stale"
    assert [header.seq for header in handed.stale] == [0, 1], "stale items were not told"
    assert _seqs(handed) == [2], "a fresh item behind stale ones was not handed over"


def _the_highest_priority_comes_first(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=3, order=Order.PRIORITY, overflow=Overflow.DROP_OLDEST))
    headers = [
        Header("test", n, monotonic(), meta={"priority": priority}) for n, priority in enumerate((0, 5, 1.5, 5, -1))
    ]
    lost = ends.sender.put(Batch(range(5), headers))
    ends.sender.end()
    assert [header.seq for header in lost] == [0, 4], "what was dropped was not what counts least"
    assert _all(ends) == [1, 3, 2], "what came out was not ordered by priority, equal ones as they came"


def _a_rate_is_kept(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(batch=2, rate=1 / 3600))
    ends.sender.put(_batch(0, 5))
    assert _seqs(_get(ends)) == [0, 1], "the first batch was not handed over at once"
    with suppress(TimeoutError):
        ends.receiver.get(monotonic() + 0.01)
        raise AssertionError("more was handed over than the rate allows")


def _bytes_are_a_bound_too(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=10, bytes=250, overflow=Overflow.DROP_OLDEST))
    ends.sender.put(_batch(0, 3, value=bytes(100)))
    ends.sender.end()
    assert _all(ends) == [1, 2], "the bound in bytes was not kept"


def _an_item_heavier_than_the_bound_passes_alone(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=10, bytes=10))
    ends.sender.put(_batch(0, 1, value=bytes(100)), monotonic() + _SOON)
    ends.sender.end()
    assert _all(ends) == [0], "an item heavier than the bound did not pass an empty pipe"


def _a_wait_ends_when_its_time_is_over(make: Callable[[Pipe], Ends]) -> None:
    ends = make(Pipe(capacity=1))
    with suppress(TimeoutError):
        ends.receiver.get(monotonic() + 0.01)
        raise AssertionError("an empty pipe gave something")
    ends.sender.put(_batch(0, 1))
    with suppress(TimeoutError):
        ends.sender.put(_batch(1, 2), monotonic() + 0.01)
        raise AssertionError("a full pipe took something")


def _who_waits_goes_home_when_cancelled(make: Callable[[Pipe], Ends]) -> None:
    empty, full = make(Pipe(capacity=1)), make(Pipe(capacity=1))
    full.sender.put(_batch(0, 1))
    with ThreadPoolExecutor(2) as pool:
        waiting: list[Future[Any]] = [
            pool.submit(empty.receiver.get),
            pool.submit(full.sender.put, _batch(1, 2)),
        ]
        empty.cancel()
        full.cancel()
        for one in waiting:
            assert isinstance(one.exception(_SOON), Cancelled), "somebody still waits, or was not told"
