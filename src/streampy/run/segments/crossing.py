"""The end of a link whose receiver lives in another segment.

Knows nothing of who is over there, nor of what becomes of the items.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, final

from streampy.model.item import Batch, Header, Reason
from streampy.run.segments.wire import What

if TYPE_CHECKING:
    from streampy.flow.ledger import Ledger
    from streampy.model.plan import Link
    from streampy.run.segments.neighbour import Neighbour, Putting


class Yard(Protocol):
    """What a crossing must know of the rest of its segment."""

    def goes_back(self, header: Header, segment: str) -> bool:
        """See `Host.goes_back`."""

    def pack(self, value: Any, name: str) -> Any:
        """A value as it travels. Raises TypeError where a part of it can't."""

    def path_of(self, header: Header) -> tuple[str, ...]:
        """The segments that wait for an answer to this item; this one is the last of them."""

    def give_back(self, link: str, batch: Batch[Any]) -> None:
        """See `Host.give_back`."""

    def take(self, told: What, ledger: Ledger, put: Putting) -> None:
        """What was told by another segment: put where it belongs. Never waits. Raises Cancelled.

        put: is told of each batch that goes into a pipe here, before and after.
        """

    def miss(self, link: Link, header: Header, reason: Reason) -> None:
        """An item did not get over a link: tell the joins that wait for what comes of it."""


@final
class Crossing:
    """One link. See `Door`; its sender puts."""

    def __init__(
        self,
        link: Link,
        neighbour: Neighbour,
        yard: Yard,
        ledger: Ledger,
        *,
        is_ordered: bool,
        is_open: bool,
        gathers: bool,
    ) -> None:
        self.name = str(link)
        self.link = link
        self.ledger = ledger
        self.is_ordered = is_ordered
        """Whether answers leave in the order in which the items of a stream were sent."""
        self.is_open = is_open
        """Whether items may wait over there for others that come behind them: then no window holds these."""
        self.gathers = gathers
        """Whether they may wait there for others of their family."""
        self._neighbour = neighbour
        self._yard = yard
        self.out = 0
        """Items that were sent, and what became of them is not where it belongs. Under the neighbour's lock."""
        self.has_ended = False
        """Whether its sender puts nothing more."""
        self.is_told = False
        """Whether those over there know that nothing more comes."""
        self.on_rest: Callable[[], object] = bool
        """Called when its sender has ended, and whenever all was answered and put where it belongs."""

    def __repr__(self) -> str:
        return f"<Crossing {self.name}>"

    @property
    def is_asking(self) -> bool:
        """See `Asking`."""
        with self._neighbour.lock:
            return self.out > 0

    @property
    def is_full(self) -> bool:
        """See `Door.is_full`."""
        return self._neighbour.is_full(self)

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`."""
        segment = self._neighbour.name
        back: list[tuple[Header, Any]] = []
        on: list[tuple[Header, Any]] = []
        for header, value in zip(batch.headers, batch, strict=True):
            packed = self._yard.pack(value, f"{self.name}, item {header.key}")
            (back if self._yard.goes_back(header, segment) else on).append((header, packed))
        if back:
            self._yard.give_back(self.name, _batch_of(back))
        if on and not self._neighbour.keeps:
            return self._post(_batch_of(on))
        if on:
            for header in self._neighbour.put(self, _batch_of(on), self._yard.path_of):
                self.expire(header)
        return []

    def _post(self, batch: Batch[Any]) -> list[Header]:
        """Send, and don't ask what becomes of it: here the items have come to their end."""
        lost = self._neighbour.post(self, batch)
        for header in lost:
            self._yard.miss(self.link, header, Reason.DROPPED)
        gone = set(map(id, lost))
        self.ledger.add_each("delivered", [header for header in batch.headers if id(header) not in gone])
        return lost

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        return self.put(Batch([value], [header]))

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        return await asyncio.to_thread(self.put, batch)

    def end(self) -> None:
        """See `Door.end`."""
        self.has_ended = True
        self.on_rest()

    def expire(self, header: Header) -> None:
        """Nobody answered in time."""
        self.ledger.add(Reason.EXPIRED.value, header)
        self._yard.miss(self.link, header, Reason.EXPIRED)


def _batch_of(items: Sequence[tuple[Header, Any]]) -> Batch[Any]:
    return Batch([value for _, value in items], [header for header, _ in items])
