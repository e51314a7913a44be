"""An event loop whose time is virtual: where asyncio's own would wait for a moment, it asks another to bring it about.

Knows nothing of who moves the time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context, copy_context
from math import inf
from typing import Any, Protocol, TypeVarTuple

Ts = TypeVarTuple("Ts")


class Rest(Protocol):
    """What the loop does when it has nothing to do."""

    def now(self) -> float:
        """Seconds."""

    def wait(self, timeout: float) -> None:
        """Come back when so many seconds are over, or somebody wakes the loop."""

    def breathe(self) -> None:
        """The loop goes on at once; others may go first."""

    def wake(self) -> None:
        """There is something to do."""

    def reach(self, when: float) -> None:
        """It is that time, if not later: loops call a nanosecond too early what they are to call at a time."""

    def do_beside(self, work: Callable[[], None]) -> None:
        """Do what would be done in a thread of its own."""


class _Selector(selectors.DefaultSelector):
    """Looks whether somebody wrote to the loop. It waits only for those outside of the test: sockets, pipes."""

    def __init__(self, rest: Rest) -> None:
        super().__init__()
        self._rest = rest

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `BaseSelector.select`."""
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            self._rest.breathe()
            return found
        if len(self.get_map()) > 1:  # more than the loop's own wake-up: that takes real time
            found = super().select(timeout)
            if found:
                return found
        self._rest.wait(inf if timeout is None else timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Tasks, timers and futures as ever; what would go to a thread is done beside."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        super().__init__(_Selector(rest))

    def time(self) -> float:
        """Seconds, virtual."""
        return self._rest.now()

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See `AbstractEventLoop.call_at`."""

        def on_time() -> None:
            self._rest.reach(when)
            callback(*args)

        return super().call_at(when, on_time, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """See `AbstractEventLoop.call_soon_threadsafe`."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self._rest.wake()
        return handle

    def run_in_executor(  # type: ignore[override]  # typeshed names it otherwise in each version
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """See `AbstractEventLoop.run_in_executor`; so `asyncio.to_thread` works too."""
        del executor
        future: asyncio.Future[Any] = self.create_future()
        context = copy_context()

        def work() -> None:
            try:
                result = context.run(func, *args)
            except Exception as error:
                self.call_soon_threadsafe(_settle, future, None, error)
            else:
                self.call_soon_threadsafe(_settle, future, result, None)

        self._rest.do_beside(work)
        return future


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
