"""Sees which unit holds the GIL: a thread that now and then needs it, and looks who ran while it had to wait.

Knows nothing of what is concluded from it. Looks 20 times a second while workers are at work, ever more seldom while
these only wait, and sleeps where nobody has anything in hand. There is none in a simulation.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from threading import get_ident
from time import CLOCK_PROCESS_CPUTIME_ID, clock_gettime, sleep, thread_time
from typing import TYPE_CHECKING, Any, Final, final

from streampy.flow.gil import NOBODY, Held, Seen

if sys.platform == "linux":
    from resource import RUSAGE_THREAD, getrusage
    from time import pthread_getcpuclockid

if TYPE_CHECKING:
    from streampy.run.backend import Backend
    from streampy.run.inlet import Inlet
    from streampy.run.member import Member

_EVERY: Final = 0.05
"""Seconds between two looks, on the average. A look takes 0.1 ms."""
_AT_FIRST: Final = 0.02
"""Seconds between the first looks, so that something is known of a short run too."""
_FIRST: Final = 40
"""Looks."""
_SELDOM: Final = 1.0
"""Seconds between two looks, at the most, while no worker uses the CPU."""
_COST: Final = 0.005
"""Of a core: where there are so many threads that looking takes more, it is done less often."""
_GOLDEN: Final = 0.6180339887
"""The looks come at odd times, evenly spread, so that they don't keep step with a camera."""
_ASLEEP: Final = 0.002
"""Of its time: a worker that runs less than that only waits for something."""
_SUSPECT: Final = 0.05
"""Of its time: a thread that runs less than that is no reason to look closely."""
_HOLD: Final = 50
"""Microseconds, and the kernel adds about as many."""
_RAN: Final = 0.25
"""Of the time in which the probe held the GIL; who only went to wait for it ran less."""
_ROUNDS: Final = 2
"""One that runs without the GIL may just have waited for it: that seldom happens twice."""


@dataclass(frozen=True, slots=True)
class _Seat:
    """A thread in which units are called."""

    clock: int
    unit: Callable[[], str]
    """The unit that it calls now."""


@final
class GilProbe:
    """Watches the threads of a segment. The workers take their seats themselves, each in its own thread."""

    def __init__(self, members: Callable[[], Sequence[Member]], inlets: Sequence[Inlet], backend: Backend) -> None:
        self.held = Held()
        self._is_on = backend.has_threads and sys.platform == "linux"
        self._members = members
        self._inlets = inlets
        self._backend = backend
        self._bell = backend.bell(backend.lock())
        self._is_over = False
        self._seats: dict[object, _Seat] = {}
        self._tasks: dict[asyncio.Task[Any] | None, Member] = {}
        self._before: dict[object, float] = {}
        self._looked_at = 0.0

    def start(self) -> None:
        """Start watching."""
        if self._is_on:
            self._backend.launch(self._watch, "GIL probe")

    def close(self) -> None:
        """The workers have left."""
        with self._bell.lock:
            self._is_over = True
            self._bell.ring()

    def seat_thread(self, member: Member) -> Callable[[], Any]:
        """What the worker does from start to stop, watched meanwhile."""
        if not self._is_on:
            return member.main

        def main() -> None:
            self._seats[member] = _Seat(_clock_here(), lambda: member.at.plan.name)
            try:
                member.main()
            finally:
                del self._seats[member]

        return main

    def seat_task(self, member: Member) -> Coroutine[Any, Any, None]:
        """As `seat_thread`, for a worker that is a task."""
        return self._seated(member) if self._is_on else member.main()

    async def _seated(self, member: Member) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        self._tasks[task] = member
        self._seats.setdefault(loop, _Seat(_clock_here(), lambda: self._unit_in(loop)))
        try:
            await member.main()
        finally:
            del self._tasks[task]
            if not self._tasks:
                del self._seats[loop]

    def _unit_in(self, loop: asyncio.AbstractEventLoop) -> str:
        member = self._tasks.get(asyncio.current_task(loop))
        return NOBODY if member is None else member.at.plan.name

    def _watch(self) -> None:
        from ctypes import PyDLL  # noqa: PLC0415 - not needed to import a process, only to run one

        hold = PyDLL(None).usleep  # sleeps and keeps the GIL: so the CPU is free for those that run without
        pause, odd = _AT_FIRST, 0.5
        self._note()
        while not self._is_over:
            if not self._anybody_at_work():
                self._sleep()
                pause = self._least
            odd = (odd + _GOLDEN) % 1.0
            wait = self._wait(pause * (0.5 + odd))
            if wait is None:
                continue
            since = thread_time()
            is_busy = self._look(wait, hold)
            least = max(self._least, (thread_time() - since) / _COST)
            pause = least if is_busy else min(2 * pause, _SELDOM)

    @property
    def _least(self) -> float:
        """Seconds between two looks, at the least."""
        return _AT_FIRST if self.held.waits.count < _FIRST else _EVERY

    def _anybody_at_work(self) -> bool:
        """Whether anybody has something in hand, or is a source."""
        return any((one.in_hand or one.inlet is None) and not one.has_left for one in self._members())

    def _sleep(self) -> None:
        """Until an item comes."""
        for inlet in self._inlets:
            inlet.wake_by(self._wake)
        with self._bell.lock:
            if not self._is_over and not self._anybody_at_work() and not any(one.waiting for one in self._inlets):
                self._bell.wait(inf)
        self._note()

    def _wake(self) -> None:
        with self._bell.lock:
            self._bell.ring()

    def _wait(self, seconds: float) -> float | None:
        """Sleep, and need the GIL then: seconds until it was there, 0 where it was free. None if woken before that.

        That the kernel had to send this thread to sleep a second time tells that the GIL was held. The time alone
        does not: other OS processes may have had the CPU.
        """
        with self._bell.lock:
            if self._is_over:
                return None
            until = self._backend.now() + seconds
            sleeps = getrusage(RUSAGE_THREAD).ru_nvcsw
            with suppress(TimeoutError):
                self._bell.wait(until)
                return None
            now = self._backend.now()
            return max(0.0, now - until) if getrusage(RUSAGE_THREAD).ru_nvcsw - sleeps > 1 else 0.0

    def _look(self, wait: float, hold: Callable[[int], object]) -> bool:
        """See who held the GIL; returns whether anybody is at work."""
        before, then = self._before, self._looked_at
        units = {key: seat.unit() for key, seat in self._seats.copy().items()}
        self._note()
        seconds = self._looked_at - then
        ran = {key: max(0.0, now - before.get(key, now)) for key, now in self._before.items()}
        if not wait:
            self.held.add_free()
            return any(time > _ASLEEP * seconds for key, time in ran.items() if key in units)
        suspects = {key for key, time in ran.items() if time > _SUSPECT * seconds}
        is_close = len(suspects) > 1
        without = self._running_without(hold) if is_close else frozenset()
        seen = [Seen(units.get(key, NOBODY), min(1.0, time / seconds), key in without) for key, time in ran.items()]
        self.held.add(min(seconds, max(_EVERY, sum(ran.values()))), wait, seen, is_close=is_close)
        self._note()
        return True

    def _running_without(self, hold: Callable[[int], object]) -> frozenset[object]:
        """Those that run while this thread holds the GIL."""
        found: set[object] = set()
        for number in range(_ROUNDS):
            if number:
                sleep(0)  # lets those have the GIL that wait for it
            since, before = self._backend.now(), self._clocks()
            hold(_HOLD)
            after, seconds = self._clocks(), self._backend.now() - since
            found.update(key for key, time in after.items() if time - before.get(key, time) > _RAN * seconds)
        return frozenset(found)

    def _note(self) -> None:
        self._before, self._looked_at = self._clocks(), self._backend.now()

    def _clocks(self) -> dict[object, float]:
        """The CPU time of each thread in seconds; NOBODY stands for all those that are not ours."""
        clocks: dict[object, float] = {}
        for key, seat in self._seats.copy().items():
            with suppress(OSError):  # it has just ended
                clocks[key] = clock_gettime(seat.clock)
        clocks[NOBODY] = clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - thread_time() - sum(clocks.values())
        return clocks


def _clock_here() -> int:
    """The CPU clock of this thread, for others to read."""
    return pthread_getcpuclockid(get_ident())
