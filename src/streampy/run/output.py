"""An open output: what no unit takes is handed to the user, by `stream` or as the answer to a `call`.

Until somebody streams, or says by waiting that nobody will, a full output holds its sender back: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from streampy.flow.batcher import Batcher
from streampy.flow.ledger import Ledger
from streampy.flow.meter import Distribution
from streampy.model.item import Batch, Header, Tombstone
from streampy.model.pipe import Pipe
from streampy.model.plan import Share
from streampy.pipes.base import Cancelled, put_into, put_into_async
from streampy.pipes.local import weigh
from streampy.run.answers import Answers
from streampy.run.backend import Backend
from streampy.run.outlet import deliver


class Output:
    """What comes out of a port that leads nowhere."""

    def __init__(
        self, name: str, shares: dict[str, Share], backend: Backend, ledger: Ledger, capacity: int = 64
    ) -> None:
        self.name = name
        self.ledger = ledger
        self.latency = Distribution()
        lock = backend.lock()
        self._now = backend.now
        self.arrived, self.room = backend.bell(lock), backend.bell(lock)
        self.answers = Answers(name, shares, backend.now)
        self.is_streamed = False
        self._lock = lock
        self._batcher = Batcher(Pipe(capacity=capacity), weigh)
        self._has_ended = False
        self._is_cancelled = False
        self._discards = False

    @property
    def waiting(self) -> int:
        """How many items wait to be streamed."""
        return len(self._batcher)

    @property
    def is_full(self) -> bool:
        """See `Door.is_full`."""
        return self._batcher.is_full and not self._discards

    @property
    def is_holding_back(self) -> bool:
        """Whether it is full, and nobody streams it."""
        return self._batcher.is_full and not self.is_streamed and not self._discards

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`."""
        return put_into(self, batch)

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        with self._lock:
            if self._discards and not self._is_cancelled and not self.answers.are_awaited:
                self._deliver((header,))
                return []
        return put_into(self, Batch([value], [header]))

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        return await put_into_async(self, batch)

    def offer(self, batch: Batch[Any], start: int, dropped: list[Header]) -> int:
        """See `Intake.offer`."""
        del dropped
        if self._is_cancelled:
            raise Cancelled
        if not self.answers.are_awaited:
            return self._keep(batch, start)
        taken = 0
        for header, value in zip(batch.headers[start:], batch[start:], strict=True):
            if self.answers.take(header, value):
                self._deliver([header])
            elif not self._keep(Batch([value], [header]), 0):
                break
            taken += 1
        return taken

    def _keep(self, batch: Batch[Any], start: int) -> int:
        """Keep for `stream` what there is room for; returns how many that are."""
        if self._discards:
            self._deliver(batch.headers[start:])
            return len(batch) - start
        taken, _ = self._batcher.offer(batch, start, self._now())
        if taken:
            self.arrived.ring()
        return taken

    def _deliver(self, headers: Sequence[Header]) -> None:
        deliver(headers, self._now(), self.ledger, self.latency)

    def get(self, until: float = inf) -> Any:
        """The next value. Raises TimeoutError, and EOFError when nothing more will come."""
        self.is_streamed = True
        with self._lock:
            while not len(self._batcher):
                if self._has_ended or self._is_cancelled:
                    raise EOFError
                self.arrived.wait(until)
            handed = self._batcher.hand_over(self._now(), 1)
            self._deliver(handed.batch.headers)
            self.room.ring()
            return handed.batch[0]

    def discard(self) -> None:
        """Nobody will stream: what came and what comes counts as delivered."""
        with self._lock:
            self._discards = True
            self._deliver(self._batcher.hand_over(self._now(), inf).batch.headers)
            self.room.ring()

    def keep_all(self) -> None:
        """The process drains: hold back nobody any more, keep what comes for a later `stream`."""
        with self._lock:
            self._batcher.lift_bounds()
            self.room.ring()

    def bury(self, port: str, tombstone: Tombstone, ways: int) -> None:
        """See `Mourning.bury`."""
        del port
        if self.answers.are_awaited:
            self.answers.bury(tombstone, ways)

    def close(self, port: str, header: Header, count: int, ways: int) -> None:
        """See `Mourning.close`."""
        del port
        if self.answers.are_awaited:
            self.answers.close(header, count, ways)

    def end(self) -> None:
        """See `Door.end`."""
        with self._lock:
            self._has_ended = True
            self.arrived.ring()
        self.answers.give_up()

    def cancel(self) -> None:
        """The process is being stopped; what waits can still be streamed."""
        with self._lock:
            self._is_cancelled = True
            self.arrived.ring()
            self.room.ring()
        self.answers.give_up()
