"""Runs a source: what it yields is born here, as items of its stream.

Knows nothing of where they go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from math import inf
from types import NoneType
from typing import TYPE_CHECKING, Any

from streampy.errors import UnitFailed
from streampy.flow.router import Spread
from streampy.model.headers import Headers
from streampy.model.item import NO_META, Batch, Header, Item, Replayed, keep_trace
from streampy.model.ports import OUT, Emits, Ports
from streampy.run.call import Call, Onward
from streampy.run.reopen import Reopened, ReopenedAsync

if TYPE_CHECKING:
    from streampy.run.gate import Gate
    from streampy.run.runners import Desk

_SPECIAL = frozenset({Batch, Item, NoneType, Replayed})
_new = tuple.__new__
"""Makes a header in half the time that its own `__new__` takes, which is written in Python."""


class Births:
    """Gives each value of one source worker its header."""

    def __init__(self, call: Call) -> None:
        self._ports: Ports = call.plan.ports
        self._stream = call.worker.name
        self._now = call.outlet.now
        self._call = call
        self._emit = call.meter.emit
        self._ledger = call.outlet.ledger
        self._counts = self._ledger.counts
        self._born = ("born", self._stream)
        self._seq = self._counts[self._born]  # more than 0 where the worker before was replaced, or its unit made anew

    def of(self, value: Any) -> Iterator[tuple[str, Batch[Any]]]:
        """What is to be emitted for one value: a value, an item with its own header, a batch, or named outputs."""
        if value is None:
            return
        if isinstance(value, Batch):
            yield OUT, Batch(value, self._headers(len(value)))
            return
        if type(value) is Replayed:
            self._count(value.header)
            yield value.port, Batch([value.value], [value.header])
            return
        header = self.header()
        if type(value) is Item:
            given: Header = value.header
            meta = keep_trace(header.meta, given.meta) if header.meta else given.meta
            header = header._replace(meta=meta, deadline=given.deadline, born=min(header.born, given.born))
            value = value.value
        if self._ports.named is None:
            yield OUT, Batch([value], [header])
            return
        yield from self._named(header, value)

    def _named(self, header: Header, value: Any) -> Iterator[tuple[str, Batch[Any]]]:
        spread = Spread(self._ports, header)
        self._ledger.hold(header)
        for sent in spread.one(value):
            yield sent.port, Batch([sent.value], [sent.header])
        self._call.settle(spread)
        self._ledger.release(header)

    def _count(self, header: Header) -> None:
        """An item comes with the identity that it had in another run."""
        self._counts["born", header.stream] += 1
        self._emit(1)
        self._ledger.born((header,))

    def header(self) -> Header:
        """The identity of an item that is born now."""
        seq = self._seq
        self._seq = self._counts[self._born] = seq + 1
        self._emit(1)
        header: Header = _new(Header, (self._stream, seq, self._now(), (), inf, NO_META))
        if self._ledger.is_heard:
            self._ledger.born((header,))
        return header

    def _headers(self, count: int) -> Headers:
        """As `header`, for all that are born in one batch."""
        first = self._seq
        self._seq = first + count
        self._counts[self._born] = first + count
        self._emit(count)
        headers = Headers.born_at_once(self._stream, range(first, first + count), self._now())
        self._ledger.born(headers)
        return headers


def run_source(call: Call, work: Callable[[], Any], gate: Gate, desk: Desk, onward: Onward) -> None:
    """Emit until the source ends, or is asked to stop. Raises UnitFailed."""
    births = Births(call) if call.tracer is None else call.tracer.births(call)
    record = call.meter.work.record
    values = _values(call, work)
    letters, is_stopping = desk.mail.letters, call.worker.asked_to_stop.is_set
    is_plain, now, put_one = call.plan.ports.named is None, call.now, onward.put_one
    try:
        while True:
            if (letters or not gate.is_free) and not _may_go_on(call, gate, desk):
                return
            desk.at = call
            then = now()
            try:
                value = next(values)
            except StopIteration:
                return
            except UnitFailed:
                raise
            except Exception as error:
                raise call.trouble.failure("", error) from error
            record(now() - then)
            if is_stopping():
                return  # born after the process was told to stop: it never was
            if is_plain and type(value) not in _SPECIAL:
                put_one(OUT, births.header(), value)
                continue
            for port, batch in births.of(value):
                onward.put(port, batch)
    finally:
        _close(values)


async def run_source_async(call: Call, work: Callable[[], Any], gate: Gate, desk: Desk) -> None:
    """As `run_source`, for an `async def` source."""
    births = Births(call) if call.tracer is None else call.tracer.births(call)
    values = _values_async(call, work)
    pull = _Pull()
    gate.on_stop(pull.call_away)
    try:
        while await _may_go_on_async(call, gate, desk):
            then = call.now()
            try:
                value = await pull.next(values)
            except StopAsyncIteration:
                return
            except UnitFailed:
                raise
            except Exception as error:
                raise call.trouble.failure("", error) from error
            call.meter.work.record(call.now() - then)
            for port, batch in births.of(value):
                await call.outlet.put_async(port, batch)
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()


class _Pull:
    """Waits for the next value of an `async def` source, until it is asked to stop: what comes then is never born.

    A source in a thread waits with `worker().sleep` and is woken; one in the event loop may wait for anything.
    """

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a source runs in a task"  # noqa: S101 - narrows the type
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._is_waiting = False
        self._was_called = False

    async def next(self, values: AsyncIterator[Any]) -> Any:
        """The next value. Raises StopAsyncIteration, also where the source was called away."""
        self._is_waiting = True
        try:
            return await anext(values)
        except asyncio.CancelledError:
            if not self._was_called:
                raise
            self._task.uncancel()
            raise StopAsyncIteration from None
        finally:
            self._is_waiting = False

    def call_away(self) -> None:
        """From any thread: it need not wait any longer."""
        with suppress(RuntimeError):  # the loop is closed: it has left
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._is_waiting:
            self._was_called = True
            self._task.cancel()


def _may_go_on(call: Call, gate: Gate, desk: Desk) -> bool:
    """Read the mail and wait for the gate; False where the source is to end."""
    while True:
        desk.mail.read()
        if call.worker.stopping or not desk.may_go_on:
            return False
        if gate.wait(desk.mail):
            return not call.worker.stopping


async def _may_go_on_async(call: Call, gate: Gate, desk: Desk) -> bool:
    while True:
        await desk.mail.read_async()
        if call.worker.stopping or not desk.may_go_on:
            return False
        if await gate.wait_async(desk.mail):
            return not call.worker.stopping


def _values(call: Call, work: Callable[[], Any]) -> Iterator[Any]:
    is_iterated = call.plan.ports.emits is Emits.MANY
    if call.has_limit or not call.trouble.stops:
        return Reopened(call, lambda: iter(work()) if is_iterated else _called_again(work))
    try:
        return iter(work()) if is_iterated else _called_again(work)
    except Exception as error:
        raise call.trouble.failure("", error) from error


def _values_async(call: Call, work: Callable[[], Any]) -> AsyncIterator[Any]:
    is_iterated = call.plan.ports.emits is Emits.MANY
    if call.has_limit or not call.trouble.stops:
        return ReopenedAsync(call, lambda: aiter(work()) if is_iterated else _called_again_async(work))
    return aiter(work()) if is_iterated else _called_again_async(work)


def _called_again(work: Callable[[], Any]) -> Iterator[Any]:
    while True:
        try:
            yield work()
        except StopIteration:
            return


async def _called_again_async(work: Callable[[], Any]) -> AsyncIterator[Any]:
    while True:
        yield await work()


def _close(values: Iterator[Any]) -> None:
    close = getattr(values, "close", None)
    if close is not None:
        close()
