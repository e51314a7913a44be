"""Matches what comes out with the calls that wait for it.

Knows nothing of how the items travelled; a call's answer is complete as a join's set is.
"""

from __future__ import annotations

from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any

from streampy.errors import ItemLost, RunError
from streampy.flow.joiner import Joiner, JoinInput
from streampy.model.item import Header, Reason, Tombstone
from streampy.model.pipe import Join
from streampy.model.plan import JoinPlan, Share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ANSWER = "answer"


class Answers:
    """The calls that wait at one open output. Any thread may use it."""

    def __init__(self, name: str, shares: Mapping[str, Share], now: Callable[[], float]) -> None:
        several = any(share.levels or share.ways > 1 for share in shares.values())
        plan = JoinPlan(
            Join(capacity=1_000_000),
            dict.fromkeys(shares, 0),
            {stream: {_ANSWER: share} for stream, share in shares.items()},
            frozenset([_ANSWER] if several else []),
            frozenset(),
        )
        inputs = {_ANSWER: JoinInput(_ANSWER, optional=False, gathers=several, latest=False)}
        self._joiner = Joiner(name, plan, inputs, ordered=False)
        self._now = now
        self._lock = Lock()
        self._awaited: dict[tuple[str, int], Future[Any]] = {}
        self._streams = frozenset(shares)

    @property
    def are_awaited(self) -> bool:
        """Whether any call waits here."""
        return bool(self._awaited)

    def can_answer(self, stream: str) -> bool:
        """Whether what is pushed into this unit comes out here."""
        return stream in self._streams

    def expect(self, header: Header) -> Future[Any]:
        """The future answer to the item that is about to be pushed."""
        future: Future[Any] = Future()
        with self._lock:
            self._awaited[header.stream, header.seq] = future
        return future

    def forget(self, header: Header) -> None:
        """Nobody waits for this answer any more."""
        with self._lock:
            self._awaited.pop((header.stream, header.seq), None)

    def take(self, header: Header, value: Any) -> bool:
        """Keep the item if it belongs to an answer; returns whether it does."""
        with self._lock:
            if (header.stream, header.seq) not in self._awaited:
                return False
            self._joiner.add(_ANSWER, header, value, self._now())
            self._settle()
        return True

    def bury(self, tombstone: Tombstone, ways: int) -> None:
        """Nothing of this item will come."""
        with self._lock:
            if (tombstone.header.stream, tombstone.header.seq) in self._awaited:
                self._joiner.bury(_ANSWER, tombstone, ways, self._now())
                self._settle()

    def close(self, header: Header, count: int, ways: int) -> None:
        """The item went into `count` parts."""
        with self._lock:
            if (header.stream, header.seq) in self._awaited:
                self._joiner.close(_ANSWER, header, count, ways, self._now())
                self._settle()

    def _settle(self) -> None:
        verdict = self._joiner.take(self._now())
        for joined in verdict.joined:
            self._awaited.pop((joined.header.stream, joined.header.seq)).set_result(joined.values[0])
        for tombstone in verdict.buried:
            header = tombstone.header
            future = self._awaited.pop((header.stream, header.seq))
            if tombstone.reason is Reason.FILTERED:
                future.set_result(None)
            else:
                lost = ItemLost(header.key, tombstone.reason.value, tombstone.where)
                lost.__cause__ = tombstone.cause
                future.set_exception(lost)

    def give_up(self) -> None:
        """Nothing more will come: whoever still waits is told."""
        with self._lock:
            awaited, self._awaited = self._awaited, {}
        for (stream, seq), future in awaited.items():
            future.set_exception(RunError(f"the process ended before the answer to {stream} #{seq} came"))
