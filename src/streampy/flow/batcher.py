"""Decides what waits in a pipe, what is dropped, and when a batch is due.

Pure: `now` is an argument. Knows nothing of threads; whoever holds it makes sure that one at a time calls it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

from streampy.flow.meter import Distribution
from streampy.model.item import Batch, Header
from streampy.model.pipe import Overflow, Pipe

Waiting = tuple[Header, Any, float]
"""An item in a pipe, and since when it waits (seconds). A plain tuple: these are made and taken apart by C code."""
_deadline = attrgetter("deadline")


class Handed(NamedTuple):
    """What is handed over: a batch (empty where all were stale), and the headers of those that went stale."""

    batch: Batch[Any]
    stale: Sequence[Header]


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
        self._waiting: deque[Waiting] = deque()
        self._capacity = 1 if pipe.overflow is Overflow.LATEST else pipe.capacity
        self._has_refused = False
        """Whether an item did not fit since the last batch: then waiting for a fuller one is in vain."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the next item would have to wait outside, or push another one out."""
        return len(self._waiting) >= self._capacity or self._weight >= self.pipe.bytes or self._has_refused

    def offer(self, batch: Batch[Any], start: int, now: float) -> tuple[int, list[Header]]:
        """Take in what fits of `batch[start:]`; returns how many were taken care of, and the headers of the dropped.

        Where the pipe blocks fewer may be taken than there are; all other policies take care of all.
        An item heavier than the whole bound is let into an empty pipe, or it could never pass.
        Raises Overloaded where the settings say `fail`.
        """
        room = self._capacity - len(self._waiting)
        count = len(batch) - start
        if self._weigh is not None or (count > room and self.pipe.overflow is not Overflow.BLOCK):
            return self._squeeze_in(batch, start, now)
        if count > room:
            count, self._has_refused = room, True
        stop = start + count
        self._waiting.extend(zip(batch.headers[start:stop], batch[start:stop], repeat(now), strict=False))
        self.received += count
        self.high_water = max(self.high_water, len(self._waiting))
        return count, []

    def _squeeze_in(self, batch: Batch[Any], start: int, now: float) -> tuple[int, list[Header]]:
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
                            dropped.append(self._pop()[0])
            self._waiting.append((header, value, now))
            if self._weigh:
                self._weights.append(weight)
                self._weight += weight
            taken += 1
        self.received += taken
        self.dropped += len(dropped)
        self.high_water = max(self.high_water, len(self._waiting))
        if self.pipe.overflow is Overflow.FAIL and start + taken < len(batch):
            raise Overloaded
        return taken, dropped

    def _fits(self, weight: int) -> bool:
        if not self._waiting:
            return True
        return len(self._waiting) < self._capacity and self._weight + weight <= self.pipe.bytes

    def _pop(self) -> Waiting:
        if self._weights:
            self._weight -= self._weights.popleft()
        return self._waiting.popleft()

    def lift_bounds(self) -> None:
        """From now on everything fits."""
        self._capacity, self._weigh, self._weight, self._has_refused = sys.maxsize, None, 0, False
        self._weights.clear()

    def due(self, *, is_last: bool) -> float:
        """When a batch is to be handed over: 0 for at once, `inf` where nothing waits."""
        if not self._waiting:
            return inf
        if not self.pipe.wait or is_last or len(self._waiting) >= self.pipe.batch or self.is_full:
            return 0.0
        return self._waiting[0][2] + self.pipe.wait

    def hand_over(self, now: float, at_most: float) -> Handed:
        """The oldest items, `at_most` so many; those that are stale are refused."""
        headers: list[Header] = []
        values: list[Any] = []
        stale: list[Header] = []
        while self._waiting and len(values) < at_most:
            taken = self._take(at_most - len(values))
            self.waits.extend([now - since for _, _, since in taken])
            if self.pipe.stale < inf or min(map(_deadline, (header for header, _, _ in taken))) < now:
                stale += [header for header, _, _ in taken if self._is_stale(header, now)]
                taken = [one for one in taken if not self._is_stale(one[0], now)]
            headers += [header for header, _, _ in taken]
            values += [value for _, value, _ in taken]
        self._has_refused = False
        self.delivered += len(values)
        self.expired += len(stale)
        if values:
            self.batches.record(len(values))
        return Handed(Batch(values, headers), stale)

    def drop_all(self) -> list[Header]:
        """Nobody will take what waits; returns the headers."""
        headers = [header for header, _, _ in self._take(inf)]
        self.dropped += len(headers)
        return headers

    def _take(self, at_most: float) -> list[Waiting]:
        if at_most < len(self._waiting) or self._weights:
            return [self._pop() for _ in range(int(min(at_most, len(self._waiting))))]
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def _is_stale(self, header: Header, now: float) -> bool:
        return now - header.born > self.pipe.stale or now > header.deadline
