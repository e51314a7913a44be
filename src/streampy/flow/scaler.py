"""Decides how many workers a unit should have, from what was seen of its load of late.

Pure: it is told what was seen, at regular looks, and answers with a number. Knows nothing of workers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import Final

LOOK_EVERY: Final = 0.1
"""Seconds between two looks."""
_TO_GROW, _TO_SHRINK = 2, 5
"""Looks after which a load, and the lack of it, is no accident: so both are followed within a second."""
_BLOCKED = 0.5
"""The share of the time that the workers stand before full pipes, from which on more of them are of no use."""
_FULLY = 0.9
"""The share of the time that workers are busy, from which on they are no help against what waits."""
_MANY = 4
"""Batches that wait for each worker, from which on one worker more is not enough."""
_HEADROOM = 1.2
"""Workers for each one that is busy on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is seen of a unit at one moment, and since the look before."""

    workers: int
    busy: float
    """Workers with items in their hands, on average since the look before."""
    waiting: float
    """Batches in its pipe."""
    is_crowded: bool
    """Whether the pipe is more than half full."""
    blocked: float
    """The share of its workers' time that they waited for room in the pipes that follow."""


class Scaler:
    """The number of workers of one unit."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most
        self._looks: deque[Look] = deque(maxlen=_TO_SHRINK)

    def decide(self, look: Look) -> int:
        """How many workers there should be now."""
        self._looks.append(look)
        wanted = self._wanted(look)
        if wanted > look.workers:
            self._looks.clear()  # what was seen of fewer workers says nothing of the new number
        return wanted

    def _wanted(self, look: Look) -> int:
        seen = list(self._looks)
        late = seen[-_TO_GROW:]
        if len(late) == _TO_GROW and all(map(_is_too_much, late)):
            return min(self.most, look.workers + _step(look))
        if len(seen) < _TO_SHRINK:
            return look.workers
        if all(one.blocked > _BLOCKED for one in seen):
            return max(self.least, look.workers - 1)
        busy = sum(one.busy for one in seen) / len(seen)
        enough = max(self.least, ceil(busy * _HEADROOM))
        return min(look.workers, enough) if not look.waiting else look.workers


def _step(look: Look) -> int:
    """How many to hire at once: the more, the more waits, for each hiring is seen to work before the next one."""
    if look.is_crowded:
        return look.workers
    return ceil(look.workers / 2) if look.waiting >= _MANY * look.workers else 1


def _is_too_much(look: Look) -> bool:
    """Whether one worker more would have something to do, and could give away what it makes."""
    return look.waiting > 0 and look.busy >= _FULLY * look.workers and look.blocked <= _BLOCKED
