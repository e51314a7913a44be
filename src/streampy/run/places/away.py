"""A worker whose units live in another OS process, as the main one has it: a thread that sends, and hears.

Knows nothing of how the units are called. Pipes, joins, order and ledgers are here, and so is what the worker has in
its hands: where its OS process dies, nothing of that is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import WorkerDied
from streampy.memory.region import NoSharedMemory
from streampy.pipes.base import Cancelled
from streampy.pipes.channel import PeerDied
from streampy.run.in_thread import ThreadMember
from streampy.run.places.errand import Errand, count_whole
from streampy.run.places.house import NurseryDied
from streampy.run.places.wire import Say, SeatReport, SeatTerms

if TYPE_CHECKING:
    from streampy.flow.ledger import Ledger
    from streampy.pipes.channel import Channel
    from streampy.pipes.frames import Message
    from streampy.run.call import Call, Onward
    from streampy.run.member import Made
    from streampy.run.places.room import Desk, Room
    from streampy.run.runners import Runner
    from streampy.run.stats import PipeStats

_log = logging.getLogger("streampy.run")
_LAST: Final = 0.5
"""Seconds that the units have to stop once the process is put out; then their OS process is killed."""
_IN_PEACE: Final = 10.0
"""Seconds that an OS process has to end when all is done: libraries may have much to put away."""


@final
class AwayMember(ThreadMember):
    """The thread in the main OS process."""

    is_far = True

    def __init__(
        self,
        calls: Sequence[Call],
        units: Sequence[Made],
        *,
        room: Room,
        terms: Callable[[], tuple[SeatTerms, Sequence[Channel]]],
        is_asked: bool,
        **options: Any,
    ) -> None:
        super().__init__(calls, units, **options)
        self._room = room
        self._terms = terms
        self._desk: Desk | None = None
        self._leaving: Desk | None = None
        """The same, once the units have stopped, while it waits for the end of the OS process."""
        self._errand: Errand | None = None
        self._is_cancelled = False
        self._is_lost = False
        """Whether its OS process died."""
        self._tells = is_asked
        """See `Routes.is_asked`."""
        self.ledgers: list[Ledger] = []
        """Those of its calls, as they were told last by a worker on its own."""
        self.pipes: dict[str, PipeStats] = {}
        """Those that lie where it lives, as they were told last."""
        self._far = 0
        """See `SeatReport.in_flight`."""
        self._held: Future[None] | None = None
        """Done once it was heard over there that it is held."""
        self._asking = Lock()
        self._early: list[tuple[Future[Any], tuple[Any, ...]]] = []
        """What was asked of it before it had an OS process."""

    def _start(self) -> None:
        desk = self._room.take(*self._terms())
        self._errand = Errand(desk.line, desk.pulse, self.calls)
        with self._asking:
            self._desk, early = desk, self._early
            self._early = []
        for answer, what in early:
            desk.ask(answer, *what)
        if self._is_cancelled:
            desk.cancel()
        self._errand.attend(_has_started)

    def _runner(self, end: Onward) -> Runner:
        errand = self._at_work
        errand.onward = end
        if self.hops is None:
            return errand
        from streampy.run.trace.noting import Sending  # noqa: PLC0415 - few are traced

        return Sending(errand, self.hops)

    @property
    def _at_work(self) -> Errand:
        assert self._errand is not None, "only asked for once it has started"  # noqa: S101 - narrows the type
        return self._errand

    def _emit(self, end: Onward) -> None:
        self._runner(end)
        self._gate.listen(self._gate_moved)
        self._at_work.attend_in_time(_has_left)

    def _stream(self, end: Onward) -> None:
        errand = self._runner(end)
        for taken in self._takes():
            if taken.batch:
                errand.run(taken.batch)

    def _gate_moved(self, *, is_open: bool, is_stopping: bool) -> None:
        """The gate lets a source through, holds it, or sends it home."""
        desk = self._desk
        if desk is None:
            return
        if is_stopping:
            desk.say("stop")
        elif is_open:
            desk.say("gate")
        else:
            self._held = Future()
            desk.ask(self._held, "hold")

    def held(self) -> Future[None] | None:
        """See `Member.held`."""
        return self._held

    @property
    def _desk_here(self) -> Desk:
        assert self._desk is not None, "only asked for once it has started"  # noqa: S101 - narrows the type
        return self._desk

    def fire(self, unit: str, method: str, values: tuple[Any, ...], named: dict[str, Any]) -> Future[Any] | None:
        """See `Member.fire`."""
        return self._ask(unit, "fire", unit, method, values, named)

    def change(self, unit: str, changed: Mapping[str, Any]) -> Future[Any] | None:
        """See `Member.change`."""
        return self._ask(unit, "change", unit, dict(changed))

    def _ask(self, unit: str, *what: Any) -> Future[Any] | None:
        return self._ask_it(*what) if unit in (call.plan.name for call in self.calls) else None

    def _ask_it(self, *what: Any) -> Future[Any]:
        """Have a method of its `Seat` called."""
        answer: Future[Any] = Future()
        with self._asking:
            if self._desk is None and not self.has_left:
                self._early.append((answer, what))
            elif self._desk is None:
                answer.cancel()
            else:
                self._desk.ask(answer, *what)
        return answer

    def put_down(self) -> Future[None]:
        """See `Member.put_down`."""
        return self._ask_it("put_down")

    def take_up(self) -> Future[None]:
        """See `Member.take_up`."""
        return self._ask_it("take_up")

    def restart(self) -> Future[None]:
        """See `Member.restart`."""
        return self._ask_it("restart")

    def peek(self, *what: Any) -> Future[Any]:
        """See `Seat.peek`."""
        return self._ask_it("peek", *what)

    def sample(self, *what: Any) -> Future[Any]:
        """See `Seat.sample`."""
        return self._ask_it("sample", *what)

    @property
    def pid(self) -> int:
        """Of its OS process; 0 where it has none now."""
        child = self._room.child
        return 0 if child is None else child.pid

    @property
    def place(self) -> str:
        """The name of its OS process."""
        return self._room.name

    def report(self) -> Future[SeatReport] | None:
        """How it stands with the worker, once it has started; None where the main OS process knows it."""
        if not self._tells:
            return None
        answer: Future[SeatReport] = Future()
        with self._asking:
            if self._desk is None:
                return None
            self._desk.ask(answer, "report")
        return answer

    def reported(self, report: SeatReport) -> None:
        """Count what was told."""
        if report.units:
            self.ledgers = [count_whole(call, counts) for call, counts in zip(self.calls, report.units, strict=True)]
        self.pipes = report.pipes
        self._far = report.in_flight

    @property
    def far(self) -> int:
        """Its share of the items in flight, as it was told last."""
        return self._far if not self.ledgers else self._far - self._at_work.passed_on

    def cancel(self) -> None:
        """See `Member.cancel`."""
        self._is_cancelled = True
        desk = self._desk
        if desk is not None:
            desk.cancel()
        elif self._leaving is not None:
            self._leaving.kill()  # it had its time

    def kill(self) -> None:
        """See `Member.kill`: its OS process ends at once."""
        self._is_lost = True
        desk = self._desk
        if desk is not None:
            desk.kill()

    def _tell(self, error: BaseException) -> None:
        if isinstance(error, NoSharedMemory):  # no unit's fault, and one of them tells it for all
            if not self._is_cancelled:
                self._foreman.failed(error)
            return
        if not isinstance(error, PeerDied | NurseryDied):
            super()._tell(error)
            return
        if self._is_lost:
            return  # it was killed, because it hung, and that is told already
        self._is_lost = True
        if self._is_cancelled:
            return
        cause = str(error) if isinstance(error, NurseryDied) else self._desk_here.cause_of_death()
        died = WorkerDied(self.head.plan.name, self.name, cause)
        if not self._foreman.died(self, died):
            self._foreman.failed(died)

    def _stop(self) -> None:
        with self._asking:
            desk, self._desk = self._desk, None
            early, self._early = self._early, []
        for answer, _ in early:
            answer.cancel()
        if desk is None:
            return
        if not self._is_lost and not self._at_work.has_left:
            self._desk = desk
            self._take_leave(desk)
            self._desk = None
        if self._at_work.last is not None:
            self.reported(self._at_work.last)
        self._leaving = desk
        desk.leave(_LAST if self._is_cancelled or self._is_lost else _IN_PEACE)
        self._leaving = None

    def _take_leave(self, desk: Desk) -> None:
        """Have the units stopped, and wait for the worker's last word."""
        until = inf
        with suppress(PeerDied, Cancelled):  # found out below
            desk.line.say(Say.OVER)
        while not self._at_work.has_left:
            try:
                if self._is_cancelled:
                    self._at_work.is_deaf = True
                    desk.line.is_cancelled = False
                    until = min(until, self.head.now() + _LAST)
                self._at_work.attend(_has_left, until)
            except Cancelled:
                continue
            except TimeoutError:
                _log.warning("%s did not stop within %g s after the process was put out: killed", self.name, _LAST)
                desk.kill()
                return
            except BaseException as error:
                self._tell(error)
                if self._is_lost:
                    return


def _has_started(message: Message) -> bool:
    return message.kind == Say.STARTED


def _has_left(message: Message) -> bool:
    return message.kind == Say.LEFT
