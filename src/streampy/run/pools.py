"""Lets the number of workers follow the load, for the units that ask for it.

Knows nothing of how many are right; the scaler does. Looks every 0.1 s while there is anything to see, and sleeps else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from streampy.flow.scaler import LOOK_EVERY, Look, Scaler

if TYPE_CHECKING:
    from streampy.run.backend import Backend
    from streampy.run.crew import Crew
    from streampy.run.member import Member


class Pools:
    """Watches the crews whose number of workers may change, in a thread of its own."""

    def __init__(self, crews: Sequence[Crew], hire: Callable[[Crew], None], backend: Backend) -> None:
        self._pools = [_Pool(crew) for crew in crews if crew.head.spec.spare]
        self._hire = hire
        self._backend = backend
        self._bell = backend.bell(backend.lock())
        self._is_over = False

    def start(self) -> None:
        """Start watching, where there is anybody to watch."""
        if self._pools:
            for pool in self._pools:
                pool.wake_by(self._wake)
            self._backend.launch(self._watch, "pools")

    def close(self) -> None:
        """The workers have left, or are to leave."""
        with self._bell.lock:
            self._is_over = True
            self._bell.ring()

    def _wake(self) -> None:
        with self._bell.lock:
            self._bell.ring()

    def _watch(self) -> None:
        is_busy = True
        while not self._is_over:
            with self._bell.lock:
                if not is_busy:
                    for pool in self._pools:
                        pool.sleep()
                    if not any(pool.has_load for pool in self._pools):
                        self._bell.wait(inf)
                if self._is_over:
                    return
                with suppress(TimeoutError):
                    self._bell.wait(self._backend.now() + LOOK_EVERY)
            looks = [self._look(pool) for pool in self._pools]
            is_busy = any(looks)

    def _look(self, pool: _Pool) -> bool:
        """Have the number changed where it is not right; returns whether there is anything to be seen."""
        for _ in range(pool.change(self._backend.now())):
            self._hire(pool.crew)
        return pool.is_busy


class _Pool:
    """One crew, with what was seen of it at the last look."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self._scaler = Scaler(crew.least, crew.most)
        self._blocked = 0.0
        self._worked: dict[Member, float] = {}
        self._at = 0.0
        self.is_busy = True
        assert crew.inlet is not None, "a source has no number that follows the load"  # noqa: S101 - narrows the type
        self._inlet = crew.inlet

    @property
    def has_load(self) -> bool:
        return self._inlet.waiting > 0

    def wake_by(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def sleep(self) -> None:
        """Nothing is to be seen before the next item comes."""
        self._inlet.wake_by(self._wake)

    def change(self, now: float) -> int:
        """Send home who is too much; returns how many are to be hired."""
        look = self._see(now)
        self.is_busy = look.busy > 0 or look.waiting > 0 or look.workers > self.crew.least
        self._scaler.least, self._scaler.most = self.crew.least, self.crew.most
        wanted = self._scaler.decide(look)
        if wanted < look.workers:
            self.crew.dismiss(look.workers - wanted)
        return max(0, wanted - look.workers)

    def _see(self, now: float) -> Look:
        members = [member for member in list(self.crew.members) if not member.is_dismissed]
        seconds, self._at = max(now - self._at, 1e-3), now
        blocked = sum(call.outlet.blocked for call in self.crew.calls)
        share = (blocked - self._blocked) / (seconds * max(1, len(members)))
        worked = {member: member.worked(now) for member in members}
        busy = sum(worked[member] - self._worked.get(member, 0.0) for member in members) / seconds
        self._blocked, self._worked = blocked, worked
        waiting = self._inlet.waiting
        return Look(
            workers=len(members),
            busy=busy,
            waiting=waiting / self._inlet.batch,
            is_crowded=2 * waiting > self._inlet.capacity,
            blocked=1.0 if any(member.calls[-1].outlet.is_blocked for member in members) else share,
        )
