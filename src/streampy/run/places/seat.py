"""A worker in an OS process of its own: the units are made and called here, by the same code as in the main one.

Knows nothing of the graph: what the units are given comes on the worker's line, what they give goes back on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, final

from streampy.errors import RunError, UnitFailed
from streampy.flow.ledger import Ledger
from streampy.memory.region import NoSharedMemory
from streampy.model.item import Reason
from streampy.model.pipe import Join
from streampy.model.plan import JoinPlan, UnitPlan
from streampy.model.ports import Emits
from streampy.model.process import UnitSpec
from streampy.model.sendable import resolve
from streampy.model.unit import ports_of
from streampy.pipes.base import Cancelled
from streampy.pipes.channel import PeerDied
from streampy.pipes.thrown import pack_error
from streampy.run.call import Call
from streampy.run.control.peek import peek_at
from streampy.run.control.sample import sample_threads
from streampy.run.gate import Gate
from streampy.run.in_loop import TaskMember
from streampy.run.in_thread import ThreadMember
from streampy.run.look import look_at_pipe
from streampy.run.make import make_unit
from streampy.run.member import Made, Member
from streampy.run.outlet import Outlet
from streampy.run.places.doors import sealed_once
from streampy.run.places.hatch import Hatch
from streampy.run.places.report import Report, ToldLedger, ToldLetters, ToldNews, UnitReport, Way
from streampy.run.places.straight import FedInlet, StayingDoor, Straight, StraightDoor
from streampy.run.places.telling import TellingInlet
from streampy.run.places.wire import Line, Role, Say, SeatReport, SeatTerms
from streampy.run.trouble import Trouble
from streampy.run.worker import Worker

if TYPE_CHECKING:
    from streampy.memory.regions import Regions
    from streampy.pipes.channel import Channel
    from streampy.run.backend import Backend
    from streampy.run.inlet import Inlet
    from streampy.run.outlet import Door
    from streampy.run.places.pulse import Pulse
    from streampy.run.places.stock import Stock
    from streampy.run.trace.tracer import Tracer

_JOINS = JoinPlan(Join(), {}, {}, frozenset(), frozenset())
"""Only that it joins matters here: what it is given is the tuple of its arguments."""


@dataclass(frozen=True, slots=True)
class Here:
    """What the workers of an OS process share."""

    backend: Backend
    stock: Stock
    regions: Regions
    post: Callable[[str, str, tuple[Any, ...], dict[str, Any]], object]
    loop: str
    """The name of the thread in which those run that are `async def`."""
    tracer: Tracer | None = None
    inlets: dict[str, Inlet] = field(default_factory=dict)
    """Those of units that are fed by others of the same OS process."""

    def inlet_of(self, straight: Straight) -> Inlet:
        """The inlet of the unit that a link leads to, both ends of which are here."""
        if straight.receiver not in self.inlets:
            self.inlets[straight.receiver] = straight.inlet(self.backend)
        return self.inlets[straight.receiver]


@final
class Seat:
    """One worker. Its own thread or task does the work; what others do here is for any thread."""

    def __init__(self, terms: SeatTerms, line: Line, pulse: Pulse, channels: Iterable[Channel], here: Here) -> None:
        """Channels: of those links of the terms that come from, or lead to, another OS process, in their order."""
        self._roles = terms.roles
        self._terms = terms
        self.plans = [_plan(role) for role in terms.roles]
        self._line = line
        self._pulse = pulse
        self._here = here
        self._stock = here.stock
        self._backend = here.backend
        self._report = Report(
            line, here.stock, room=terms.room, counts=not terms.is_on_its_own, tells_at_once=terms.tells_at_once
        )
        self._settings = {role.unit: dict(role.settings) for role in terms.roles}
        self._gate = Gate(here.backend.bell(here.backend.lock()))
        self._stopping, self._sources_stopping = here.backend.flag(), here.backend.flag()
        self._lock = Lock()
        self._member: Member | None = None
        self._early: list[Callable[[], object]] = []
        """What is wanted of a worker whose units are still being made."""
        self._is_broken = False
        """Whether it leaves before all was done, so that nobody may take what it sent for the whole."""
        ends = iter(channels)
        self._inlet = self._make_inlet(ends)
        self._doors = {straight: self._make_door(straight, ends) for straight in terms.outgoing}
        self._look_at_doors()

    def _make_inlet(self, ends: Iterator[Channel]) -> Inlet | None:
        """Where items come straight to it."""
        straight = self._terms.incoming
        if straight is None:
            return None
        if straight.stays:
            return self._here.inlet_of(straight)
        return straight.fed_inlet(next(ends), self._backend, self._here.regions)

    def _look_at_doors(self) -> None:
        """Who waits for items also hears what others give back, so that it can give back what it has of those before.

        Else a frame that twelve units pass on would only be free twelve frames later.
        """
        doors = [door for door in self._doors.values() if isinstance(door, StraightDoor)]
        waits = self._inlet.receiver.channel if isinstance(self._inlet, FedInlet) else self._line.channel
        for door in doors:
            waits.also(door.sender.fileno())
        looks = [door.sender.look for door in doors]
        if isinstance(self._inlet, FedInlet):
            self._inlet.looks = looks
            for door in doors:
                door.passing = self._inlet.passing
        self._line.looks = looks
        for door in doors:
            door.looks_first = not self.plans[0].ports.inputs

    def _make_door(self, straight: Straight, ends: Iterator[Channel]) -> Door:
        missed = partial(self._report.tell, "missed", len(self.plans) - 1, straight.receiver, straight.input)
        if straight.stays:
            return StayingDoor(self._here.inlet_of(straight), straight.input, missed)
        return straight.door(next(ends), self._stock, self._here.regions, missed)

    def __repr__(self) -> str:
        return f"<Seat of {self._roles[0].unit}#{self._roles[0].index}>"

    @property
    def is_async(self) -> bool:
        """Whether it is a task of the event loop."""
        return self.plans[0].ports.is_async

    @property
    def _may_give_and_wait(self) -> bool:
        """Whether a unit may give something, and then take its time."""
        return any(not plan.ports.inputs or plan.ports.emits is Emits.MANY for plan in self.plans)

    @property
    def name(self) -> str:
        """Of the worker."""
        return f"{self._roles[0].unit}#{self._roles[0].index}"

    def main(self) -> None:
        """What its thread does."""
        if self._terms.is_on_its_own and self._may_give_and_wait:
            self._report.be_prompted(self.name)
        try:
            member = self._make_member(ThreadMember)
            if member is not None:
                member.main()
        finally:
            self._leave()

    async def main_async(self) -> None:
        """What its task does."""
        self._report.holds_back = not (self._terms.is_on_its_own and self._may_give_and_wait)
        try:
            member = self._make_member(TaskMember)
            if member is not None:
                await member.main()
        finally:
            self._leave()

    def _make_member(self, kind: type[Member]) -> Member | None:
        try:
            calls, units = self._make()
        except UnitFailed as error:
            self.failed(error)
            return None
        inlet: Any = self._inlet
        if inlet is None and self.plans[0].ports.inputs:
            inlet = Hatch(self._line, self._report)
        elif inlet is not None:
            inlet = TellingInlet(inlet, self._report)
        member = kind(calls, units, inlet=inlet, turnstile=None, foreman=self, gate=self._gate)
        with self._lock:
            self._member = member
            early = self._early
        for do in early:
            do()
        return member

    def _make(self) -> tuple[list[Call], list[Made]]:
        units = [make_unit(plan, self._settings[plan.name]) for plan in self.plans]
        before = self._report.calls
        if before:
            calls = [call.renewed(unit.work) for call, unit in zip(before, units, strict=True)]
        else:
            calls = [self._make_call(number, unit) for number, unit in enumerate(units)]
        self._report.calls = calls
        return calls, list(units)

    def _make_call(self, number: int, unit: Made) -> Call:
        plan, role = self.plans[number], self._roles[number]
        asked_to_stop = self._stopping if plan.ports.inputs else self._sources_stopping
        worker = Worker(
            role.unit,
            role.index,
            role.count,
            role.device,
            asked_to_stop=asked_to_stop,
            clock=self._backend.now,
            post=self._here.post,
        )
        ledger = ToldLedger(self._report, number) if role.is_heard else Ledger()
        ledger.counts.update(role.born)
        news = ToldNews(self._report, number, is_mourned=role.is_mourned)
        doors = {port: self._doors_of(port) for port in plan.ports.outputs} if plan is self.plans[-1] else {}
        outlet = Outlet(role.unit, doors, news, ledger, self._backend.now)
        trouble = Trouble(role.on_error, worker, ToldLetters(self._report, number, self._stock))
        tracer = self._here.tracer
        return Call(plan, unit.work, worker, trouble=trouble, outlet=outlet, watchdog=self._pulse, tracer=tracer)

    def _doors_of(self, port: str) -> list[Door]:
        straight = [door for one, door in self._doors.items() if one.output == port]
        if sum(not one.stays for one in self._doors if one.output == port) > 1:
            straight = sealed_once(straight, self._stock)
        return [*straight, Way(port, self._report)] if port in self._terms.ways else straight

    def ready(self, member: Member) -> None:
        """See `Foreman.ready`."""
        del member
        self._line.say(Say.STARTED)

    def failed(self, error: RunError) -> None:
        """See `Foreman.failed`. What was done before it is told first."""
        self._report.close()
        self._is_broken = True
        self._say_last(Say.RESULTS, self._report.take())
        self._say_last(Say.FAILED, pack_error(error))

    def died(self, member: Member, error: BaseException) -> bool:
        """See `Foreman.died`: whether another one takes its place is decided over there."""
        del member
        self._report.close()
        self._is_broken = True
        if self._terms.tells_at_once:
            self._report.drop()
        else:  # before the next one comes, which goes on behind it
            self._say_last(Say.RESULTS, self._report.take())
        self._say_last(Say.DIED, pack_error(error))
        return True

    def renew(self, member: Member) -> tuple[list[Call], list[Made]]:
        """See `Foreman.renew`."""
        del member
        return self._make()

    def left(self, member: Member) -> None:
        """See `Foreman.left`. Whoever it sends to straight is told that nothing more comes, where that is so."""
        self._report.close()
        if self._is_broken or self._line.is_cancelled or (isinstance(self._inlet, FedInlet) and self._inlet.is_broken):
            return
        if self._inlet is not None:
            member.calls[0].outlet.ledger.ended(self._inlet.retire(), Reason.DROPPED)
        with suppress(PeerDied, Cancelled):
            if self._doors:
                self._report.settle()  # or those further on could have the end before the news of what ended here
            for door in self._doors.values():
                door.end()

    def _leave(self) -> None:
        self._report.close()
        if not self._line.is_cancelled:
            self._say_last(Say.RESULTS, self._report.take())
        self._line.is_cancelled = False  # its last word is heard, however it came to its end
        self._say_last(Say.LEFT, self._counted() if self._terms.is_asked else None)

    def report(self) -> Future[SeatReport]:
        """How it stands."""
        answer: Future[SeatReport] = Future()
        answer.set_result(self._counted())
        return answer

    def _counted(self) -> SeatReport:
        sent = sum(door.sender.sent for door in self._doors.values() if isinstance(door, StraightDoor))
        if not self._terms.is_on_its_own:
            return SeatReport([], {}, sent)
        pipes = {}
        in_flight = self._report.given + (0 if self._member is None else self._member.in_hand)
        if self._inlet is not None and self._terms.incoming is not None:
            ((port, pipe),) = self._inlet.pipes.items()
            pipes[f"{self._terms.incoming.receiver}.{port}"] = look_at_pipe(pipe)
            in_flight += self._inlet.waiting
        if isinstance(self._inlet, FedInlet):
            in_flight -= self._inlet.receiver.read
        return SeatReport([UnitReport.whole(call) for call in self._report.calls], pipes, in_flight + sent)

    def _say_last(self, kind: Say, what: object = None) -> None:
        try:
            self._line.say(kind, what)
        except (PeerDied, Cancelled):  # nobody is left to hear it
            return

    def fire(self, unit: str, method: str, values: tuple[Any, ...], named: dict[str, Any]) -> Future[Any]:
        """Have a method of one of its units called between two items."""
        return self._have(lambda member: member.fire(unit, method, values, named))

    def change(self, unit: str, changed: Mapping[str, Any]) -> Future[Any]:
        """Give one of its units other settings between two items."""
        self._settings[unit].update(changed)
        return self._have(lambda member: member.change(unit, changed))

    def _have(self, what: Callable[[Member], Future[Any] | None]) -> Future[Any]:
        """Have something done in the worker, now or as soon as its units are made."""
        answer: Future[Any] = Future()
        with self._lock:
            if self._member is None:
                self._early.append(partial(self._pass_on, what, answer))
                return answer
        self._pass_on(what, answer)
        return answer

    def _pass_on(self, what: Callable[[Member], Future[Any] | None], answer: Future[Any]) -> None:
        assert self._member is not None, "only called when it is there"  # noqa: S101 - narrows the type
        done = what(self._member)
        if done is None:
            answer.cancel()
            return
        done.add_done_callback(partial(_copy, answer))

    def put_down(self) -> Future[Any]:
        """See `Member.put_down`."""
        return self._have(lambda member: member.put_down())

    def take_up(self) -> Future[Any]:
        """See `Member.take_up`."""
        return self._have(lambda member: member.take_up())

    def restart(self) -> Future[Any]:
        """See `Member.restart`."""
        return self._have(lambda member: member.restart())

    def peek(self, count: int, wait: float, preview: bool) -> Future[Any]:  # noqa: FBT001 - it travels by position
        """The last items that came straight to it: see `peek_at`."""
        assert self._inlet is not None, "only asked where items come straight"  # noqa: S101 - narrows the type
        return peek_at(self._inlet, "", count, wait, preview=preview)

    def sample(self, seconds: float, interval: float) -> Future[Any]:
        """What it does in so many seconds: see `sample`."""
        thread = self._here.loop if self.is_async else f"streampy {self.name}"
        return sample_threads({thread}, seconds, interval)

    def release(self) -> None:
        """Let a worker on its own go on."""
        if self._inlet is not None:
            self._inlet.release()
        self._gate.open()

    def hold(self) -> Future[None]:
        """Hold a worker on its own back; done at once."""
        if self._inlet is not None:
            self._inlet.hold()
        self._gate.close()
        answer: Future[None] = Future()
        answer.set_result(None)
        return answer

    def stop_source(self) -> None:
        """Ask a source to end."""
        self._sources_stopping.set()
        self._gate.stop()

    def cancel(self) -> None:
        """Send the worker home; what is under way stays where it is."""
        self._line.cancel()
        self._stopping.set()
        self.stop_source()
        if self._member is not None:
            self._member.cancel()
        if self._inlet is not None:
            self._inlet.cancel()
        for door in self._doors.values():
            if isinstance(door, StraightDoor):
                door.sender.cancel()


def refuse(terms: SeatTerms, line: Line, error: Exception) -> None:
    """A worker can't be here: tell why."""
    if isinstance(error, NoSharedMemory):  # which is no unit's fault
        line.say(Say.FAILED, pack_error(error))
        line.say(Say.LEFT)
        return
    role = terms.roles[0]
    error.add_note(f"raised while unit {role.unit!r} was made in an OS process of its own")
    failure = UnitFailed(role.unit, "", role.unit, f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    line.say(Say.FAILED, pack_error(failure))
    line.say(Say.LEFT)


def _copy(answer: Future[Any], done: Future[Any]) -> None:
    if done.cancelled():
        answer.cancel()
        return
    error = done.exception()
    if error is None:
        answer.set_result(done.result())
    else:
        answer.set_exception(error)


def _plan(role: Role) -> UnitPlan:
    """What the calls of a unit need to know of it."""
    use = resolve(role.use)
    spec = UnitSpec(
        name=role.unit,
        use=use,
        used_as=role.use,
        settings=role.settings,
        workers=role.count,
        on_error=role.on_error,
        timeout=role.timeout,
    )
    ports = ports_of(use)
    receivers = dict.fromkeys(ports.outputs, ())
    plan = UnitPlan(spec, ports, role.settings, {}, receivers, join=None, not_fused="")
    return replace(plan, join=_JOINS) if role.joins else plan
