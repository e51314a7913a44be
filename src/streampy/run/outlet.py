"""The way out of a unit: its items go to all that are linked to it, and every end is counted.

Each worker has an outlet of its own, so the counts have one writer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from streampy.flow.ledger import Ledger
from streampy.flow.meter import Distribution
from streampy.model.headers import Headers
from streampy.model.item import Batch, Header, Reason, Tombstone


class News(Protocol):
    """Who passes on what became of items: see `Undertaker`."""

    def has_mourners(self, unit: str) -> bool:
        """Whether anybody waits for anything that the unit emits."""

    def bury(self, unit: str, tombstone: Tombstone, port: str | None = None) -> None:
        """An item ended at the unit; nothing of it comes from `port`, or from any output."""

    def leave_out(self, unit: str, port: str, tombstone: Tombstone) -> None:
        """One of the parts that the unit made of an item does not come from `port`."""

    def close(self, unit: str, port: str, header: Header, count: int) -> None:
        """An item went into `count` parts at an output of the unit."""


class Door(Protocol):
    """Where a link ends: an input of a unit, or an open output."""

    @property
    def is_full(self) -> bool:
        """Whether the next item would have to wait."""

    def put(self, batch: Batch[Any]) -> list[Header]:
        """Put a batch, waiting for room; returns the headers that were dropped."""

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """As `put`, for one item: the short way."""

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """As `put`, for a task of the event loop."""

    def end(self) -> None:
        """Nothing more comes."""


def deliver(headers: Sequence[Header], now: float, ledger: Ledger, latency: Distribution) -> None:
    """Count items that came to their end, and measure how long that took since they were born."""
    if len(headers) == 1:
        (header,) = headers
        ledger.add("delivered", header)
        latency.record(now - header.born)
        return
    ledger.add_each("delivered", headers)
    borns = headers.borns if type(headers) is Headers else [header.born for header in headers]
    if isinstance(borns, Sequence):
        latency.extend([now - born for born in borns])
    else:
        latency.repeat(now - borns, len(headers))


class Outlet:
    """The outputs of a unit, as one of its workers uses them."""

    def __init__(
        self,
        unit: str,
        doors: Mapping[str, Sequence[Door]],
        undertaker: News,
        ledger: Ledger,
        now: Callable[[], float],
    ) -> None:
        self.unit = unit
        self.ledger = ledger
        self.latency = Distribution()
        self.blocked = 0.0
        self.now = now
        self.doors = doors
        self._undertaker = undertaker
        self.put_off: Callable[[Callable[[], None]], None] | None = None
        """Where news wait for their turn, as results do, so that they can't overtake those of earlier items."""
        self.is_mourned = undertaker.has_mourners(unit)

    def put(self, port: str, batch: Batch[Any]) -> None:
        """Send a batch to all that are linked to the port; waits where they make it wait."""
        doors = self.doors[port]
        if len(doors) > 1:
            if self._goes_singly(batch):
                for header, value in zip(batch.headers, batch, strict=True):
                    self.put(port, Batch([value], [header]))
                return
            self.ledger.add_each("split", batch.headers, len(doors) - 1)
        since = self.now()
        for door in doors:
            if dropped := door.put(batch):
                self.ledger.ended(dropped, Reason.DROPPED)
        self.blocked += self.now() - since

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """Send one item."""
        doors = self.doors[port]
        if len(doors) != 1:
            self.put(port, Batch([value], [header]))
            return
        since = self.now()
        if dropped := doors[0].put_one(header, value):
            self.ledger.ended(dropped, Reason.DROPPED)
        self.blocked += self.now() - since

    async def put_async(self, port: str, batch: Batch[Any]) -> None:
        """As `put`, for a task of the event loop."""
        doors = self.doors[port]
        if len(doors) > 1:
            if self._goes_singly(batch):
                for header, value in zip(batch.headers, batch, strict=True):
                    await self.put_async(port, Batch([value], [header]))
                return
            self.ledger.add_each("split", batch.headers, len(doors) - 1)
        since = self.now()
        for door in doors:
            if dropped := await door.put_async(batch):
                self.ledger.ended(dropped, Reason.DROPPED)
        self.blocked += self.now() - since

    def _goes_singly(self, batch: Batch[Any]) -> bool:
        """Whether each item is to be with all receivers before the next one is with any.

        Where a pipe waits for all copies of an item to end, the others must not be in a hand that waits for that pipe.
        """
        return self.ledger.is_heard and len(batch) > 1

    @property
    def is_blocked(self) -> bool:
        """Whether anything that follows is full."""
        return any(door.is_full for doors in self.doors.values() for door in doors)

    def delivered(self, headers: Sequence[Header]) -> None:
        """Items came to their end at a sink."""
        deliver(headers, self.now(), self.ledger, self.latency)

    def bury(self, header: Header, reason: Reason, cause: BaseException | None = None) -> None:
        """An item ended in the unit without a result."""
        self.silent(header, None, reason, cause)  # first: who hears of the end of an item is to know all of it
        self.ledger.add(reason.value, header)

    def silent(
        self, header: Header, port: str | None, reason: Reason = Reason.FILTERED, cause: BaseException | None = None
    ) -> None:
        """Nothing of this item comes from `port` (None: from any)."""
        if self.is_mourned:
            tombstone = Tombstone(header, reason, self.unit, cause)
            self._tell(header, partial(self._undertaker.bury, self.unit, tombstone, port))

    def leave_out(self, port: str, part: Header) -> None:
        """The unit made this part of an item, and left `port` out of it."""
        if self.is_mourned:
            tombstone = Tombstone(part, Reason.FILTERED, self.unit)
            self._tell(part, partial(self._undertaker.leave_out, self.unit, port, tombstone))

    def pass_on(self, tombstone: Tombstone) -> None:
        """An item ended on its way into the unit, and was counted there."""
        if self.is_mourned:
            self._tell(tombstone.header, partial(self._undertaker.bury, self.unit, tombstone))

    def missed(self, receiver: str, tombstone: Tombstone) -> None:
        """A pipe of a unit that this one is linked to dropped an item, in another OS process."""
        if self.is_mourned:
            self._tell(tombstone.header, partial(self._undertaker.bury, receiver, tombstone))

    def close(self, port: str, header: Header, count: int) -> None:
        """The item went into `count` parts at `port`."""
        if self.is_mourned:
            self._tell(header, partial(self._undertaker.close, self.unit, port, header, count))

    def _tell(self, header: Header, news: Callable[[], None]) -> None:
        if self.put_off is None:
            news()
        else:
            self.put_off(self.ledger.until(header, news))

    def end(self) -> None:
        """Nothing more comes from this unit. Called once, by its last worker."""
        for doors in self.doors.values():
            for door in doors:
                door.end()
