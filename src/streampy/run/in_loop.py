"""A worker that is a task of the event loop: it runs one `async def` unit.

Knows nothing of the graph: it has an inlet to get from, and a call that knows where to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import isawaitable
from typing import Any

from streampy.model.item import Batch
from streampy.pipes.base import Cancelled
from streampy.run.call import TakenApart
from streampy.run.call_async import EmitAsync, run_async
from streampy.run.hand import Hand
from streampy.run.inlet import Taken
from streampy.run.member import Member
from streampy.run.runners import HOLD_BACK
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
            await asyncio.sleep(self.pause)
            while True:
                await self._start()
                self._has_started()
                await self._work()
                if not self.is_outdated:
                    break
                await self._stop()
                self._settle(self._asked_down)
                while not await self._bed.wait_async(self.mail) and self._is_needed:
                    await self.mail.read_async()
                if not self._is_needed:
                    break
                self._renew()
        except (Cancelled, asyncio.CancelledError):
            pass
        except BaseException as error:
            self._tell(error)
        finally:
            await self._stop()
            self._has_left()

    async def _start(self) -> None:
        self._entered.append((self.head, self._units[0]))
        started = self._units[0].start()
        if isawaitable(started):
            await started

    async def _stop(self) -> None:
        entered, self._entered = self._entered, []
        for _, unit in entered:
            try:
                stopped = unit.stop()
                if isawaitable(stopped):
                    await stopped
            except asyncio.CancelledError:
                pass  # the process is put out while the unit stops
            except BaseException as error:
                self._tell(error)

    async def _work(self) -> None:
        work = self._units[0].work
        if self.inlet is None:
            await run_source_async(self.head, work, self._gate, self)
        elif self.head.plan.ports.is_stream:
            await run_stream_async(self.head, work, (taken.batch async for taken in self._takes()))
        elif self.head.plan.spec.on_crash.restarts:
            await self._work_with_care()
        else:
            async for taken in self._takes():
                await self._run(taken)

    async def _run(self, taken: Taken) -> None:
        if self._turnstile is None or taken.ticket is None:
            if taken.batch:
                await run_async(self.head, taken.batch, self._noted(self.head.outlet.put_async))
            return
        if taken.batch:
            await run_async(self.head, taken.batch, self._noted(_keeping(self._sent)))
        await self._send(taken.ticket, self._sent)

    def _noted(self, emit: EmitAsync) -> EmitAsync:
        return emit if self.hops is None else self.hops.emitting(emit)

    async def _work_with_care(self) -> None:
        """See `ThreadMember._work_with_care`."""
        async for hand in self._hands():
            keep = self._noted(_keeping(hand.sent))
            self.head.outlet.put_off = hand.sent.append
            if not hand.is_apart:
                try:
                    await run_async(self.head, hand.whole, keep)
                    hand.finish()
                except TakenApart:
                    hand.take_apart()
            for header, value in hand.items:
                if hand.deaths < self.head.plan.spec.on_crash.attempts:
                    await run_async(self.head, Batch([value], [header]), keep)
                else:
                    self._give_up(hand, header, value)
            self.head.outlet.put_off = None
            await self._send(hand.taken.ticket, hand.sent)

    async def _hands(self) -> AsyncIterator[Hand]:
        if self.hand is not None:
            yield self.hand
            self._done(self.hand.taken)
        async for taken in self._takes():
            self.hand = Hand(taken, self.head, is_apart=not self.head.takes_batches)
            self.hand.sent, self._sent = self._sent, []
            yield self.hand
            self.hand = None

    async def _send(self, ticket: int | None, sent: Sent) -> None:
        outlet = self.head.outlet
        if self._turnstile is not None and ticket is not None:
            self.in_hand = 0  # they are in the turnstile's
            await self._turnstile.submit_async(ticket, sent, outlet.put_async)
            return
        for one in sent:
            if callable(one):
                one()
            else:
                await outlet.put_async(*one)

    def _collect(self) -> None:
        """What comes of the batch that was taken, the news of what ended on its way in first, waits for its turn."""
        if self._turnstile is not None:
            self._sent = []
            self.head.outlet.put_off = self._sent.append

    async def _takes(self) -> AsyncIterator[Taken]:
        inlet = self.inlet
        assert inlet is not None, "a source has no inlet, and takes nothing"  # noqa: S101 - narrows the type
        is_hungry = self.head.is_plain and self._turnstile is None
        appetite = 1.0
        while True:
            since = self._rest()
            await self.mail.read_async()  # with nothing in hand: whatever it does, no item is lost by it
            if not self.may_go_on:
                return
            taken = await inlet.get_async(self.mail, appetite)
            then = self._taken_at = self.head.now()
            self.head.meter.idle += then - since
            if taken is None:
                return
            self.in_hand = len(taken.batch)
            if self.hops is not None:
                self.hops.took(taken, since, then)
            self._collect()
            self._news(taken)
            yield taken
            if is_hungry and taken.batch:
                appetite = HOLD_BACK * len(taken.batch) / max(self.head.now() - then, 1e-9)
            self._done(taken)


def _keeping(sent: Sent) -> Callable[[str, Batch[Any]], Awaitable[None]]:
    async def keep(port: str, batch: Batch[Any]) -> None:
        sent.append((port, batch))

    return keep
