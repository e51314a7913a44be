"""The workers of a segment: a thread for each chain of fused units, a task of the event loop for an `async def` unit.

Knows nothing of the graph: each has an inlet to get from and calls that know where to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from inspect import isawaitable
from threading import Thread
from time import perf_counter
from typing import Any, Protocol

from streampy.errors import UnitFailed
from streampy.model.item import Batch, Header
from streampy.pipes.base import Cancelled
from streampy.run.call import Call, Onward
from streampy.run.call_async import run_async
from streampy.run.gate import Gate
from streampy.run.inlet import Inlet, Taken
from streampy.run.mail import Mailbox
from streampy.run.runners import Fused, Runner, Straight, make_runners
from streampy.run.source import run_source, run_source_async
from streampy.run.stream import run_stream, run_stream_async
from streampy.run.turnstile import Sent, Turnstile
from streampy.run.worker import Worker, sit_down


class Made(Protocol):
    """A unit, made for one worker."""

    def start(self) -> Any:
        """Called in the worker before the first item."""

    def stop(self) -> Any:
        """Called in the worker after the last one."""

    @property
    def work(self) -> Callable[..., Any]:
        """What is called with the items."""


class Foreman(Protocol):
    """Whom a worker tells how it goes."""

    def ready(self) -> None:
        """The worker has started its units."""

    def failed(self, error: UnitFailed) -> None:
        """A unit raised, and that stops the process."""

    def left(self, member: Member) -> None:
        """The worker is done, one way or the other."""


class Member:
    """What threads and tasks have in common: a desk, units to start and stop, an inlet to get from."""

    def __init__(
        self,
        calls: Sequence[Call],
        units: Sequence[Made],
        *,
        inlet: Inlet | None,
        turnstile: Turnstile | None,
        foreman: Foreman,
        gate: Gate,
    ) -> None:
        self.calls = calls
        self.inlet = inlet
        self.in_hand = 0
        self.is_starting = True
        self.mail = Mailbox()
        self.has_left = False
        self._units = units
        self._turnstile = turnstile
        self._foreman = foreman
        self._gate = gate
        self.at = calls[0]
        """The unit that is being called."""
        self._entered: list[tuple[Call, Made]] = []

    @property
    def worker(self) -> Worker:
        """See `Desk.worker`."""
        return self.at.worker

    @property
    def name(self) -> str:
        """Of the head of the chain."""
        return self.calls[0].worker.name

    @property
    def head(self) -> Call:
        """The first unit of the chain."""
        return self.calls[0]

    def fire(self, unit: str, method: str, values: tuple[Any, ...], named: dict[str, Any]) -> Future[Any] | None:
        """Have a method of one of its units called between two items; None where the unit is not here."""
        for call, made in zip(self.calls, self._units, strict=True):
            if call.plan.name == unit:
                answer = self.mail.post(partial(getattr(made, method), *values, **named))
                self._gate.knock() if self.inlet is None else self.inlet.knock()
                return answer
        return None

    def _news(self, taken: Taken) -> None:
        """Count and pass on what ended at the way in."""
        outlet = self.head.outlet
        for header, reason in taken.lost:
            outlet.ledger.add(reason.value, header.stream)
        for tombstone in taken.buried:
            outlet.pass_on(tombstone)
        if taken.late:
            late = TimeoutError(f"{len(taken.late)} items were not complete in time, the first {taken.late[0].key}")
            raise self.head.trouble.failure(taken.late[0].key, late) from late
        for stream in taken.absorbed:
            outlet.ledger.add("joined", stream)
        for stream in taken.made:
            outlet.ledger.add("split", stream)

    def _tell(self, error: BaseException) -> None:
        """An error ended this worker."""
        if isinstance(error, UnitFailed):
            self._foreman.failed(error)
            return
        failure = self.at.trouble.failure("", error)
        failure.__cause__ = error
        self._foreman.failed(failure)


class Collected:
    """What a unit gave for one batch, until it is its turn to leave."""

    def __init__(self) -> None:
        self._sent: Sent = []

    def put(self, port: str, batch: Batch[Any]) -> None:
        """See `Onward.put`."""
        self._sent.append((port, batch))

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """See `Onward.put_one`."""
        self._sent.append((port, Batch([value], [header])))

    def take(self) -> Sent:
        """All of it, which is then no longer here."""
        sent, self._sent = self._sent, []
        return sent


class ThreadMember(Member):
    """A thread that runs a chain."""

    def launch(self) -> Thread:
        """Start the thread. It is a daemon: a unit that never comes back must not keep the interpreter."""
        thread = Thread(target=self._main, name=f"streampy {self.name}", daemon=True)
        thread.start()
        return thread

    def _main(self) -> None:
        sit_down(self)
        try:
            self._start()
            self.is_starting = False
            self._foreman.ready()
            self._work()
        except Cancelled:
            pass
        except BaseException as error:
            self._tell(error)
        finally:
            self._stop()
            self.has_left = True
            self.mail.shut()
            self._foreman.left(self)

    def _start(self) -> None:
        for call, unit in zip(self.calls, self._units, strict=True):
            self.at = call
            self._entered.append((call, unit))
            unit.start()

    def _stop(self) -> None:
        for call, unit in self._entered:
            self.at = call
            try:
                unit.stop()
            except BaseException as error:
                self._tell(error)

    def _work(self) -> None:
        ports = self.head.plan.ports
        sent = Collected() if self._turnstile is not None else None
        end: Onward = sent or self.calls[-1].outlet
        if self.inlet is not None and not ports.is_stream:
            runner = make_runners(self.calls, self, end)
            for taken in self._takes(runner):
                if taken.batch:
                    runner.run(taken.batch)
                if sent is not None and taken.ticket is not None:
                    self._take_turn(taken.ticket, sent)
            return
        onward: Onward = Fused(make_runners(self.calls[1:], self, end)) if len(self.calls) > 1 else end
        if self.inlet is None:
            run_source(self.head, self._units[0].work, self._gate, self, onward)
        else:
            run_stream(self.head, self._units[0].work, (taken.batch for taken in self._takes()), self, onward)

    def _take_turn(self, ticket: int, sent: Collected) -> None:
        assert self._turnstile is not None, "only called where results leave in order"  # noqa: S101 - narrows the type
        self._turnstile.submit(ticket, sent.take(), self.head.outlet.put)

    def _takes(self, runner: Runner | None = None) -> Iterator[Taken]:
        """What the inlet gives, until it ends; each is done when the next is asked for."""
        hungry = runner if isinstance(runner, Straight) and self._turnstile is None else None
        inlet = self.inlet
        assert inlet is not None, "a source has no inlet, and takes nothing"  # noqa: S101 - narrows the type
        while True:
            since = perf_counter()
            taken = inlet.get(self.mail, hungry.appetite if hungry is not None else 1.0)
            self.head.meter.idle += perf_counter() - since
            if taken is None:
                return
            self.mail.read()
            self.in_hand = len(taken.batch)
            self._news(taken)
            yield taken
            self.in_hand = 0
            inlet.done(taken)


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
        sent: list[tuple[str, Batch[Any]]] = []

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
