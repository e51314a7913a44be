"""Items that came over a link, on their way into the pipe of the unit that they are for.

Knows nothing of connections. Whoever hears them must not wait for room in a pipe: behind them on the same line come the
answers that this segment may need to make room. So what finds none waits here, and a thread of its own puts it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from streampy.model.item import Batch, Reason
from streampy.pipes.base import Cancelled
from streampy.run.outlet import Door

if TYPE_CHECKING:
    from streampy.flow.ledger import Ledger
    from streampy.run.backend import Backend

_MOST: Final = 4096
"""Items that may wait here. The window of a link keeps them far below; where it can't, whoever hears them waits too."""


class Entrance(Door, Protocol):
    """A door that can be tried."""

    def let_in(self, batch: Batch[Any]) -> int:
        """Take those in front where that needs no waiting and drops nothing; returns how many were taken."""


@final
class Arrival:
    """Of one link. Any thread may bring."""

    def __init__(
        self,
        name: str,
        door: Entrance,
        ledger: Ledger,
        launch: Callable[[Callable[[], None], str], None],
        backend: Backend,
    ) -> None:
        """Launch: starts a thread, and sees to what it raises."""
        self.name = name
        self._door = door
        self.ledger = ledger
        """Of what the pipe dropped."""
        self._lock = backend.lock()
        self._came = backend.bell(self._lock)
        self._room = backend.bell(self._lock)
        self._waiting: deque[tuple[Batch[Any], Callable[[], object]]] = deque()
        self._count = 0
        """Items that wait, and those that are being put in."""
        self._has_ended = False
        self._is_closed = False
        self._is_cancelled = False
        self._launch = launch
        self._has_thread = False

    def __repr__(self) -> str:
        return f"<Arrival {self.name}: {len(self)} wait>"

    def __len__(self) -> int:
        """Items that wait."""
        with self._lock:
            return self._count

    def bring(self, batch: Batch[Any], then: Callable[[], object] = bool) -> None:
        """These came, behind all others. Waits where very many do. Raises Cancelled.

        then: is called when they are in the pipe.
        """
        with self._lock:
            start = 0 if self._count else self._door.let_in(batch)
            while start < len(batch) and self._count >= _MOST and not self._is_cancelled:
                self._room.wait(inf)
            if self._is_cancelled:
                raise Cancelled
            if start < len(batch):
                self._waiting.append((Batch(batch[start:], batch.headers[start:]), then))
                self._count += len(batch) - start
                self._came.ring()
            is_first = start < len(batch) and not self._has_thread
            self._has_thread = self._has_thread or is_first
        if start == len(batch):
            then()
        if is_first:
            self._launch(self._carry, f"arrival {self.name}")

    def end(self) -> None:
        """Nothing more comes."""
        with self._lock:
            self._has_ended = True
            is_empty = not self._count
            self._came.ring()
        if is_empty:
            self._door.end()

    def _carry(self) -> None:
        """What its thread does."""
        while (arrived := self._next()) is not None:
            batch, then = arrived
            try:
                self.ledger.ended(self._door.put(batch), Reason.DROPPED)
            except Cancelled:
                return
            with self._lock:
                self._count -= len(batch)
                self._room.ring()
                is_last = self._has_ended and not self._count
            then()
            if is_last:
                self._door.end()

    def _next(self) -> tuple[Batch[Any], Callable[[], object]] | None:
        with self._lock:
            while not self._waiting:
                if self._is_closed or self._is_cancelled:
                    return None
                self._came.wait(inf)
            return self._waiting.popleft()

    def close(self) -> None:
        """All is done."""
        with self._lock:
            self._is_closed = True
            self._came.ring()

    def cancel(self) -> None:
        """The process is being stopped: what waits stays where it is."""
        with self._lock:
            self._is_cancelled = True
            self._came.ring()
            self._room.ring()
