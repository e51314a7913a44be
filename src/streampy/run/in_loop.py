"""A worker that is a task of the event loop: it runs one `async def` unit.

Knows nothing of the graph: it has an inlet to get from, and a call that knows where to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from inspect import isawaitable
from time import perf_counter
from typing import Any

from streampy.model.item import Batch
from streampy.pipes.base import Cancelled
from streampy.run.call_async import run_async
from streampy.run.inlet import Taken
from streampy.run.member import Member
from streampy.run.source import run_source_async
from streampy.run.stream import run_stream_async
from streampy.run.turnstile import Sent
from streampy.run.worker import sit_down


class TaskMember(Member):
    """A task of the event loop that runs one `async def` unit."""

    async def main(self) -> None:
        """From start to stop."""
        sit_down(self)
        try:
            await self._start()
            self.is_starting = False
            self._foreman.ready()
            await self._work()
        except (Cancelled, asyncio.CancelledError):
            pass
        except BaseException as error:
            self._tell(error)
        finally:
            await self._stop()
            self.has_left = True
            self.mail.shut()
            self._foreman.left(self)

    async def _start(self) -> None:
        self._entered.append((self.head, self._units[0]))
        started = self._units[0].start()
        if isawaitable(started):
            await started

    async def _stop(self) -> None:
        for _, unit in self._entered:
            try:
                stopped = unit.stop()
                if isawaitable(stopped):
                    await stopped
            except BaseException as error:
                self._tell(error)

    async def _work(self) -> None:
        work = self._units[0].work
        if self.inlet is None:
            await run_source_async(self.head, work, self._gate, self.mail)
        elif self.head.plan.ports.is_stream:
            await run_stream_async(self.head, work, (taken.batch async for taken in self._takes()))
        else:
            async for taken in self._takes():
                await self._run(taken)

    async def _run(self, taken: Taken) -> None:
        if self._turnstile is None or taken.ticket is None:
            if taken.batch:
                await run_async(self.head, taken.batch, self.head.outlet.put_async)
            return
        sent: Sent = []
        self.head.outlet.put_off = sent.append

        async def keep(port: str, batch: Batch[Any]) -> None:
            sent.append((port, batch))

        if taken.batch:
            await run_async(self.head, taken.batch, keep)
        await self._turnstile.submit_async(taken.ticket, sent, self.head.outlet.put_async)

    async def _takes(self) -> AsyncIterator[Taken]:
        inlet = self.inlet
        assert inlet is not None, "a source has no inlet, and takes nothing"  # noqa: S101 - narrows the type
        while True:
            since = perf_counter()
            taken = await inlet.get_async(self.mail)
            self.head.meter.idle += perf_counter() - since
            if taken is None:
                return
            await self.mail.read_async()
            self.in_hand = len(taken.batch)
            self._news(taken)
            yield taken
            self.in_hand = 0
            inlet.done(taken)
