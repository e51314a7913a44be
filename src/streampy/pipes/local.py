"""A pipe inside one OS process: items are handed on by reference.

Knows nothing of units; a unit with several inputs gives all its pipes the same lock and bell.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from sys import getsizeof
from time import monotonic
from typing import Any, Final, final

from streampy.flow.batcher import Handed
from streampy.flow.priority import make_batcher
from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.base import Bell, Cancelled, put_into
from streampy.pipes.guard import Guard

_HURRY: Final = 0.00002
"""Seconds between items that come one by one: a sender that is quicker has the next one ready before anybody wakes."""


def weigh(value: Any) -> int:
    """Bytes of a value: what arrays and buffers say themselves, else the size of the object alone."""
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size
    return len(value) if isinstance(value, bytes | bytearray) else getsizeof(value)


@final
class LocalPipe:
    """Both ends of a pipe between threads or tasks of one OS process.

    `arrived` rings when there is something to get, `room` when there is room to put.
    """

    def __init__(
        self, settings: Pipe, senders: int = 1, arrived: Bell | None = None, now: Callable[[], float] = monotonic
    ) -> None:
        self.arrived = arrived or Bell(Guard())
        self.room = self.arrived.twin()
        self.arrived.passes_turn = self.room.passes_turn = True
        self._now = now
        self.batcher = make_batcher(settings, weigh)
        self.lock = self.arrived.lock
        self._senders = senders
        self._latest = -inf
        """When the latest item came that came alone (seconds)."""
        self._is_cancelled = False
        self._is_retired = False

    def __repr__(self) -> str:
        state = "cancelled" if self._is_cancelled else "ended" if self.has_ended else "open"
        return f"<LocalPipe {state}, {len(self.batcher)} of {self.batcher.pipe.capacity} waiting>"

    @property
    def has_ended(self) -> bool:
        """Whether all senders ended. What waits can still be got."""
        return self._senders <= 0

    def put(self, batch: Batch[Any], until: float = inf) -> list[Header]:
        """See `Sender.put`."""
        return put_into(self, batch, until)

    def let_in(self, header: Header, value: Any) -> bool:
        """Take one item where that needs no waiting and drops nothing; returns whether it was taken."""
        with self.lock:
            now = self._now()
            if self._is_cancelled or self._is_retired or not self.batcher.let_in(header, value, now):
                return False
            self.arrived.passes_turn = now - self._latest > _HURRY
            self._latest = now
            self.arrived.ring()
            return True

    def let_in_some(self, batch: Batch[Any]) -> int:
        """As `let_in`, for those in front; returns how many were taken."""
        with self.lock:
            if self._is_cancelled or self._is_retired:
                return 0
            now, taken = self._now(), 0
            for header, value in zip(batch.headers, batch, strict=True):
                if not self.batcher.let_in(header, value, now):
                    break
                taken += 1
            if taken:
                self.arrived.passes_turn = now - self._latest > _HURRY
                self._latest = now
                self.arrived.ring()
            return taken

    def offer(self, batch: Batch[Any], start: int, dropped: list[Header]) -> int:
        """See `Intake.offer`."""
        if self._is_cancelled:
            raise Cancelled
        if self._is_retired:
            dropped.extend(batch.headers[start:])
            return len(batch) - start
        taken, lost = self.batcher.offer(batch, start, self._now())
        self.arrived.ring()  # also where nothing fitted: then nobody waits for a fuller batch any more
        dropped.extend(lost)
        return taken

    def get(self, until: float = inf) -> Handed | None:
        """See `Receiver.get`."""
        with self.lock:
            while True:
                now = self._now()
                due = self.due()
                if due <= now:
                    return self.take(now, self.batcher.pipe.batch)
                if self.has_ended and not len(self.batcher):
                    return None
                if now >= until:
                    raise TimeoutError
                try:
                    self.arrived.wait(min(due, until))
                except TimeoutError:
                    continue

    def due(self) -> float:
        """When a batch is to be taken. The lock is held. Raises Cancelled."""
        if self._is_cancelled:
            raise Cancelled
        return self.batcher.due(is_last=self.has_ended)

    def take(self, now: float, at_most: float) -> Handed:
        """The oldest items, however many are there up to `at_most`. The lock is held."""
        handed = self.batcher.hand_over(now, at_most)
        self.room.ring()
        return handed

    def end(self) -> None:
        """See `Sender.end`."""
        with self.lock:
            self._senders -= 1
            if self.has_ended:
                self.arrived.ring()

    def retire(self) -> list[Header]:
        """Nobody gets any more: what waits is dropped (returns its headers), and what still comes, so senders go on.

        Where the process is being stopped, what waits stays where it is.
        """
        with self.lock:
            self._is_retired = True
            self.room.ring()
            return [] if self._is_cancelled else self.batcher.drop_all()

    def cancel(self) -> None:
        """The process is being stopped: whoever waits, or comes, gets Cancelled."""
        with self.lock:
            self._is_cancelled = True
            self.arrived.ring()
            self.room.ring()
