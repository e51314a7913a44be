"""What every worker has: a desk, units to start and stop, an inlet to get from, and somebody to tell.

Knows nothing of the graph; whether it is a thread or a task is for those that build on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol

from streampy.errors import UnitFailed
from streampy.run.call import Call
from streampy.run.gate import Gate
from streampy.run.inlet import Inlet, Taken
from streampy.run.mail import Mailbox
from streampy.run.turnstile import Turnstile
from streampy.run.worker import Worker


class Made(Protocol):
    """A unit, made for one worker."""

    def start(self) -> Any:
        """Called in the worker before the first item."""

    def stop(self) -> Any:
        """Called in the worker after the last one."""

    @property
    def work(self) -> Callable[..., Any]:
        """What is called with the items."""


class Foreman(Protocol):
    """Whom a worker tells how it goes."""

    def ready(self) -> None:
        """The worker has started its units."""

    def failed(self, error: UnitFailed) -> None:
        """A unit raised, and that stops the process."""

    def left(self, member: Member) -> None:
        """The worker is done, one way or the other."""


class Member:
    """What threads and tasks have in common: a desk, units to start and stop, an inlet to get from."""

    def __init__(
        self,
        calls: Sequence[Call],
        units: Sequence[Made],
        *,
        inlet: Inlet | None,
        turnstile: Turnstile | None,
        foreman: Foreman,
        gate: Gate,
    ) -> None:
        self.calls = calls
        self.inlet = inlet
        self.in_hand = 0
        self.is_starting = True
        self.mail = Mailbox()
        self.has_left = False
        self._units = units
        self._turnstile = turnstile
        self._foreman = foreman
        self._gate = gate
        self.at = calls[0]
        """The unit that is being called."""
        self._entered: list[tuple[Call, Made]] = []

    @property
    def worker(self) -> Worker:
        """See `Desk.worker`."""
        return self.at.worker

    @property
    def name(self) -> str:
        """Of the head of the chain."""
        return self.calls[0].worker.name

    @property
    def head(self) -> Call:
        """The first unit of the chain."""
        return self.calls[0]

    def fire(self, unit: str, method: str, values: tuple[Any, ...], named: dict[str, Any]) -> Future[Any] | None:
        """Have a method of one of its units called between two items; None where the unit is not here."""
        for call, made in zip(self.calls, self._units, strict=True):
            if call.plan.name == unit:
                answer = self.mail.post(partial(getattr(made, method), *values, **named))
                self._gate.knock() if self.inlet is None else self.inlet.knock()
                return answer
        return None

    def _news(self, taken: Taken) -> None:
        """Count and pass on what ended at the way in."""
        outlet = self.head.outlet
        for header, reason in taken.lost:
            outlet.ledger.add(reason.value, header.stream)
        for tombstone in taken.buried:
            outlet.pass_on(tombstone)
        if taken.late:
            late = TimeoutError(f"{len(taken.late)} items were not complete in time, the first {taken.late[0].key}")
            raise self.head.trouble.failure(taken.late[0].key, late) from late
        for stream in taken.absorbed:
            outlet.ledger.add("joined", stream)
        for stream in taken.made:
            outlet.ledger.add("split", stream)

    def _tell(self, error: BaseException) -> None:
        """An error ended this worker."""
        if isinstance(error, UnitFailed):
            self._foreman.failed(error)
            return
        failure = self.at.trouble.failure("", error)
        failure.__cause__ = error
        self._foreman.failed(failure)
