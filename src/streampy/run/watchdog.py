"""Finds calls that do not come back within the unit's `timeout`: a hung worker is named, and not waited for.

Knows nothing of what is called. It has a thread of its own, which waits for the next deadline and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, suppress
from math import inf
from typing import TYPE_CHECKING

from streampy.errors import Hung
from streampy.pipes.base import Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streampy.run.backend import Backend, Flag
    from streampy.run.call import Call


Look = Callable[[], str | float]
"""Tells what did not come back; or until when to wait once more (`item.born` seconds), where nothing is late."""


class Watchdog:
    """Told of each call that has a time limit, when it begins and when it ends. Any thread may tell it."""

    def __init__(self, bark: Callable[[Call, Hung], None], backend: Backend) -> None:
        self._bark = bark
        self._backend = backend
        self._bell = backend.bell(backend.lock())
        self._deadlines: dict[Call, tuple[float, Look]] = {}
        self._late: dict[Call, Flag] = {}
        """Those of which somebody is being told."""
        self._next = inf
        self._is_over = False

    def start(self) -> None:
        """Start watching."""
        self._backend.launch(self._watch, "watchdog")

    @contextmanager
    def watching(self, call: Call, what: str) -> Iterator[None]:
        """While this lasts, a worker calls its unit; `what` is told where it does not come back in time."""
        if call.plan.spec.timeout == inf:
            yield
            return
        with self.guarding(call, lambda: what):
            yield

    @contextmanager
    def guarding(self, call: Call, look: Look) -> Iterator[None]:
        """As `watching`, where `look` tells at the deadline what did not come back, or when to look again."""
        deadline = self._backend.now() + call.plan.spec.timeout
        with self._bell.lock:
            self._deadlines[call] = deadline, look
            if deadline < self._next:
                self._bell.ring()
        try:
            yield
        finally:
            with self._bell.lock:
                is_late = self._deadlines.pop(call, None) is None
                told = self._late.get(call)
            if is_late:
                if told is not None:
                    told.wait()  # or it would leave before it is known that it is to be replaced
                raise Cancelled  # nobody waits for this worker any more, and another one may have its place

    def close(self) -> None:
        """The workers have left."""
        with self._bell.lock:
            self._is_over = True
            self._bell.ring()

    def _watch(self) -> None:
        while (late := self._wait()) is not None:
            call, what = late
            self._bark(call, Hung([call.worker.unit], f"{what} within its timeout of {call.plan.spec.timeout:g} s"))
            with self._bell.lock:
                self._late.pop(call).set()

    def _wait(self) -> tuple[Call, str] | None:
        """The first call that is late, and what it did not do; None when all is over."""
        with self._bell.lock:
            while not self._is_over:
                first = min(self._deadlines, key=lambda call: self._deadlines[call][0], default=None)
                self._next = inf if first is None else self._deadlines[first][0]
                if first is not None and self._next <= self._backend.now():
                    _, look = self._deadlines.pop(first)
                    what = look()
                    if isinstance(what, float):
                        self._deadlines[first] = what, look
                        continue
                    self._late[first] = self._backend.flag()
                    return first, what
                with suppress(TimeoutError):
                    self._bell.wait(self._next)
        return None
