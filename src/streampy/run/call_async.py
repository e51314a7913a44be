"""Calls an `async def` unit with a batch; as `call`, but waiting gives the event loop away.

Knows nothing of tasks: several of these run at once where the unit has several workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from streampy.flow.router import Spread
from streampy.model.item import Batch, Header, Reason
from streampy.model.ports import Emits, Helping
from streampy.run.call import Call

EmitAsync = Callable[[str, Batch[Any]], Awaitable[None]]


async def run_async(call: Call, work: Callable[..., Any], batch: Batch[Any], emit: EmitAsync) -> None:
    """Call the unit with each item (or with the batch), and emit what it gives. Raises UnitFailed."""
    call.meter.received += len(batch)
    if any(port.helping is Helping.BATCH for port in call.plan.ports.inputs.values()):
        await _run_batch(call, work, batch, emit)
        return
    for header, value in zip(batch.headers, batch, strict=True):
        await _run_item(call, header, value, emit)


async def _run_item(call: Call, header: Header, value: Any, emit: EmitAsync) -> None:
    spread = Spread(call.plan.ports, header)
    attempts = iter(call.trouble.tries)
    while True:
        then = perf_counter()
        try:
            await _results(call, spread, value, emit)
        except _Raised as raised:
            attempt = None if spread.total else next(attempts, None)
            if attempt is not None:
                call.meter.retried += 1
                await asyncio.sleep(call.trouble.backoff(attempt))
                continue
            error = raised.error
            call.fail(header, value, error)
            if call.plan.ports.emits is Emits.NOTHING:
                call.outlet.bury(header, Reason.FAILED, error)
            else:
                call.settle(spread, Reason.FAILED, error)
            return
        call.meter.work.record(perf_counter() - then)
        call.finish(spread)
        return


class _Raised(Exception):
    def __init__(self, error: Exception) -> None:
        self.error = error


async def _results(call: Call, spread: Spread, value: Any, emit: EmitAsync) -> None:
    ports = call.plan.ports
    if ports.emits is not Emits.MANY:
        try:
            result = await call.one(value, spread.header)
            if result is None and ports.named is None and ports.emits is Emits.ONE:
                call.check_none()
            sent = [] if result is None else list(spread.one(result))
        except Exception as error:
            raise _Raised(error) from error
        for port, header, one in sent:
            call.meter.emitted += 1
            await emit(port, Batch([one], [header]))
        return
    parts = call.one(value, spread.header)
    while True:
        try:
            part = await anext(parts)
            sent = list(spread.one(part))
        except StopAsyncIteration:
            return
        except Exception as error:
            raise _Raised(error) from error
        for port, header, one in sent:
            call.meter.emitted += 1
            await emit(port, Batch([one], [header]))


async def _run_batch(call: Call, work: Callable[..., Any], batch: Batch[Any], emit: EmitAsync) -> None:
    attempts = iter(call.trouble.tries)
    while True:
        then = perf_counter()
        try:
            results = call.check_batch(await work(batch), len(batch))
        except Exception as error:
            if call.takes_apart(batch):
                for header, value in zip(batch.headers, batch, strict=True):
                    await _run_batch(call, work, Batch([value], [header]), emit)
                return
            attempt = next(attempts, None)
            if attempt is not None:
                call.meter.retried += 1
                await asyncio.sleep(call.trouble.backoff(attempt))
                continue
            for header, value in zip(batch.headers, batch, strict=True):
                call.fail(header, value, error)
                call.outlet.bury(header, Reason.FAILED, error)
            return
        call.meter.work.record(perf_counter() - then)
        for port, values, headers in call.accept_batch(batch, results):
            call.meter.emitted += len(values)
            await emit(port, Batch(values, headers))
        return
