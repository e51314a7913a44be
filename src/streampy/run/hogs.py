"""Finds the units that hog the GIL in `main` while others wait for it: an OS process of their own would help.

Pure. Knows nothing of how the GIL is watched, nor of who shows what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from streampy.model.pipe import Overflow
from streampy.run.stats import Hog

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.stats import Stats

_MOST: Final = 0.5
"""Of the time: who holds the GIL for longer is a hog, if anybody else needs it."""
_TAKEN: Final = 0.6
"""Of the time: where all units together hold it for longer it is scarce, and several share the blame."""
_PART: Final = 0.2
"""Of the time: the least of one that shares the blame."""
_SUFFERS: Final = 0.01
"""Of the time: who waits longer for the GIL is kept waiting. At 30 items a second that is a third of a millisecond."""
_FEW: Final = 20
"""Looks from which nothing should be concluded yet."""


def find_hogs(plan: Plan, before: Stats | None, after: Stats) -> tuple[Hog, ...]:
    """The units that are to be placed `own`, the worst first. before: an earlier look; None for the start."""
    return _Search(plan, before, after).find()


class _Search:
    def __init__(self, plan: Plan, before: Stats | None, after: Stats) -> None:
        self.plan = plan
        self.before, self.after = before, after
        self.seconds = max(after.seconds - (before.seconds if before is not None else 0.0), 1e-9)
        self.chains = [chain for chain in plan.chains if plan.units[chain[0]].spec.place == "main"]

    def find(self) -> tuple[Hog, ...]:
        gil = {name: self._gil(name) for chain in self.chains for name in chain}
        least = _PART if sum(gil.values()) > _TAKEN else _MOST
        suspects = sorted((name for name in gil if gil[name] > least), key=gil.__getitem__, reverse=True)
        looks, wait = self._wait() if suspects else (0, 0.0)
        if looks < _FEW:
            return ()
        found = [Hog(unit=name, gil=gil[name], others=self._waiting(name, wait), wait=wait) for name in suspects]
        return tuple(hog for hog in found if hog.others)

    def _gil(self, name: str) -> float:
        """The share of the time in which a unit held the GIL."""
        old = 0.0 if self.before is None else self.before.units[name].gil * self.before.seconds
        return min(1.0, max(0.0, self.after.units[name].gil * self.after.seconds - old) / self.seconds)

    def _wait(self) -> tuple[int, float]:
        """How often it was looked how long one waits for the GIL, and seconds on the average."""
        new, old = self.after.gil_wait, None if self.before is None else self.before.gil_wait
        looks = new.count - (0 if old is None else old.count)
        total = new.mean * new.count - (0.0 if old is None else old.mean * old.count)
        return looks, max(0.0, total) / max(1, looks)

    def _waiting(self, hog: str, wait: float) -> tuple[str, ...]:
        """The heads of the other chains that are kept waiting."""
        others = [chain for chain in self.chains if hog not in chain]
        least = _SUFFERS * self.seconds
        return tuple(chain[0] for chain in others if self._wakes(chain) * wait > least and not self._is_blocked(chain))

    def _is_blocked(self, chain: Sequence[str]) -> bool:
        """Whether it stands before a full pipe for most of its time: then it waits for that, and not for the GIL.

        The time alone does not tell: who puts into a pipe may wait for the GIL meanwhile.
        """
        last = self.plan.units[chain[-1]]
        if self._added("blocked", last.name) < _MOST * self.seconds * last.spec.workers:
            return False
        links = [link for several in last.receivers.values() for link in several]
        return any(self._was_full(link.receiver, link.input) for link in links)

    def _was_full(self, name: str, port: str) -> bool:
        pipe, stats = self.plan.units[name].inputs[port].pipe, self.after.pipes.get(f"{name}.{port}")
        return stats is not None and pipe.overflow is Overflow.BLOCK and stats.high_water >= pipe.capacity

    def _wakes(self, chain: Sequence[str]) -> float:
        """How often the workers of a chain were given something to do, and so had need of the GIL."""
        head = self.plan.units[chain[0]]
        if not head.inputs:
            return self._added("emitted", head.name)
        ends = [f"{head.name}.{port}" for port in head.inputs]
        new = sum(self.after.pipes[end].batch.count for end in ends if end in self.after.pipes)
        before = self.before
        return new - (
            0 if before is None else sum(before.pipes[end].batch.count for end in ends if end in before.pipes)
        )

    def _added(self, what: str, name: str) -> float:
        old = 0.0 if self.before is None else getattr(self.before.units[name], what)
        return float(getattr(self.after.units[name], what) - old)
