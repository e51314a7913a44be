"""Calls an `async def` unit with a batch; as the runners do, but waiting gives the event loop away.

Knows nothing of tasks: several of these run at once where the unit has several workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from streampy.flow.router import Sent, Spread
from streampy.model.item import Batch, Header, Reason
from streampy.model.ports import Emits
from streampy.run.call import LOST, NO_LIMIT, Call
from streampy.run.runners import accept_batch

EmitAsync = Callable[[str, Batch[Any]], Awaitable[None]]


async def run_async(call: Call, batch: Batch[Any], emit: EmitAsync) -> None:
    """Call the unit with each item (or with the batch), and emit what it gives. Raises UnitFailed."""
    if call.takes_batches:
        await _run_batch(call, batch, emit)
        return
    for header, value in zip(batch.headers, batch, strict=True):
        if call.is_plain:
            await _run_plain(call, header, value, emit)
        else:
            call.outlet.ledger.hold(header)
            try:
                await _run_spread(call, header, value, emit)
            finally:
                call.outlet.ledger.release(header)


async def _run_plain(call: Call, header: Header, value: Any, emit: EmitAsync) -> None:
    then = call.now()
    result = await _try(call, header, value, lambda: call.work(value))
    if result is LOST:
        return
    call.meter.work.record(call.now() - then)
    if result is None or call.is_sink:
        call.nothing(header, value)
    else:
        await emit("out", Batch([result], [header]))


async def _try(call: Call, header: Header, value: Any, work: Callable[[], Awaitable[Any]]) -> Any:
    """The result of the first try that does not raise, or LOST. Raises UnitFailed where that stops all."""
    attempts = iter(call.trouble.tries)
    while True:
        try:
            async with _in_time(call) if call.has_limit else NO_LIMIT:
                return await work()
        except Exception as error:
            attempt = next(attempts, None)
            if attempt is None:
                call.fail(header, value, error)
                call.outlet.bury(header, Reason.FAILED, error)
                return LOST
        await _pause(call, attempt)


@asynccontextmanager
async def _in_time(call: Call) -> AsyncIterator[None]:
    """A call that does not come back within the unit's `timeout` is cancelled: that is an error of the unit."""
    limit = call.plan.spec.timeout
    try:
        async with asyncio.timeout(limit) as timeout:
            yield
    except TimeoutError as error:
        if timeout.expired():
            raise TimeoutError(f"did not come back within its timeout of {limit:g} s") from error
        raise


async def _pause(call: Call, attempt: int) -> None:
    call.meter.retried += 1
    await asyncio.sleep(call.trouble.backoff(attempt))


async def _run_spread(call: Call, header: Header, value: Any, emit: EmitAsync) -> None:
    call.meter.receive(1)
    spread = Spread(call.plan.ports, header)
    attempts = iter(call.trouble.tries)
    busy = 0.0
    parts = None
    while True:
        then = call.now()
        try:
            async with _in_time(call) if call.has_limit else NO_LIMIT:
                if call.plan.ports.emits is Emits.MANY:
                    parts = parts or aiter(call.one(header, value))
                    sent = await _next(spread, parts)
                else:
                    sent = None if spread.total else list(spread.one(await call.one(header, value)))
        except Exception as error:
            attempt = None if spread.total else next(attempts, None)
            if attempt is None:
                call.fail(header, value, error)
                call.settle(spread, Reason.FAILED, error)
                return
            await _pause(call, attempt)
            parts = None
            continue
        busy += call.now() - then
        for port, of, result in sent or ():
            call.meter.emit(1)
            await emit(port, Batch([result], [of]))
        if sent is None or (parts is None and not sent):
            call.meter.work.record(busy)
            call.finish(spread)
            return


async def _next(spread: Spread, parts: Any) -> list[Sent] | None:
    """What comes of the next thing that the unit yields; None behind the last one."""
    try:
        return list(spread.one(await anext(parts)))
    except StopAsyncIteration:
        return None


async def _run_batch(call: Call, batch: Batch[Any], emit: EmitAsync) -> None:
    call.meter.receive(len(batch))
    then = call.now()

    async def work() -> Any:
        results = await call.work(batch)
        return () if call.is_sink else call.check_batch(results, len(batch))

    if call.takes_apart(batch):
        try:
            async with _in_time(call) if call.has_limit else NO_LIMIT:
                results = await work()
        except Exception:  # on which item it raised is found out one by one, and told then
            call.take_apart(batch)
            for header, value in zip(batch.headers, batch, strict=True):
                await _run_batch(call, Batch([value], [header]), emit)
            return
    else:
        results = await _try(call, batch.headers[0], batch[0] if len(batch) == 1 else batch, work)
    if results is LOST:
        return
    call.meter.work.record(call.now() - then)
    for port, sent in accept_batch(call, batch, results):
        await emit(port, sent)
