"""The interface of every pipe, and how one waits for it.

Knows nothing of what is carried, nor of units.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from threading import TIMEOUT_MAX, Lock, get_ident, main_thread
from time import monotonic
from typing import Any, Protocol

from streampy.flow.batcher import Handed
from streampy.model.item import Batch, Header
from streampy.pipes.guard import Guard, Sleeper, sleeper_here

_LOOK_UP = 0.5
"""Seconds."""


class Cancelled(BaseException):
    """The process is being stopped: whoever waits at a pipe goes home. No error, so not an Exception."""


class Sender(Protocol):
    """The end of a pipe at which batches go in; any thread may call it."""

    def put(self, batch: Batch[Any], until: float = inf) -> list[Header]:
        """Put a batch in, waiting for room where the pipe blocks; returns the headers of the items that it dropped.

        until: `time.monotonic` seconds. Raises TimeoutError past it, Overloaded where a full pipe is an error,
        Cancelled when the process is being stopped.
        """

    def end(self) -> None:
        """Nothing more comes from this sender."""


class Receiver(Protocol):
    """The end of a pipe at which batches come out; any thread may call it."""

    def get(self, until: float = inf) -> Handed | None:
        """The next batch, waited for as the pipe's settings say; None after the last one, when all senders ended.

        until: `time.monotonic` seconds. Raises TimeoutError past it, Cancelled when the process is being stopped.
        """


class Bell:
    """Wakes whoever waits for a change under a lock: threads, and tasks of an event loop. Nobody polls.

    Does what a Condition does, at half its cost: the lock is known to be a plain one, and all are woken at once.
    """

    __slots__ = ("_waiting", "_wakers", "lock", "passes_turn")

    def __init__(self, lock: Guard) -> None:
        self.lock = lock
        self.passes_turn = False
        """Whether whoever rings lets those that are woken go first: see `Guard`. Else it goes on, until its turn (the
        GIL's) is over.
        """
        self._waiting: list[Lock | Sleeper] = []
        self._wakers: list[Callable[[], None]] = []

    def twin(self) -> Bell:
        """Another bell of the same kind, under the same lock."""
        return type(self)(self.lock)

    def ring(self) -> None:
        """Something changed. The lock is held."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                waiter.release()
        if self._wakers:
            wakers, self._wakers = self._wakers, []
            for wake in wakers:
                wake()

    def wait(self, until: float) -> None:
        """Give the lock back until the bell rings, at most until then. The lock is held. Raises TimeoutError."""
        sleeper = sleeper_here(self.lock) if until == inf and self.passes_turn else None
        if sleeper is None:
            self._wait_at_lock(until)
            return
        self._waiting.append(sleeper)
        self.lock.release()
        try:
            sleeper.sleep()
        finally:
            self.lock.acquire()

    def _wait_at_lock(self, until: float) -> None:
        waiter = Lock()
        waiter.acquire()
        self._waiting.append(waiter)
        self.lock.release()
        rang = False
        try:
            rang = waiter.acquire(timeout=patience(until))
        finally:
            self.lock.acquire()
            if not rang and waiter in self._waiting:
                self._waiting.remove(waiter)
        if not rang and monotonic() >= until:
            raise TimeoutError

    def ringing(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """A future that is done when the bell rings next. The lock is held."""
        future: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not future.done():
                future.set_result(None)

        def wake() -> None:
            if asyncio._get_running_loop() is loop:
                finish()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(finish)

        self._wakers.append(wake)
        return future


def patience(until: float) -> float:
    """Seconds to wait at a lock at a stretch, so that nothing is missed; whoever waits looks again after it.

    CPython runs signal handlers in the main thread only, and does not wake it for a signal that comes while it gives
    the GIL away before it blocks: one Ctrl-C in a hundred was lost so. Hence the main thread looks up now and then.
    """
    most = _LOOK_UP if get_ident() == main_thread().ident else TIMEOUT_MAX
    return min(max(0.0, until - monotonic()), most)


def wait_for(event: Waitable, until: float = inf) -> bool:
    """Wait until the event is set, or until then (`time.monotonic` seconds); returns whether it is set."""
    while not event.wait(patience(until)):
        if monotonic() >= until:
            return False
    return True


async def rung(future: asyncio.Future[None], until: float) -> None:
    """Wait for a bell's future, at most until then (seconds, by the loop's clock). Raises TimeoutError."""
    if until == inf:
        await future
        return
    async with asyncio.timeout_at(until):  # no difference is taken and added: that would be a little before or after
        await future


class Waitable(Protocol):
    """What can be waited for: an Event."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most so many seconds; returns whether it happened."""


class Intake(Protocol):
    """Where batches are put in under a lock, bit by bit as there is room."""

    room: Bell

    def offer(self, batch: Batch[Any], start: int, dropped: list[Header]) -> int:
        """Take what fits of `batch[start:]`; returns how many were taken care of. The lock is held."""


def put_into(intake: Intake, batch: Batch[Any], until: float = inf) -> list[Header]:
    """See `Sender.put`."""
    dropped: list[Header] = []
    start = 0
    with intake.room.lock:
        while True:
            start += intake.offer(batch, start, dropped)
            if start >= len(batch):
                return dropped
            intake.room.wait(until)


async def put_into_async(intake: Intake, batch: Batch[Any], until: float = inf) -> list[Header]:
    """As `put_into`, for a task of an event loop."""
    loop = asyncio.get_running_loop()
    dropped: list[Header] = []
    start = 0
    while True:
        with intake.room.lock:
            start += intake.offer(batch, start, dropped)
            if start >= len(batch):
                return dropped
            room = intake.room.ringing(loop)
        await rung(room, until)
