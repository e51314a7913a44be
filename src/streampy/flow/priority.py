"""Decides what waits in a pipe that hands over the highest priority first, or no more than so many items a second.

Pure: `now` is an argument. Does what a `Batcher` does, which stays as quick as it is because none of this is in it.
"""

from __future__ import annotations

import sys
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from math import inf, isnan
from numbers import Real
from typing import Any, NamedTuple

from streampy.flow.batcher import Batcher, Handed, Overloaded
from streampy.flow.meter import Distribution
from streampy.flow.pace import Pace
from streampy.model.item import Batch, Header
from streampy.model.pipe import Order, Overflow, Pipe

_DROPPING = (Overflow.DROP_OLDEST, Overflow.DROP_NEWEST, Overflow.LATEST)


def make_batcher(pipe: Pipe, weigh: Callable[[Any], int]) -> Batcher | PriorityBatcher:
    """The batcher that does what the settings of the pipe say."""
    is_plain = pipe.order is Order.FIFO and pipe.rate == inf
    return Batcher(pipe, weigh) if is_plain else PriorityBatcher(pipe, weigh)


class _Waiting(NamedTuple):
    header: Header
    value: Any
    since: float
    weight: int


class PriorityBatcher:
    """The items of one pipe: those of the highest priority first, equal ones in the order in which they came.

    What does not fit pushes out what counts least. Of all that wait, and the one that arrives, `drop_oldest` and
    `latest` drop the oldest of the lowest priority, `drop_newest` the newest of the lowest.
    """

    def __init__(self, pipe: Pipe, weigh: Callable[[Any], int]) -> None:
        self.pipe = pipe
        self.received = self.delivered = self.dropped = self.expired = 0
        self.high_water = 0
        self.waits = Distribution()
        self.batches = Distribution()
        self._pace = Pace(pipe.rate)
        self._at_once = pipe.batch if pipe.rate < inf else sys.maxsize
        """What a worker takes beyond its batch because it is quick would not be spaced."""
        self._weigh: Callable[[Any], int] | None = weigh if pipe.bytes < inf else None
        self._capacity = 1 if pipe.overflow is Overflow.LATEST else pipe.capacity
        self._levels: dict[float, deque[_Waiting]] = {}
        """Those that wait, by priority."""
        self._priorities: list[float] = []
        """Of the levels, from the lowest."""
        self._count = 0
        self._weight = 0
        self._has_refused = False
        """Whether an item did not fit since the last batch: then waiting for a fuller one is in vain."""

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether the next item would have to wait outside, or push another one out."""
        return self._count >= self._capacity or self._weight >= self.pipe.bytes or self._has_refused

    def let_in(self, header: Header, value: Any, now: float) -> bool:
        """See `Batcher.let_in`: there is always something to be thought of, so each item takes the way of `offer`."""
        del header, value, now
        return False

    def offer(self, batch: Batch[Any], start: int, now: float) -> tuple[int, list[Header]]:
        """See `Batcher.offer`. Raises ValueError, and takes nothing, where a priority is no number."""
        headers = batch.headers[start:]
        priorities = [self._priority(header) for header in headers]
        dropped: list[Header] = []
        taken = 0
        for priority, header, value in zip(priorities, headers, batch[start:], strict=True):
            arriving = _Waiting(header, value, now, self._weigh(value) if self._weigh else 0)
            if not self._fits(arriving.weight, self._count, self._weight):
                self._has_refused = True
                if self.pipe.overflow not in _DROPPING:
                    break
                victims = self._victims(priority, arriving.weight)
                dropped += [header] if victims is None else self._push_out(victims)
                if victims is None:
                    taken += 1
                    continue
            self._add(priority, arriving)
            taken += 1
        self.received += taken
        self.dropped += len(dropped)
        self.high_water = max(self.high_water, self._count)
        if self.pipe.overflow is Overflow.FAIL and taken < len(headers):
            raise Overloaded
        return taken, dropped

    def _priority(self, header: Header) -> float:
        if self.pipe.order is Order.FIFO:
            return 0.0
        priority = header.meta.get("priority", 0.0)
        if not isinstance(priority, Real) or isnan(priority):
            raise ValueError(f'item {header.key}: its meta["priority"] is {priority!r}, expected a number')
        return float(priority)

    def _fits(self, weight: int, count: int, weight_there: int) -> bool:
        return not count or (count < self._capacity and weight_there + weight <= self.pipe.bytes)

    def _victims(self, priority: float, weight: int) -> list[tuple[float, _Waiting]] | None:
        """Those that an item is to push out so that it fits, from the lowest on; None where it must go itself."""
        victims: list[tuple[float, _Waiting]] = []
        count, weight_there = self._count, self._weight
        for candidate in self._lowest_first(priority):
            victims.append(candidate)
            count, weight_there = count - 1, weight_there - candidate[1].weight
            if self._fits(weight, count, weight_there):
                return victims
        return None

    def _lowest_first(self, priority: float) -> Iterator[tuple[float, _Waiting]]:
        """What waits and may be pushed out by an item of this priority."""
        drops_newest = self.pipe.overflow is Overflow.DROP_NEWEST
        for lower in self._priorities:
            if lower > priority or (drops_newest and lower == priority):
                return
            level = self._levels[lower]
            yield from ((lower, one) for one in (reversed(level) if drops_newest else level))

    def _push_out(self, victims: Iterable[tuple[float, _Waiting]]) -> list[Header]:
        at = -1 if self.pipe.overflow is Overflow.DROP_NEWEST else 0
        return [self._let_out(priority, at).header for priority, _ in victims]

    def _add(self, priority: float, one: _Waiting) -> None:
        if priority not in self._levels:
            self._levels[priority] = deque()
            insort(self._priorities, priority)
        self._levels[priority].append(one)
        self._count += 1
        self._weight += one.weight

    def _let_out(self, priority: float, at: int) -> _Waiting:
        """The first (0) or the last (-1) of a level."""
        level = self._levels[priority]
        one = level.pop() if at else level.popleft()
        if not level:
            del self._levels[priority]
            self._priorities.remove(priority)
        self._count -= 1
        self._weight -= one.weight
        return one

    def newest(self, count: int) -> list[tuple[Header, Any]]:
        """See `Batcher.newest`."""
        waiting = sorted((one for level in self._levels.values() for one in level), key=lambda one: one.since)
        return [(one.header, one.value) for one in waiting[-count:]]

    def drop_all(self) -> list[Header]:
        """Nobody will take what waits; returns the headers."""
        headers = [self._let_out(self._priorities[-1], 0).header for _ in range(self._count)]
        self.dropped += len(headers)
        return headers

    def lift_bounds(self) -> None:
        """From now on everything fits."""
        self._capacity, self._weigh, self._weight, self._has_refused = sys.maxsize, None, 0, False
        self._levels = {
            priority: deque(one._replace(weight=0) for one in level) for priority, level in self._levels.items()
        }

    def due(self, *, is_last: bool) -> float:
        """When a batch is to be handed over: at the earliest when the rate allows it; `inf` where nothing waits."""
        if not self._count:
            return inf
        at_once = not self.pipe.wait or is_last or self._count >= self.pipe.batch or self.is_full
        due = 0.0 if at_once else min(level[0].since for level in self._levels.values()) + self.pipe.wait
        return max(due, self._pace.next_at)

    def hand_over(self, now: float, at_most: float) -> Handed:
        """The highest items, `at_most` so many; those that are stale are refused."""
        at_most = min(at_most, self._at_once)
        headers: list[Header] = []
        values: list[Any] = []
        stale: list[Header] = []
        came: list[float] = []
        while self._count and len(values) < at_most:
            header, value, since, _ = self._let_out(self._priorities[-1], 0)
            self.waits.record(now - since)
            if now - header.born > self.pipe.stale or now > header.deadline:
                stale.append(header)
            else:
                headers.append(header)
                values.append(value)
                came.append(since)
        self._has_refused = False
        self.delivered += len(values)
        self.expired += len(stale)
        if values:
            self.batches.record(len(values))
            self._pace.pass_by(len(values), now)
        return Handed(Batch(values, headers), stale, came)
