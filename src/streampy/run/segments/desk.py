"""What is to be done one after the other, by a thread of its own.

Knows nothing of what that is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, final

from streampy.pipes.base import Cancelled

if TYPE_CHECKING:
    from streampy.run.backend import Backend


@final
class Desk:
    """Any thread may put; `work` is what its own thread does."""

    def __init__(self, backend: Backend) -> None:
        self._lock = backend.lock()
        self._bell = backend.bell(self._lock)
        self._calls: deque[Callable[[], object]] = deque()
        self._is_busy = self._is_closed = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._calls) + self._is_busy

    def put(self, call: Callable[[], object]) -> None:
        """Behind all others."""
        with self._lock:
            self._calls.append(call)
            self._bell.ring()

    def close(self) -> None:
        """Whatever is not done is not done any more."""
        with self._lock:
            self._is_closed = True
            self._bell.ring()

    def work(self) -> None:
        """What its thread does."""
        try:
            while (call := self._next()) is not None:
                call()
        except Cancelled:
            return

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            self._is_busy = False
            while not self._calls and not self._is_closed:
                self._bell.wait(inf)
            if self._is_closed:
                return None
            self._is_busy = True
            return self._calls.popleft()
