"""Lets the strands of one thread take turns: in an order drawn from a seed, in a time that moves when all of them wait.

Knows nothing of units; `simulate` runs a process on it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from heapq import heappop, heappush
from math import inf
from random import Random
from types import FrameType
from typing import Any, Final

from streampy.testing.stuck import Stuck

try:
    from greenlet import GreenletExit, getcurrent, greenlet
except ModuleNotFoundError as missing:
    raise ImportError(
        'simulate() needs the library greenlet, which is not installed: pip install "streampy[testing]"',
        name=missing.name,
    ) from missing

_RESTLESS: Final = (0.0, 0.05, 0.3)
"""How likely it is that a strand that could go on lets others go first: one of these for each seed."""
_STANDSTILL: Final = 1_000_000
"""So many turns at one moment come to no end: nothing in a test is that quick."""


class Strand:
    """What would be a thread in a run: it runs until it waits."""

    __slots__ = ("greenlet", "name")

    def __init__(self, name: str, main: Callable[[], None], hub: greenlet) -> None:
        self.name = name
        self.greenlet = greenlet(main, hub)


class Waiting:
    """One wait of one strand. A bell releases it, as it would a lock at which a thread waits."""

    __slots__ = ("_turns", "is_over", "rang", "strand")

    def __init__(self, turns: Turns, strand: Strand) -> None:
        self._turns = turns
        self.strand = strand
        self.rang = False
        self.is_over = False

    def release(self) -> None:
        """What was waited for has happened."""
        self.rang = True
        self.end()

    def end(self) -> None:
        """The strand goes on when it is its turn."""
        if not self.is_over:
            self.is_over = True
            self._turns.ready.append(self.strand)


class Turns:
    """The strands, and their clock. Everything happens in the thread that calls `run`."""

    def __init__(self, seed: int) -> None:
        self.seconds = 0.0
        self.trace: list[tuple[float, str]] = []
        """Who had a turn, and when."""
        self.ready: list[Strand] = []
        self.held = 0
        """Locks that are held: then nobody else may have a turn."""
        self._random = Random(seed)  # noqa: S311 - no secret
        self._restless = self._random.choice(_RESTLESS)
        self._timers: list[tuple[float, int, Waiting]] = []
        self._timed = 0
        self._hub = getcurrent()
        self._strands: list[Strand] = []
        self._current: Strand | None = None
        self._moved_at = 0
        self._breaths = 0
        self._is_over = False

    def now(self) -> float:
        """Seconds since the start."""
        return self.seconds

    def launch(self, name: str, main: Callable[[], None]) -> Strand:
        """A further strand; it has its first turn when it is drawn."""
        strand = Strand(name, main, self._hub)
        self._strands.append(strand)
        self.ready.append(strand)
        return strand

    def run(self, name: str, main: Callable[[], Any]) -> Any:
        """Run a strand, and all that it launches, until it has ended; returns what it returned, or raises its error."""
        outcome: Future[Any] = Future()
        first = self.launch(name, partial(_settle, outcome, main))
        outside = _Surroundings()
        try:
            while not first.greenlet.dead:
                if self.ready or self._move_on():
                    self._give_turn(first)
                else:
                    self._throw(first, Stuck(self._told()))
            while self.ready:  # those who are about to leave
                self._give_turn(first)
        finally:
            self._put_out()
            outside.restore()
        return outcome.result(0)

    def _give_turn(self, first: Strand) -> None:
        at = self._random.randrange(len(self.ready)) if len(self.ready) > 1 else 0
        self.ready[at], self.ready[-1] = self.ready[-1], self.ready[at]
        strand = self.ready.pop()
        self.trace.append((self.seconds, strand.name))
        if len(self.trace) - self._moved_at > _STANDSTILL:
            self._moved_at = len(self.trace)
            self.ready.append(strand)
            self._throw(first, Stuck(f"{_STANDSTILL:,} turns at {self.seconds:g} s, and time does not move"))
            return
        self._current = strand
        strand.greenlet.switch()

    def _throw(self, strand: Strand, error: BaseException) -> None:
        self.ready = [one for one in self.ready if one is not strand]
        self._current = strand
        strand.greenlet.throw(error)

    def _move_on(self) -> bool:
        """Move the clock to the next moment for which somebody waits; False where there is none."""
        while self._timers and self._timers[0][2].is_over:
            heappop(self._timers)
        if not self._timers:
            return False
        self.seconds = max(self.seconds, self._timers[0][0])
        self._moved_at, self._breaths = len(self.trace), 0
        while self._timers and self._timers[0][0] <= self.seconds:
            heappop(self._timers)[2].end()
        return True

    def _put_out(self) -> None:
        """End the strands that are left, as the end of an OS process ends its daemon threads."""
        self._is_over = True
        for strand in self._strands:
            if strand.greenlet:
                self._throw(strand, GreenletExit())

    def waiting(self) -> Waiting:
        """For the strand whose turn it is: give it to whoever is to release it, then `wait`."""
        assert self._current is not None, "asked outside of `run`"  # noqa: S101 - narrows the type
        return Waiting(self, self._current)

    def wait(self, waiting: Waiting, until: float = inf) -> bool:
        """Let others have their turns until it is released, at most until then; returns whether it was released."""
        if until <= self.seconds:
            waiting.end()
        elif until < inf:
            self._timed += 1
            heappush(self._timers, (until, self._timed, waiting))
        try:
            self._switch()
        finally:
            waiting.is_over = True
        return waiting.rang

    def breathe(self) -> None:
        """A strand could go on; now and then it lets others go first."""
        if self.held or self._is_over:
            return
        self._breaths += 1
        if self._breaths > _STANDSTILL:
            self._breaths = 0
            raise Stuck(f"{self._current and self._current.name} does not wait, and time does not move")
        if not self.ready or self._random.random() >= self._restless:
            return
        self.waiting().end()
        self._switch()

    def _switch(self) -> None:
        if self._is_over:
            raise GreenletExit
        if self.held:
            raise RuntimeError("somebody waits who holds a lock: that is an error of StreamPy")
        here, me = _Surroundings(), self._current
        try:
            self._hub.switch()
        finally:
            self._current = me
            here.restore()

    def _told(self) -> str:
        """Who waits for what."""
        lines = [
            f"  {strand.name} waits in {_place(strand.greenlet.gr_frame)}"
            for strand in self._strands
            if strand.greenlet
        ]
        return "\n".join([f"at {self.seconds:g} s everybody waits for somebody else, for ever:", *lines])


def _settle(outcome: Future[Any], main: Callable[[], Any]) -> None:
    try:
        outcome.set_result(main())
    except BaseException as error:
        outcome.set_exception(error)


class _Surroundings:
    """What belongs to a thread, and so would be shared by all strands: the event loop that runs in it."""

    __slots__ = ("_hooks", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio._get_running_loop()
        self._hooks = sys.get_asyncgen_hooks()
        asyncio._set_running_loop(None)

    def restore(self) -> None:
        asyncio._set_running_loop(self._loop)
        sys.set_asyncgen_hooks(*self._hooks)


def _place(frame: FrameType | None) -> str:
    """The innermost place in `run` or the user's own code, and what tells of itself there."""
    innermost = frame
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(("streampy.testing", "streampy.pipes", "asyncio", "selectors", "contextlib")):
            who = frame.f_locals.get("self")
            told = f" of {who!r}" if who is not None and module.startswith("streampy.") else ""
            return f"{module}.{frame.f_code.co_qualname}, line {frame.f_lineno}{told}"
        frame = frame.f_back
    return "its first turn" if innermost is None else innermost.f_code.co_qualname
