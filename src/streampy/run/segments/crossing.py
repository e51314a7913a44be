"""The end of a link whose receiver lives in another segment.

Knows nothing of who is over there, nor of what becomes of the items.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from streampy.model.item import Batch, Header, Reason
from streampy.run.segments.wire import What

if TYPE_CHECKING:
    from streampy.flow.ledger import Ledger
    from streampy.model.plan import Link
    from streampy.run.segments.neighbour import Neighbour, Putting

_LOST: Final = object()
_log: Final = logging.getLogger("streampy.unit")


class Yard(Protocol):
    """What a crossing must know of the rest of its segment."""

    def paths_of(self, headers: Sequence[Header]) -> list[tuple[str, ...]]:
        """The segments that wait for an answer to each of these items; this one is the last of them."""

    def pack(self, value: Any, link: str, header: Header) -> Any:
        """A value as it travels. Raises TypeError where a part of it can't, ValueError where it is too large."""

    def give_back(self, link: str, batch: Batch[Any]) -> None:
        """See `Host.give_back`."""

    def take(
        self, told: Sequence[tuple[What, Putting]], ledger: Ledger, put: Callable[[Sequence[Putting]], object]
    ) -> None:
        """What was told by another segment: put where it belongs. Waits only where not `has_room`. Raises Cancelled.

        put: is called when an item of each of these is in its pipe.
        """

    def has_room(self) -> bool:
        """Whether nothing that came waits for room here."""

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
        skips: bool,
    ) -> None:
        """Skips: whether what can't travel fails alone, and does not stop the process."""
        self.name = str(link)
        self.link = link
        self.ledger = ledger
        self.is_ordered = is_ordered
        """Whether answers leave in the order in which the items of a stream were sent."""
        self.is_open = is_open
        """Whether items may wait over there for others that come behind them: then no window holds these."""
        self.gathers = gathers
        """Whether they may wait there for others of their family."""
        self._skips = skips
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
        headers = list(batch.headers)
        packed = [self._pack(header, value) for header, value in zip(headers, batch, strict=True)]
        if _LOST in packed:
            there = [one is not _LOST for one in packed]
            headers, packed = list(compress(headers, there)), list(compress(packed, there))
        paths = self._yard.paths_of(headers)
        segment = self._neighbour.name
        goes_back = [segment in path for path in paths]
        if any(goes_back):
            self._yard.give_back(self.name, _select(headers, packed, goes_back))
        if all(goes_back):
            return []
        goes_on = list(map(not_, goes_back))
        batch = _select(headers, packed, goes_on)
        if not self._neighbour.keeps:
            return self._post(batch)
        for header in self._neighbour.put(self, batch, list(compress(paths, goes_on))):
            self.expire(header)
        return []

    def _pack(self, header: Header, value: Any) -> Any:
        """The value as it travels; `_LOST` where it can't, and the sender's `on_error` says to go on."""
        try:
            return self._yard.pack(value, self.name, header)
        except (TypeError, ValueError) as error:
            if not self._skips:
                raise
            _log.warning("%s", error)
            self._yard.miss(self.link, header, Reason.FAILED)
            self.ledger.add(Reason.FAILED.value, header)
            return _LOST

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


def _select(headers: Sequence[Header], values: Sequence[Any], chosen: Sequence[bool]) -> Batch[Any]:
    return Batch(list(compress(values, chosen)), list(compress(headers, chosen)))
