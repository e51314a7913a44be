"""Decides what waits in a pipe, what is dropped, and when a batch is due.

Pure: `now` is an argument. Knows nothing of threads; whoever holds it makes sure that one at a time calls it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, compress, repeat, starmap
from math import inf
from operator import attrgetter, not_, sub
from typing import Any, NamedTuple, TypeVar

from streampy.flow.meter import Distribution
from streampy.model.headers import Headers, joined
from streampy.model.item import Batch, Header
from streampy.model.pipe import Overflow, Pipe

T = TypeVar("T")
_deadline = attrgetter("deadline")


class Handed(NamedTuple):
    """What is handed over: a batch (empty where all were stale), and the headers of those that went stale."""

    batch: Batch[Any]
    stale: Sequence[Header]
    came: Sequence[float] | float | None = None
    """Since when each waited, or about since when all did (seconds); None where nothing is handed over."""


class Overloaded(Exception):
    """The pipe is full and its settings say that this is an error."""


class Batcher:
    """The items of one pipe, in the order in which they came."""

    def __init__(self, pipe: Pipe, weigh: Callable[[Any], int]) -> None:
        self.pipe = pipe
        self.received = self.delivered = self.dropped = self.expired = 0
        self.high_water = 0
        self.waits = Distribution()
        self.batches = Distribution()
        self._weigh = weigh if pipe.bytes < inf else None
        self._weight = 0
        self._weights: deque[int] = deque()
        """Of those that wait, as they came in: a value may grow while it waits. Empty where nobody asked for bytes."""
        self._headers: deque[Header] = deque()
        """Of the items that wait; their values, and since when each waits (seconds), are in the next two.

        Three columns, because these are filled and emptied by C code, without a tuple for each item.
        """
        self._values: deque[Any] = deque()
        self._since: deque[float] = deque()
        self._whole: deque[tuple[Batch[Any], float]] = deque()
        """Batches that wait as they came, behind what is in the columns, and since when: nobody need look into them."""
        self._in_whole = 0
        """Items in them."""
        self._keeps_whole = pipe.stale == pipe.bytes == inf
        """Whether it can't be that one item of a batch passes and another one does not."""
        self._capacity = 1 if pipe.overflow is Overflow.LATEST else pipe.capacity
        self._has_refused = False
        """Whether an item did not fit since the last batch: then waiting for a fuller one is in vain."""

    def __len__(self) -> int:
        return len(self._headers) + self._in_whole

    @property
    def is_full(self) -> bool:
        """Whether the next item would have to wait outside, or push another one out."""
        return len(self) >= self._capacity or self._weight >= self.pipe.bytes or self._has_refused

    def let_in(self, header: Header, value: Any, now: float) -> bool:
        """Take one item in where there is room and nothing else to be thought of; returns whether it was taken.

        The short way of `offer`, for senders that send item by item.
        """
        if self._whole:
            self._take_apart()
        if self._weigh is not None or len(self._headers) >= self._capacity:
            return False
        self._headers.append(header)
        self._values.append(value)
        self._since.append(now)
        self.received += 1
        self.high_water = max(self.high_water, len(self._headers))
        return True

    def offer(self, batch: Batch[Any], start: int, now: float) -> tuple[int, list[Header]]:
        """Take in what fits of `batch[start:]`; returns how many were taken care of, and the headers of the dropped.

        Where the pipe blocks fewer may be taken than there are; all other policies take care of all.
        An item heavier than the whole bound is let into an empty pipe, or it could never pass.
        Raises Overloaded where the settings say `fail`.
        """
        room = self._capacity - len(self)
        count = len(batch) - start
        if self._weigh is not None or (count > room and self.pipe.overflow is not Overflow.BLOCK):
            return self._squeeze_in(batch, start, now)
        if count > room:
            count, self._has_refused = room, True
        if not count:
            return 0, []
        if count < len(batch):
            batch = Batch(batch[start : start + count], batch.headers[start : start + count])
        if self._keeps_whole and type(batch.headers) is Headers and not batch.headers.deadlines:
            self._whole.append((batch, now))
            self._in_whole += count
        else:
            self._take_apart()
            self._add(batch, now)
        self.received += count
        self.high_water = max(self.high_water, len(self))
        return count, []

    def _take_apart(self, count: float = inf) -> None:
        """Have at least so many of the items that wait in columns, if there are."""
        while self._whole and len(self._headers) < count:
            batch, since = self._whole.popleft()
            self._in_whole -= len(batch)
            self._add(batch, since)

    def _add(self, batch: Batch[Any], since: float) -> None:
        self._headers.extend(batch.headers)
        self._values.extend(batch)
        self._since.extend(repeat(since, len(batch)))

    def _squeeze_in(self, batch: Batch[Any], start: int, now: float) -> tuple[int, list[Header]]:
        self._take_apart()
        dropped: list[Header] = []
        taken = 0
        for header, value in zip(batch.headers[start:], batch[start:], strict=True):
            weight = self._weigh(value) if self._weigh else 0
            if not self._fits(weight):
                self._has_refused = True
                match self.pipe.overflow:
                    case Overflow.BLOCK | Overflow.FAIL:
                        break
                    case Overflow.DROP_NEWEST:
                        dropped.append(header)
                        taken += 1
                        continue
                    case _:
                        while not self._fits(weight):
                            dropped.append(self._drop_oldest())
            self._headers.append(header)
            self._values.append(value)
            self._since.append(now)
            if self._weigh:
                self._weights.append(weight)
                self._weight += weight
            taken += 1
        self.received += taken
        self.dropped += len(dropped)
        self.high_water = max(self.high_water, len(self._headers))
        if self.pipe.overflow is Overflow.FAIL and start + taken < len(batch):
            raise Overloaded
        return taken, dropped

    def _fits(self, weight: int) -> bool:
        if not self._headers:
            return True
        return len(self._headers) < self._capacity and self._weight + weight <= self.pipe.bytes

    def _drop_oldest(self) -> Header:
        header = self._headers.popleft()
        self._values.popleft()
        self._since.popleft()
        self._lighten(1)
        return header

    def _lighten(self, count: int) -> None:
        """The weights of the oldest ones are off."""
        if self._weights:
            self._weight -= sum(pop_left(self._weights, count))

    def lift_bounds(self) -> None:
        """From now on everything fits."""
        self._capacity, self._weigh, self._weight, self._has_refused = sys.maxsize, None, 0, False
        self._weights.clear()

    def due(self, *, is_last: bool) -> float:
        """When a batch is to be handed over: 0 for at once, `inf` where nothing waits."""
        count = len(self._headers) + self._in_whole  # `len(self)`, which takes twice as long, and is asked often
        if not count:
            return inf
        if not self.pipe.wait or is_last or count >= self.pipe.batch or self.is_full:
            return 0.0
        return (self._since[0] if self._since else self._whole[0][1]) + self.pipe.wait

    def hand_over(self, now: float, at_most: float) -> Handed:
        """The oldest items, `at_most` so many; those that are stale are refused."""
        if self._whole and not self._headers:
            first = self._whole[0][1]
            if whole := self._hand_over_whole(now, at_most):
                return Handed(whole, (), first)
        headers: list[Header] = []
        values: list[Any] = []
        stale: list[Header] = []
        came: list[float] = []
        while len(self) and len(values) < at_most:
            self._take_apart(at_most - len(values))
            count = int(min(at_most - len(values), len(self._headers)))
            some = pop_left(self._headers, count)
            headers += some
            values += pop_left(self._values, count)
            since = pop_left(self._since, count)
            came += since
            self._measure(since, now)
            self._lighten(count)
            if self.pipe.stale < inf or min(map(_deadline, some)) < now:
                headers, values, came = self._refuse_stale(headers, values, came, stale, now)
        self._has_refused = False
        self.delivered += len(values)
        self.expired += len(stale)
        if values:
            self.batches.record(len(values))
        return Handed(Batch(values, headers), stale, came)

    def _hand_over_whole(self, now: float, at_most: float) -> Batch[Any] | None:
        """What of the batches that wait whole can be handed over so; None where too little can."""
        count = taken = 0
        for batch, _ in self._whole:
            if taken + len(batch) > at_most:
                break
            taken += len(batch)
            count += 1
        if not taken or taken < min(self.pipe.batch, self._in_whole, at_most):
            return None
        some = pop_left(self._whole, count)
        self._in_whole -= taken
        self._has_refused = False
        self.delivered += taken
        self.batches.record(taken)
        for batch, since in some:
            self.waits.repeat(now - since, len(batch))
        return some[0][0] if count == 1 else _joined([batch for batch, _ in some])

    def newest(self, count: int) -> list[tuple[Header, Any]]:
        """The last `count` that came and still wait, in their order."""
        whole = [pair for batch, _ in self._whole for pair in zip(batch.headers, batch, strict=True)]
        return [*zip(self._headers, self._values, strict=True), *whole][-count:]

    def drop_all(self) -> list[Header]:
        """Nobody will take what waits; returns the headers."""
        self._take_apart()
        headers = list(self._headers)
        for column in (self._headers, self._values, self._since, self._weights):
            column.clear()
        self._weight = 0
        self.dropped += len(headers)
        return headers

    def _measure(self, since: list[float], now: float) -> None:
        """How long they waited. They came in this order, so where the first and the last came at once all did."""
        if since[0] == since[-1]:
            self.waits.extend(repeat(now - since[0], len(since)))
        else:
            self.waits.extend(map(sub, repeat(now), since))

    def _refuse_stale(
        self, headers: list[Header], values: list[Any], came: list[float], stale: list[Header], now: float
    ) -> tuple[list[Header], list[Any], list[float]]:
        """Those that are fresh; the headers of the others are added to `stale`."""
        fresh = [not self._is_stale(header, now) for header in headers]
        stale += compress(headers, map(not_, fresh))
        return list(compress(headers, fresh)), list(compress(values, fresh)), list(compress(came, fresh))

    def _is_stale(self, header: Header, now: float) -> bool:
        return now - header.born > self.pipe.stale or now > header.deadline


def _joined(batches: Sequence[Batch[Any]]) -> Batch[Any]:
    return Batch(chain(*batches), joined([batch.headers for batch in batches]))


def pop_left(column: deque[T], count: int) -> list[T]:
    """The oldest ones, which are then no longer there."""
    if count < len(column):
        return list(starmap(column.popleft, repeat((), count)))  # in C, which takes half the time of a loop
    popped = list(column)
    column.clear()
    return popped
