"""What every worker has: a desk, units to start and stop, an inlet to get from, and somebody to tell.

Knows nothing of the graph; whether it is a thread or a task is for those that build on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from streampy.errors import RunError, UnitFailed
from streampy.model.item import Batch, Header, Reason
from streampy.model.unit import Unit
from streampy.run.call import Call
from streampy.run.gate import Gate
from streampy.run.hand import Hand
from streampy.run.inlet import Inlet, Taken
from streampy.run.mail import Mailbox
from streampy.run.turnstile import Sent, Turnstile
from streampy.run.worker import Worker

if TYPE_CHECKING:
    from streampy.run.trace.hops import Hops

_NOTHING: Final[Batch[Any]] = Batch()


class Made(Protocol):
    """A unit, made for one worker."""

    def start(self) -> Any:
        """Called in the worker before the first item."""

    def stop(self) -> Any:
        """Called in the worker after the last one."""

    def change(self, **settings: Any) -> Any:
        """Take other settings."""

    @property
    def work(self) -> Callable[..., Any]:
        """What is called with the items."""


class Foreman(Protocol):
    """Whom a worker tells how it goes."""

    def ready(self, member: Member) -> None:
        """The worker has started its units."""

    def failed(self, error: RunError) -> None:
        """A unit raised, or a worker died, and that stops the process."""

    def died(self, member: Member, error: BaseException) -> bool:
        """A unit ended the worker itself; returns whether another one takes its place."""

    def renew(self, member: Member) -> tuple[list[Call], list[Made]]:
        """The worker's units and calls, made anew with the settings of now. Raises UnitFailed."""

    def left(self, member: Member) -> None:
        """The worker is done, one way or the other."""


class Member(ABC):
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
        before: Member | None = None,
    ) -> None:
        self.calls: Sequence[Call] = calls
        self.inlet = inlet
        self.in_hand = 0
        self.is_starting = True
        self.mail = Mailbox()
        self.has_left = False
        self.is_dismissed = False
        """Whether it is to go home: there are more workers than the load needs."""
        self.is_outdated = False
        """Whether its units are to be made anew, with other settings."""
        self._worked = 0.0
        self._taken_at = inf
        self._sent: Sent = []
        """Of a task: what came of the batch that was taken, until it is its turn to leave."""
        self.hand: Hand | None = None
        self.pause = 0.0
        """Seconds to wait before it starts."""
        if before is not None:
            self._inherit(before)
        self._units: Sequence[Made] = units
        self._turnstile = turnstile
        self._foreman = foreman
        self._gate = gate
        self._bed = gate.another()
        """Where it rests while its units are stopped."""
        self._asked_down: list[Future[None]] = []
        self._asked_up: list[Future[None]] = []
        """Who waits until its units have stopped, or have started again."""
        self.at = calls[0]
        """The unit that is being called."""
        self._entered: list[tuple[Call, Made]] = []
        self.hops: Hops | None = self.head.tracer and self.head.tracer.hops(calls)
        """What it notes down where something is traced."""

    @abstractmethod
    def main(self) -> Any:
        """From start to stop."""

    def _inherit(self, dead: Member) -> None:
        """Take the place of a worker that died, and what it had in its hands."""
        self.hand, self.in_hand = dead.hand, dead.in_hand
        self.is_dismissed = dead.is_dismissed
        if self.hand is not None:
            self.hand.drop()

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
                return self.tell(partial(getattr(made, method), *values, **named))
        return None

    def held(self) -> Future[None] | None:
        """Done once it has heard that it is held; None where it always has at once."""
        return None

    def tell(self, what: Callable[[], Any]) -> Future[Any]:
        """Have something done in the worker between two items; the future holds what it returned or raised."""
        answer = self.mail.post(what)
        self._gate.knock() if self.inlet is None else self.inlet.knock()
        self._bed.knock()
        return answer

    def change(self, unit: str, changed: Mapping[str, Any]) -> Future[Any] | None:
        """Give one of its units other settings between two items; None where the unit is not here."""
        for call, made in zip(self.calls, self._units, strict=True):
            if call.plan.name == unit:
                return self.tell(partial(self._change, made, changed))
        return None

    def _change(self, made: Made, changed: Mapping[str, Any]) -> Any:
        if type(made).change is Unit.change:  # it does not say how
            self.is_outdated = True
            return None
        return made.change(**changed)

    def put_down(self) -> Future[None]:
        """Have its units stopped, and made anew at `take_up`. The future is done when they have stopped."""
        asked: Future[None] = Future()
        self._asked_down.append(asked)
        self._bed.close()
        return self._outdate(asked)

    def _outdate(self, asked: Future[None]) -> Future[None]:
        """Have its units stopped, between two items."""

        def outdate() -> None:
            self.is_outdated = True

        self.tell(outdate)
        if self.has_left:
            asked.cancel()
        return asked

    def take_up(self) -> Future[None]:
        """Have units that are stopped made anew. The future is done when they have started."""
        asked: Future[None] = Future()
        self._asked_up.append(asked)
        self._bed.open()
        if not self.is_outdated:
            self._settle(self._asked_up)
        return asked

    def restart(self) -> Future[None]:
        """Have its units stopped, made anew and started, between two items. The future is done when they have."""
        asked: Future[None] = Future()
        self._asked_up.append(asked)
        return self._outdate(asked)

    def _settle(self, asked: list[Future[None]]) -> None:
        """What was asked for has come about."""
        while asked:
            asked.pop().set_result(None)

    def _has_started(self) -> None:
        self.is_starting = False
        self._foreman.ready(self)
        self._settle(self._asked_up)

    def _has_left(self) -> None:
        self.has_left = True
        self.mail.shut()
        for asked in (*self._asked_down, *self._asked_up):
            asked.cancel()
        self._foreman.left(self)

    @property
    def _is_needed(self) -> bool:
        """Whether it is to be up again, once it need not rest any more."""
        return not self.is_dismissed and not self.head.worker.stopping

    is_far = False
    """Whether it takes a while to give it anything, so that what is quick is best given several at once."""

    def cancel(self) -> None:
        """The process is put out."""
        self._bed.stop()

    def kill(self) -> None:  # noqa: B027 - a thread can't be ended
        """It does not come back, and another one may have its place: what can be ended is ended."""

    def dismiss(self) -> None:
        """Send the worker home, when it has done what it has in its hands."""
        self.is_dismissed = True
        self.tell(lambda: None)

    @property
    def may_go_on(self) -> bool:
        """Whether it is to take more, with the units that it has."""
        return not self.is_dismissed and not self.is_outdated

    def _renew(self) -> None:
        """Make the units anew."""
        self.is_outdated = False
        self.calls, self._units = self._foreman.renew(self)
        self.at = self.calls[0]

    def _give_up(self, hand: Hand, header: Header, value: Any) -> None:
        """Too many workers died on an item: it is put aside."""
        self.head.meter.failed += 1
        self.head.trouble.bury_alive(header, value, hand.error)
        self.head.outlet.bury(header, Reason.FAILED, hand.error)

    def _news(self, taken: Taken) -> None:
        """Count and pass on what ended at the way in."""
        outlet = self.head.outlet
        for header in taken.made:
            outlet.ledger.add("split", header)
        for tombstone in taken.buried:  # before the count: who hears of the end of an item is to know all of it
            outlet.pass_on(tombstone)
        for header, reason in taken.lost:
            outlet.ledger.add(reason.value, header)
        if taken.late:
            late = TimeoutError(f"{len(taken.late)} items were not complete in time, the first {taken.late[0].key}")
            raise self.head.trouble.failure(taken.late[0].key, late) from late
        for header in taken.absorbed:
            outlet.ledger.add("joined", header)
        if taken.done and self.inlet is not None:
            self.inlet.counted(taken)

    def worked(self, now: float) -> float:
        """Seconds, until now, in which it had items in its hands."""
        return self._worked + max(0.0, now - self._taken_at)

    def _rest(self) -> float:
        """What was in its hands is done; returns the time."""
        now = self.head.now()
        self._worked += max(0.0, now - self._taken_at)
        self._taken_at = inf
        return now

    def _done(self, taken: Taken) -> None:
        """All that a batch gave was put where it belongs."""
        if self.hops is not None:
            self.hops.done()
        self.hand, self.in_hand = None, 0
        if self.inlet is not None:
            self.inlet.done(taken)
        taken.batch = _NOTHING  # while it waits for the next one, it does not keep the last one alive

    def _tell(self, error: BaseException) -> None:
        """An error ended this worker."""
        if not isinstance(error, Exception) and self._foreman.died(self, error):
            return
        if isinstance(error, UnitFailed):
            self._foreman.failed(error)
            return
        failure = self.at.trouble.failure("", error)
        failure.__cause__ = error
        self._foreman.failed(failure)
