"""Lets the results of several workers out in the order in which their items came.

Knows nothing of what is sent, nor of how.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any

from streampy.flow.orderer import Orderer
from streampy.model.item import Batch
from streampy.pipes.base import Bell, Cancelled

Sent = list[tuple[str, Batch[Any]] | Callable[[], None]]
"""What comes of one batch, in order: items for a port, and news to be told."""


class Turnstile:
    """One worker at a time emits, whatever is next; the others leave their results and go on, `ahead` at the most."""

    def __init__(self, orderer: Orderer[Sent], bell: Bell, ahead: int) -> None:
        self._orderer = orderer
        self._bell = bell
        self._ahead = ahead
        self._is_emitting = False
        self._is_cancelled = False
        self.held = 0
        """Items that wait for an earlier one, or are being emitted."""
        self._emitted = 0
        """Of these, how many are being emitted."""

    def submit(self, ticket: int, sent: Sent, emit: Callable[[str, Batch[Any]], None]) -> None:
        """Emit what is next, or leave these results to whoever comes to them. Raises Cancelled."""
        with self._bell.lock:
            self._hold(ticket, sent)
            while self._must_wait():
                self._bell.wait(inf)
            if self._is_emitting:
                return
            self._is_emitting = True
        while (batches := self._next()) is not None:
            for one in batches:
                one() if callable(one) else emit(*one)

    async def submit_async(self, ticket: int, sent: Sent, emit: Callable[[str, Batch[Any]], Awaitable[None]]) -> None:
        """As `submit`, for a task of the event loop."""
        with self._bell.lock:
            self._hold(ticket, sent)
        while True:
            with self._bell.lock:
                if not self._must_wait():
                    break
                ringing = self._bell.ringing(asyncio.get_running_loop())
            await ringing
        if self._is_emitting:
            return
        self._is_emitting = True
        while (batches := self._next()) is not None:
            for one in batches:
                if callable(one):
                    one()
                else:
                    await emit(*one)

    def _hold(self, ticket: int, sent: Sent) -> None:
        self._orderer.hold(ticket, sent)
        self.held += _count(sent)

    def _must_wait(self) -> bool:
        if self._is_cancelled:
            raise Cancelled
        return self._orderer.held > self._ahead and (self._is_emitting or not self._orderer.has_next)

    def _next(self) -> Sent | None:
        with self._bell.lock:
            sent = self._orderer.pop()
            self._is_emitting = sent is not None
            self._bell.ring()
            self.held -= self._emitted
            self._emitted = 0 if sent is None else _count(sent)
            return sent

    def cancel(self) -> None:
        """The process is being stopped."""
        with self._bell.lock:
            self._is_cancelled = True
            self._bell.ring()


def _count(sent: Sent) -> int:
    """The items in it."""
    return sum(len(one[1]) for one in sent if not callable(one))
