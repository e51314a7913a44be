"""Decides whether a worker that died is replaced, and after what pause.

Pure: `now` is an argument. Knows nothing of workers.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from streampy.model.pipe import OnCrash

WITHIN: Final = 60.0
"""Seconds for which a restart counts."""


class Restarts:
    """The restarts of one unit of late."""

    def __init__(self, policy: OnCrash) -> None:
        self._policy = policy
        self._times: deque[float] = deque()

    def next(self, now: float) -> float | None:
        """Seconds to wait before the worker is replaced; None where it is not: never, or because it was too often."""
        while self._times and self._times[0] <= now - WITHIN:
            self._times.popleft()
        if not self._policy.restarts or len(self._times) >= self._policy.limit:
            return None
        self._times.append(now)
        return min(self._policy.backoff * 2.0 ** (len(self._times) - 1), self._policy.backoff_most)
