"""The worker that a unit finds when it is fed: its time is a clock moved by hand, and sleeping moves it.

Knows nothing of the unit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from math import inf
from types import TracebackType
from typing import Any, Self

from streampy.run.worker import Worker, sit_down
from streampy.testing.clock import Clock
from streampy.testing.event_loop import VirtualLoop
from streampy.testing.stuck import Stuck


class StopFlag:
    """Whether the process is being stopped; who waits for that lets time pass."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_set = False

    def is_set(self) -> bool:
        """See `Flag.is_set`."""
        return self._is_set

    def set(self) -> None:
        """See `Flag.set`."""
        self._is_set = True

    def wait(self, timeout: float | None = None) -> bool:
        """See `Flag.wait`."""
        if not self._is_set:
            _rest(self._clock, inf if timeout is None else timeout)
        return self._is_set


class FedWorker:
    """The desk at which a unit is fed, with the event loop in which it is where it is `async def`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.stopping = StopFlag(clock)
        self.worker = Worker("alone", asked_to_stop=self.stopping, clock=clock.now)
        self._runner = asyncio.Runner(loop_factory=partial(VirtualLoop, _ClockRest(clock)))

    def __enter__(self) -> Self:
        sit_down(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.close()

    def finish(self, result: Any) -> Any:
        """What comes of an `async def`; anything else as it is."""
        return self._runner.run(result) if isinstance(result, Coroutine) else result


class _ClockRest:
    """An event loop that has nothing to do lets time pass."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.now
        self._clock = clock

    def wait(self, timeout: float) -> None:
        """See `Rest.wait`."""
        _rest(self._clock, timeout)

    def breathe(self) -> None:
        """See `Rest.breathe`."""

    def wake(self) -> None:
        """See `Rest.wake`."""

    def reach(self, when: float) -> None:
        """See `Rest.reach`."""
        self._clock.move_to(when)

    def do_beside(self, work: Callable[[], None]) -> None:
        """See `Rest.do_beside`: at once."""
        work()


def _rest(clock: Clock, seconds: float) -> None:
    if seconds == inf:
        raise Stuck("the unit waits without an end, and nothing runs beside it that could wake it")
    clock.move(max(0.0, seconds))
