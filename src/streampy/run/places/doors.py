"""What stands before the ends of links where a value changes OS processes: it is opened here, or sealed once for all.

Knows nothing of what is behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

from streampy.model.item import Batch, Header
from streampy.run.places.opened import opened

if TYPE_CHECKING:
    from streampy.run.outlet import Door
    from streampy.run.places.stock import Stock


@final
class Opening:
    """Before the end of a link in the main OS process, whose sender lives in another one."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @property
    def is_full(self) -> bool:
        """See `Door.is_full`."""
        return self._door.is_full

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`."""
        return self._door.put(Batch(map(opened, batch), batch.headers))

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        return self._door.put_one(header, opened(value))

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        return await self._door.put_async(Batch(map(opened, batch), batch.headers))

    def end(self) -> None:
        """See `Door.end`."""
        self._door.end()


def sealed_once(doors: Sequence[Door], stock: Stock) -> list[Door]:
    """Doors to units in other OS processes, for one sender: what is put into all of them is sealed for the first."""
    sealing = _Sealing(stock)
    return [_SealedOnce(door, sealing, is_last=door is doors[-1]) for door in doors]


@final
class _Sealing:
    """What was sealed for the first of several doors, until the last one has it."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._known: dict[int, tuple[Batch[Any], Batch[Any]]] = {}

    def find(self, batch: Batch[Any], *, is_last: bool) -> Batch[Any] | None:
        """The batch, sealed, where that was done before."""
        known = self._known.pop(id(batch), None) if is_last else self._known.get(id(batch))
        return known[1] if known is not None and known[0] is batch else None

    def seal(self, batch: Batch[Any]) -> Batch[Any]:
        """Seal it for all."""
        return self._keep(batch, self._stock.seal(batch))

    async def seal_async(self, batch: Batch[Any]) -> Batch[Any]:
        """As `seal`, for a task of the event loop."""
        return self._keep(batch, await self._stock.seal_async(batch))

    def _keep(self, batch: Batch[Any], values: list[Any]) -> Batch[Any]:
        sealed = Batch(values, batch.headers)
        self._known[id(batch)] = batch, sealed
        return sealed


@final
class _SealedOnce:
    def __init__(self, door: Door, sealing: _Sealing, *, is_last: bool) -> None:
        self._door = door
        self._sealing = sealing
        self._is_last = is_last

    @property
    def is_full(self) -> bool:
        return self._door.is_full

    def put(self, batch: Batch[Any]) -> list[Header]:
        found = self._sealing.find(batch, is_last=self._is_last)
        return self._door.put(self._sealing.seal(batch) if found is None else found)

    def put_one(self, header: Header, value: Any) -> list[Header]:
        return self._door.put_one(header, value)

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        found = self._sealing.find(batch, is_last=self._is_last)
        return await self._door.put_async(await self._sealing.seal_async(batch) if found is None else found)

    def end(self) -> None:
        self._door.end()
