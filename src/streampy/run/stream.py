"""Runs a unit that takes the whole stream: it pulls items, and what it yields belongs to the one it pulled last.

Knows nothing of pipes: what it pulls comes from an iterator of taken batches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from streampy.errors import UnitFailed
from streampy.flow.router import Sent, Spread
from streampy.model.item import Batch, Header, Item
from streampy.model.ports import Emits
from streampy.run.call import Call, Onward
from streampy.run.runners import Desk


class Pulled:
    """The item that a stream unit is at, and what it gave for it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._spread: Spread | None = None
        self.pulling = 0.0
        """Seconds spent waiting for items since the last look."""

    def next(self, header: Header, value: Any) -> Any:
        """The unit goes on to another item; returns what it is given."""
        self.settle()
        self._call.meter.receive(1)
        self._call.outlet.ledger.hold(header)
        self._spread = Spread(self._call.plan.ports, header)
        return Item(value, header) if self._call.wraps else value

    def settle(self) -> None:
        """All that the unit gave for its item is known."""
        spread, self._spread = self._spread, None
        if spread is not None:
            self._call.finish(spread)
            self._call.outlet.ledger.release(spread.header)

    def send(self, value: Any) -> Iterator[tuple[str, Batch[Any]]]:
        """What is to be emitted for one value that the unit yielded. Raises ValueError before the first item."""
        if self._spread is None:
            raise ValueError("yielded before it pulled its first item: what it gives has no identity yet")
        sent: Sent
        for sent in self._spread.one(value):
            self._call.meter.emit(1)
            yield sent.port, Batch([sent.value], [sent.header])


def run_stream(
    call: Call, work: Callable[[Iterator[Any]], Any], batches: Iterator[Batch[Any]], desk: Desk, onward: Onward
) -> None:
    """Run the unit to its end. Raises UnitFailed, also where it ends while its input still has items."""
    pulled = Pulled(call)
    pull = _pull(pulled, batches, call.now)
    results = _Results(work(pull) if call.plan.ports.emits is Emits.MANY else iter(_run_sink(work, pull)))
    try:
        while True:
            then, pulled.pulling = call.now(), 0.0
            try:
                value = next(results.values)
            except StopIteration:
                break
            except Exception as error:
                raise call.trouble.failure("", error) from error
            call.meter.work.record(max(0.0, call.now() - then - pulled.pulling))
            for port, batch in pulled.send(value):
                onward.put(port, batch)
                desk.at = call
    finally:
        results.close()
    pulled.settle()
    if next(pull, None) is not None:
        raise ended_early(call)


def ended_early(call: Call) -> UnitFailed:
    """Its input still has items: they would be lost."""
    return UnitFailed(
        call.worker.unit, "", call.worker.name, "it ended while its input still had items: read the input to its end"
    )


class _Results:
    def __init__(self, values: Any) -> None:
        self.values = iter(values)

    def close(self) -> None:
        close = getattr(self.values, "close", None)
        if close is not None:
            close()


def _run_sink(work: Callable[[Iterator[Any]], Any], pull: Iterator[Any]) -> Iterator[Any]:
    work(pull)
    yield from ()


def _pull(pulled: Pulled, batches: Iterator[Batch[Any]], now: Callable[[], float]) -> Iterator[Any]:
    while True:
        since = now()
        batch = next(batches, None)
        pulled.pulling += now() - since
        if batch is None:
            return
        for header, value in zip(batch.headers, batch, strict=True):
            yield pulled.next(header, value)


async def run_stream_async(
    call: Call, work: Callable[[AsyncIterator[Any]], Any], batches: AsyncIterator[Batch[Any]]
) -> None:
    """As `run_stream`, for an `async def` unit."""
    pulled = Pulled(call)
    pull = _pull_async(pulled, batches)
    try:
        if call.plan.ports.emits is Emits.MANY:
            async for value in work(pull):
                for port, batch in pulled.send(value):
                    await call.outlet.put_async(port, batch)
        else:
            await work(pull)
    except Exception as error:
        raise call.trouble.failure("", error) from error
    pulled.settle()
    if await anext(pull, None) is not None:
        raise ended_early(call)


async def _pull_async(pulled: Pulled, batches: AsyncIterator[Batch[Any]]) -> AsyncIterator[Any]:
    async for batch in batches:
        for header, value in zip(batch.headers, batch, strict=True):
            yield pulled.next(header, value)
