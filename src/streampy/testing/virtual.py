"""What a run stands on in a simulation: strands instead of threads, a virtual time, locks and bells that know it.

Knows nothing of units, nor of the order in which strands have their turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from math import inf
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from streampy.pipes.base import Bell
from streampy.pipes.guard import Guard
from streampy.run.backend import Backend, Flag
from streampy.testing.event_loop import VirtualLoop
from streampy.testing.turns import Turns, Waiting

if TYPE_CHECKING:
    from streampy.model.plan import Plan


class VirtualLock:
    """A lock at which nobody ever waits: while it is held, nobody else has a turn. Behind it others may go first."""

    __slots__ = ("_is_held", "turns")

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._is_held = False

    def acquire(self) -> bool:
        """Take it."""
        if self._is_held:
            raise RuntimeError("a lock is taken that is held: that is an error of StreamPy")
        self._is_held = True
        self.turns.held += 1
        return True

    def release(self) -> None:
        """Give it back."""
        self._is_held = False
        self.turns.held -= 1

    def locked(self) -> bool:
        """Whether it is held."""
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self.turns.breathe()


class VirtualBell(Bell):
    """A bell at which strands wait."""

    __slots__ = ()

    def wait(self, until: float) -> None:
        """See `Bell.wait`."""
        turns = cast("VirtualLock", self.lock).turns
        waiting = turns.waiting()
        self._waiting.append(cast("Lock", waiting))
        self.lock.release()
        try:
            turns.wait(waiting, until)
        finally:
            self.lock.acquire()
            if not waiting.rang:
                self._waiting.remove(cast("Lock", waiting))
        if not waiting.rang and turns.now() >= until:
            raise TimeoutError


class VirtualFlag:
    """What happens once."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._is_set = False
        self._waiting: list[Waiting] = []

    def is_set(self) -> bool:
        """See `Flag.is_set`."""
        return self._is_set

    def set(self) -> None:
        """See `Flag.set`."""
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.release()

    def wait(self, timeout: float | None = None) -> bool:
        """See `Flag.wait`."""
        if not self._is_set:
            waiting = self._turns.waiting()
            self._waiting.append(waiting)
            try:
                self._turns.wait(waiting, inf if timeout is None else self._turns.now() + timeout)
            finally:
                if not waiting.rang:
                    self._waiting.remove(waiting)
        return self._is_set


class VirtualBackend(Backend):
    """Strands, and the clock that they share."""

    has_threads = False

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.now = turns.now

    def lock(self) -> Guard:
        """See `Backend.lock`."""
        return cast("Guard", VirtualLock(self._turns))

    def bell(self, lock: Guard) -> Bell:
        """See `Backend.bell`."""
        return VirtualBell(lock)

    def flag(self) -> Flag:
        """See `Backend.flag`."""
        return VirtualFlag(self._turns)

    def wait_for(self, flag: Flag, until: float) -> bool:
        """See `Backend.wait_for`."""
        return flag.wait(until - self.now())

    def result(self, future: Future[Any], until: float) -> Any:
        """See `Backend.result`."""
        if not future.done():
            waiting = self._turns.waiting()
            future.add_done_callback(lambda _: waiting.release())
            self._turns.wait(waiting, until)
        return future.result(0)

    def launch(self, main: Callable[[], None], name: str) -> None:
        """See `Backend.launch`."""
        self._turns.launch(name, main)

    def rooms(self, plan: Plan, post: Callable[..., object]) -> None:
        """See `Backend.rooms`: all is in one place here, whatever `place` says."""

    def event_loop(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """See `Backend.event_loop`."""
        return partial(VirtualLoop, _LoopsRest(self._turns))


class _LoopsRest:
    """The rest of an event loop is a wait of its strand."""

    def __init__(self, turns: Turns) -> None:
        self.now = turns.now
        self._turns = turns
        self._waiting: Waiting | None = None

    def wait(self, timeout: float) -> None:
        """See `Rest.wait`."""
        self._waiting = self._turns.waiting()
        self._turns.wait(self._waiting, self.now() + timeout)

    def breathe(self) -> None:
        """See `Rest.breathe`."""
        self._turns.breathe()

    def wake(self) -> None:
        """See `Rest.wake`."""
        if self._waiting is not None:
            self._waiting.release()

    def reach(self, when: float) -> None:
        """See `Rest.reach`."""
        self._turns.seconds = max(self._turns.seconds, when)

    def do_beside(self, work: Callable[[], None]) -> None:
        """See `Rest.do_beside`."""
        self._turns.launch("executor", work)
