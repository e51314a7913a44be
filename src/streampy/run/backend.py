"""What a running process stands on: its clock, its threads, and how these wait for each other.

Knows nothing of units. `streampy.testing.simulate` has another one, in which time is virtual and one thing happens at a
time; hence nothing in `run/` starts a thread, waits, or looks at a clock but through this.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from streampy.pipes.base import Bell, patience, wait_for
from streampy.pipes.guard import Guard

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future

    from streampy.model.plan import Plan
    from streampy.run.places.rooms import Rooms


class Flag(Protocol):
    """What happens once, and can be waited for. A `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether it has happened."""

    def set(self) -> None:
        """It happens."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has happened, at most so many seconds; returns whether it has."""


class Backend:
    """Threads, and the clock of the machine."""

    now: Callable[[], float] = staticmethod(monotonic)
    """Seconds; from an arbitrary start, never back."""
    has_threads = True
    """Whether what it launches are threads, which wait for the GIL."""

    def lock(self) -> Guard:
        """What guards whatever several workers use.

        A plain lock does where nothing is called under it that takes one of these: a simulation lets others go on
        wherever one of these is given back, and whoever then came to a plain one that is held would wait for ever.
        """
        return Guard()

    def bell(self, lock: Guard) -> Bell:
        """A bell for what `lock` guards; the backend made it."""
        return Bell(lock)

    def flag(self) -> Flag:
        """What has not happened yet."""
        return Event()

    def wait_for(self, flag: Flag, until: float) -> bool:
        """Wait until it has happened, or until then; returns whether it has. Ctrl-C is heard meanwhile."""
        return wait_for(flag, until)

    def result(self, future: Future[Any], until: float) -> Any:
        """What the future holds, waited for. Raises TimeoutError past `until`, or the error that it holds."""
        while not future.done() and self.now() < until:
            with suppress(TimeoutError):
                future.exception(patience(until))
        return future.result(0)

    def launch(self, main: Callable[[], None], name: str) -> None:
        """Start a thread. It is a daemon: a unit that never comes back must not keep the interpreter."""
        Thread(target=main, name=f"streampy {name}", daemon=True).start()

    def rooms(self, plan: Plan, post: Callable[..., object]) -> Rooms | None:
        """The other OS processes that a plan asks for; None where all its units live in this one."""
        if len(plan.places) == 1:
            return None
        from streampy.run.places.rooms import Rooms  # noqa: PLC0415 - most runs have none

        return Rooms(plan, post)

    def event_loop(self) -> Callable[[], asyncio.AbstractEventLoop] | None:
        """What makes the event loop of the `async def` units; None for asyncio's own."""
        return None
