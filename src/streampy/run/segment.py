"""Units that live together in one OS process: built from the plan, started, watched, stopped.

Knows nothing of the user's side of it; `running` does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from math import inf
from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING, Any

from streampy.errors import Hung, RunError, UnitFailed, WorkerDied
from streampy.flow.ledger import Ledger
from streampy.model.item import Batch, Header, Reason
from streampy.model.plan import Plan, UnitPlan
from streampy.pipes.base import Cancelled
from streampy.run.backend import Backend
from streampy.run.call import Call
from streampy.run.crew import Crew
from streampy.run.event_loop import EventLoop
from streampy.run.gate import Gate
from streampy.run.gil import GilProbe
from streampy.run.in_loop import TaskMember
from streampy.run.in_thread import ThreadMember
from streampy.run.inlet import Inlet
from streampy.run.limits import Limits
from streampy.run.loop import Loop
from streampy.run.make import Elsewhere, make_unit
from streampy.run.member import Made, Member
from streampy.run.mourning import Undertaker
from streampy.run.outlet import Door, Outlet
from streampy.run.output import Output
from streampy.run.places.away import AwayMember
from streampy.run.places.doors import Opening, sealed_once
from streampy.run.places.wire import Role, SeatTerms
from streampy.run.pools import Pools
from streampy.run.segments.neighbours import Neighbours
from streampy.run.segments.wire import Part
from streampy.run.steering import Steering
from streampy.run.trouble import DeadLetters, Letters, Trouble
from streampy.run.tuning import TUNING
from streampy.run.turnstile import Turnstile
from streampy.run.watchdog import Watchdog
from streampy.run.worker import Worker

if TYPE_CHECKING:
    from streampy.pipes.channel import Channel
    from streampy.run.places.rooms import Rooms
    from streampy.run.places.stock import Stock
    from streampy.run.stats import PipeStats
    from streampy.run.trace.settings import TraceSettings
    from streampy.run.trace.tracer import Tracer

_ANSWER_WITHIN = 1.0
"""Seconds in which other OS processes have to tell how it stands there."""
_LAST_TRACES = 1.0
"""Seconds for the last traces."""
_log = logging.getLogger("streampy.run")


class InletDoor:
    """The end of a link at an input of a unit in this OS process."""

    def __init__(self, inlet: Inlet, port: str, loop: Loop | None) -> None:
        self._inlet = inlet
        self._port = port
        self._loop_entered = loop

    @property
    def is_full(self) -> bool:
        """See `Door.is_full`."""
        return self._inlet.pipes[self._port].batcher.is_full

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`."""
        return self._inlet.put(self._port, batch)

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        return self._inlet.put_one(self._port, header, value)

    def let_in(self, batch: Batch[Any]) -> int:
        """See `Entrance.let_in`."""
        return self._inlet.let_in(self._port, batch)

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        return await self._inlet.put_async(self._port, batch)

    def end(self) -> None:
        """See `Door.end`."""
        self._inlet.end(self._port)
        if self._loop_entered is not None:
            self._loop_entered.end()


class Segment:
    """The running parts of a plan. Nothing runs before `start`; `over` is set when every worker has left."""

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        part: Part | None = None,
        trace: TraceSettings | None = None,
        letters: Letters | None = None,
    ) -> None:
        """Part: where this runs one of several segments; `plan` is what that one runs.

        trace: what is traced. letters: see `streampy.run`.
        """
        self.plan = plan
        self.backend = backend
        self.over = backend.flag()
        self.at_end: list[Callable[[], object]] = []
        """Called before `over` is set."""
        self.ending = backend.flag()
        """The process is over, or is put out and will be soon."""
        self.stopping = backend.flag()
        """The process is put out."""
        self.sources_stopping = backend.flag()
        """The sources are to end; what they emitted goes on."""
        self.dead_letters = DeadLetters(also=letters)
        self.errors: list[RunError] = []
        self._watchdog = Watchdog(self._late, backend)
        self.undertaker = Undertaker(plan if part is None else part.plan)
        self.started = 0.0
        self._lock = backend.lock()
        self._crew_of: dict[str, Crew] = {}
        self.steering = Steering(self)
        self._loops = self._make_loops()
        self.rooms = backend.rooms(plan, self.steering.post)
        self._asking = Lock()
        self.inlets = {
            name: Inlet(unit, self.undertaker, self._loops.get(name), backend, self._stock_of(unit))
            for name, unit in plan.units.items()
            if unit.inputs and unit.not_fused and not self._is_fed(unit)
        }
        limited = [inlet for inlet in self.inlets.values() if inlet.limit < inf]
        self.limits = Limits(limited, backend.lock())
        self.neighbours = None if part is None else self._make_neighbours(part)
        self.tracer = None if trace is None else self._make_tracer(trace, part)
        for inlet in self.inlets.values() if self.limits.are_heard else ():
            inlet.count_by(self.limits.note)
        self.outputs = self._make_outputs()
        for name, inlet in self.inlets.items():
            for port in inlet.pipes if inlet.joiner is not None else ():
                self.undertaker.introduce(name, port, inlet)
        self.turnstiles = {
            name: Turnstile(inlet.orderer, backend.bell(inlet.lock), ahead=plan.units[name].spec.workers)
            for name, inlet in self.inlets.items()
            if inlet.orderer is not None
        }
        self.changed: dict[str, dict[str, object]] = {name: {} for name in plan.units}
        """Of each unit the settings that it was given since the start."""
        self.crews = {chain[0]: self._make_crew(chain) for chain in plan.chains}
        self._pools = Pools(list(self.crews.values()), self.hire, backend)
        self._loop = EventLoop(backend, plan.name)
        self.gil = GilProbe(lambda: self.members, list(self.inlets.values()), backend)
        self._unready = set(self.members)
        self._ready = backend.flag()
        self._is_cancelled = False
        self._is_ending = False
        self._is_meeting = self._is_given_up = False
        self._is_up = False
        """Whether all have started."""
        self.segment = "" if part is None else part.segment
        """Its name; "" where the process is not cut, or runs whole."""
        self.whole = plan if part is None else part.plan
        """What all segments run."""

    def __repr__(self) -> str:
        state = "over" if self.over.is_set() else "stopping" if self.stopping.is_set() else "running"
        return f"<Segment of {self.plan.name!r}: {state}, {len(self.at_work())} of {len(self.members)} workers at work>"

    def _make_neighbours(self, part: Part) -> Neighbours:
        arriving = [link for link in part.plan.crossings if link.receiver in self.plan.units]
        return Neighbours(
            part,
            doors={
                str(link): InletDoor(inlet, link.input, inlet.loop)
                for link in arriving
                if (inlet := self.inlets.get(link.receiver)) is not None
            },
            undertaker=self.undertaker,
            limits=self.limits,
            fail=self._neighbour_failed,
            over=self._end_if_over,
            backend=self.backend,
        )

    def _make_tracer(self, trace: TraceSettings, part: Part | None) -> Tracer:
        from streampy.run.trace.tracer import Tracer, TraceTerms  # noqa: PLC0415 - few are traced

        home = token_hex(4) if self.neighbours is None else self.neighbours.instance
        terms = TraceTerms(trace, self.plan.name, "" if part is None else part.segment, home)
        if self.rooms is not None:
            self.rooms.trace = terms
        return Tracer(terms, self.backend.now, self.backend.launch)

    @property
    def loop_thread(self) -> str:
        """The name of the thread in which the `async def` units run that live here."""
        return self._loop.thread

    @property
    def members(self) -> list[Member]:
        """The workers of all units."""
        return [member for crew in self.crews.values() for member in list(crew.members)]

    def crew_of(self, unit: str) -> Crew:
        """The workers that call this unit."""
        return self._crew_of[unit]

    def _make_loops(self) -> dict[str, Loop]:
        loops: dict[str, Loop] = {}
        for units in self.plan.loops:
            links = [link for link in self.plan.links if link.receiver in units and link.sender not in units]
            loop = Loop(max(1, len(links)))
            loops.update(dict.fromkeys(units, loop))
        return loops

    def _make_outputs(self) -> dict[str, Output]:
        outputs = {}
        for unit in self.plan.units.values():
            for port in unit.open_outputs:
                name = f"{unit.name}.{port}"
                outputs[name] = Output(
                    name, dict(self.plan.depths[unit.name, port]), self.backend, self.limits.ledger()
                )
                self.undertaker.introduce(unit.name, f">{port}", outputs[name])
        return outputs

    def _is_away(self, unit: UnitPlan) -> bool:
        """Whether its workers live in other OS processes."""
        return self.rooms is not None and unit.spec.is_away

    def _is_fed(self, unit: UnitPlan) -> bool:
        """Whether its pipe lies in another OS process, where it lives."""
        return self.rooms is not None and self.rooms.routes.is_fed(unit.name)

    def _stock_of(self, unit: UnitPlan) -> Stock | None:
        return self.rooms.stock if self.rooms is not None and unit.spec.is_away else None

    def _make_crew(self, chain: Sequence[str]) -> Crew:
        crew = Crew(
            [self.plan.units[name] for name in chain],
            make_unit=self._make_unit,
            make_call=self._make_call,
            make_member=self._make_member,
            inlet=self.inlets.get(chain[0]),
            turnstile=self.turnstiles.get(chain[0]),
            foreman=self,
            gate=Gate(self.backend.bell(self.backend.lock())),
            lock=self.backend.lock(),
        )
        self._crew_of.update(dict.fromkeys(chain, crew))
        return crew

    def _settings(self, unit: UnitPlan, index: int) -> dict[str, object]:
        """Of one worker, as they are now."""
        return unit.settings_of(index, self.changed[unit.name])

    def _make_unit(self, unit: UnitPlan, index: int) -> Made:
        return Elsewhere() if self._is_away(unit) else make_unit(unit, self._settings(unit, index))

    def _make_member(self, calls: list[Call], units: list[Made], **options: Any) -> Member:
        head = calls[0].plan
        if self.rooms is None or not head.spec.is_away:
            return (TaskMember if head.ports.is_async else ThreadMember)(calls, units, **options)
        return AwayMember(
            calls,
            units,
            room=self.rooms.of(head.name, calls[0].worker.index),
            terms=partial(self._terms, self.rooms, calls),
            is_asked=self.rooms.routes.is_asked(head),
            **options,
        )

    def _terms(self, rooms: Rooms, calls: Sequence[Call]) -> tuple[SeatTerms, list[Channel]]:
        """What a worker must know that goes to another OS process, and the channels that go with it."""
        roles = [Role.of(call, self._settings(call.plan, call.worker.index)) for call in calls]
        ways = frozenset(port for port, doors in calls[-1].outlet.doors.items() if doors)
        return rooms.terms(roles, ways)

    def _make_call(self, unit: UnitPlan, work: Callable[..., Any], index: int, before: Call | None) -> Call:
        if before is not None:
            return before.renewed(work)
        asked_to_stop = self.stopping if unit.inputs else self.sources_stopping
        worker = Worker(
            unit.name,
            index,
            unit.spec.workers,
            unit.device_of(index),
            asked_to_stop=asked_to_stop,
            clock=self.backend.now,
            post=self.steering.post,
        )
        outlet = Outlet(unit.name, self._doors(unit), self.undertaker, self.limits.ledger(), self.backend.now)
        trouble = Trouble(unit.on_error, worker, self.dead_letters)
        watch, tracer = self._watchdog, self.tracer
        return Call(unit, work, worker, trouble=trouble, outlet=outlet, watchdog=watch, tracer=tracer)

    def _doors(self, unit: UnitPlan) -> dict[str, list[Door]]:
        doors: dict[str, list[Door]] = {}
        for port, links in unit.receivers.items():
            found: list[Door] = []
            away: list[Door] = []
            for link in links:
                inlet = self.inlets.get(link.receiver)
                if self.neighbours is not None and link in self.neighbours.crossings:
                    crossing = self.neighbours.crossings[link]
                    found.append(Opening(crossing) if self._is_away(unit) else crossing)
                elif self.rooms is not None and link in self.rooms.routes.direct:
                    if not self.rooms.routes.leaves_there(link):
                        away.append(self.rooms.door(link, self.undertaker))
                elif inlet is not None:
                    entered = inlet.loop if inlet.loop is not self._loops.get(unit.name) else None
                    door = InletDoor(inlet, link.input, entered)
                    if self._is_away(inlet.plan):
                        away.append(door)
                    else:
                        found.append(Opening(door) if self._is_away(unit) else door)
            if not links:
                output = self.outputs[f"{unit.name}.{port}"]
                found.append(Opening(output) if self._is_away(unit) else output)
            if self.rooms is not None and len(away) > 1 and not self._is_away(unit):
                away = sealed_once(away, self.rooms.stock)
            doors[port] = found + away
        return doors

    def start(self, patience: float) -> bool:
        """Start every unit, then let the sources go. Returns when all are ready; False where one raised (`errors`).

        patience: seconds that the units may take to start. Raises Hung past it, naming the culprits.
        """
        self.started = self.backend.now()
        if self.tracer is not None:
            self.tracer.start()
        TUNING.begin()
        if any(unit.spec.timeout < inf for unit in self.plan.units.values()):
            self._watchdog.start()
        self.gil.start()
        self._launch_all(self.members)
        if not self.backend.wait_for(self._ready, self.backend.now() + patience):
            late = [member.worker.name for member in self.members if member.is_starting]
            self.cancel()
            raise Hung(late, f"did not start within {patience:g} s")
        if self.errors:
            return False
        if self.rooms is not None:
            self.rooms.settle()
        if self.neighbours is not None and not self._meet(patience):
            return False
        for crew in self.crews.values():
            crew.gate.open()
        self._pools.start()
        self._is_up = True
        return True

    def _meet(self, patience: float) -> bool:
        """Wait until there is somebody in each segment that this one dials; False where something failed meanwhile."""
        assert self.neighbours is not None, "only called for a part"  # noqa: S101 - narrows the type
        self._is_meeting = True
        if self._is_given_up and self.neighbours.dials:  # who is dialled waits for nobody, and drains
            raise RunError("put out before it began to wait for other segments")
        try:
            self.neighbours.start(patience)
        except Cancelled as error:
            if not self.errors:
                raise RunError(f"put out while it waited for other segments: {error}") from None
        finally:
            self._is_meeting = False
        return not self.errors

    def give_up(self) -> None:
        """Where it waits for other segments at its start, or is about to, it ends: there is nothing to be drained."""
        self._is_given_up = True
        if self._is_meeting:
            self.cancel()

    def _launch_all(self, members: Sequence[Member]) -> None:
        launched = 0
        try:
            for member in members:
                launched += 1
                self._launch(member)
        except BaseException:  # Ctrl-C, most of all: who was not launched will never tell that it has left
            self.cancel()
            for member in members[launched:]:
                self.left(member)
            raise

    def _launch(self, member: Member) -> None:
        if isinstance(member, TaskMember):
            self._loop.add(self.gil.seat_task(member), member.name)
        elif isinstance(member, AwayMember):  # its unit runs under another GIL
            self.backend.launch(member.main, member.name)
        else:
            self.backend.launch(self.gil.seat_thread(member), member.name)

    def hire(self, crew: Crew) -> None:
        """One worker more, for which there is load."""
        if self._is_cancelled or crew.is_down:
            return
        try:
            member = crew.hire()
        except UnitFailed as error:
            self.failed(error)
            return
        if member is not None:
            self._launch(member)

    def ready(self, member: Member) -> None:
        """See `Foreman.ready`."""
        with self._lock:
            self._unready.discard(member)
            if not self._unready:
                self._ready.set()

    def failed(self, error: RunError) -> None:
        """See `Foreman.failed`."""
        with self._lock:
            self.errors.append(error)
        if self.neighbours is not None:
            self.neighbours.fail(error)
        self.cancel()

    def _neighbour_failed(self, error: RunError) -> None:
        """Another segment has failed, and puts all of them out."""
        if not self._is_cancelled:
            self.failed(error)

    def _late(self, call: Call, error: Hung) -> None:
        """A worker does not come back from this call."""
        crew = self._crew_of[call.plan.name]
        hung = next(member for member in crew.members if member.at is call)
        crew.hung += 1
        hung.kill()
        if not self.died(hung, error):
            self.failed(error)

    def died(self, member: Member, error: BaseException) -> bool:
        """See `Foreman.died`."""
        crew = self._crew_of[member.head.plan.name]
        if self._is_cancelled or not crew.head.spec.on_crash.restarts:
            return False
        pause = crew.restarts.next(self.backend.now())
        if pause is None:
            limit = f"{crew.head.spec.on_crash.limit} times within a minute, which is its limit; it died of this again"
            died = WorkerDied(crew.head.name, member.name, f"it was restarted {limit}: {error!r}")
            died.__cause__ = error
            self.failed(died)
            return True
        member.worker.logger.warning("worker %s died, another one takes its place: %r", member.name, error)
        if member.hand is not None:
            member.hand.error = error
        try:
            heir = crew.replace(member)
        except UnitFailed as failure:
            self.failed(failure)
            return True
        with self._lock:
            if member in self._unready:  # it died before it had started, and the start waits for who comes now
                self._unready.remove(member)
                self._unready.add(heir)
        heir.pause = pause
        self._launch(heir)
        return True

    def renew(self, member: Member) -> tuple[list[Call], list[Made]]:
        """See `Foreman.renew`."""
        return self._crew_of[member.head.plan.name].make(member.worker.index)

    def left(self, member: Member) -> None:
        """See `Foreman.left`."""
        crew = self._crew_of[member.head.plan.name]
        if not crew.left(member):
            return
        if crew.inlet is not None:
            member.calls[0].outlet.ledger.ended(crew.inlet.retire(), Reason.DROPPED)
        member.calls[-1].outlet.end()
        with self._lock:
            present = [one for one in self.crews.values() if not one.has_left]
            if not any(isinstance(member, TaskMember) for one in present for member in one.members):
                self._loop.close()
        self._end_if_over()

    def _end_if_over(self) -> None:
        """All is over where all workers have left, and other segments have nothing of ours."""
        is_answered = self.neighbours is None or self._is_cancelled or self.neighbours.is_over
        with self._lock:
            if self._is_ending or not is_answered or not all(crew.has_left for crew in self.crews.values()):
                return
            self._is_ending = True
        TUNING.end()
        self._watchdog.close()
        self._pools.close()
        self.gil.close()
        if self.rooms is not None:
            self.rooms.close()
        if self.neighbours is not None:
            self.neighbours.close()
        for call in self.at_end:
            call()
        if self.tracer is not None:
            self.tracer.close(_LAST_TRACES)
        self.over.set()
        self.ending.set()

    def finish_sources(self) -> None:
        """Ask the sources to end; what they emitted goes on to its end."""
        self.sources_stopping.set()
        for crew in self.crews.values():
            crew.release()
            crew.gate.stop()
        if self.neighbours is not None:
            self.neighbours.finish()

    def cancel(self) -> None:
        """Send every worker home; what is under way stays where it is, and is counted as in flight."""
        with self._lock:
            if self._is_cancelled:
                return
            self._is_cancelled = True
        self.sources_stopping.set()
        self.stopping.set()
        for inlet in self.inlets.values():
            inlet.cancel()
        for turnstile in self.turnstiles.values():
            turnstile.cancel()
        for output in self.outputs.values():
            output.cancel()
        if self.neighbours is not None:
            self.neighbours.cancel()
        if self.rooms is not None:
            self.rooms.cancel()
        for crew in self.crews.values():
            crew.gate.stop()
        for member in self.members:
            member.cancel()
        self._pools.close()
        self.gil.close()
        self._ready.set()
        self.ending.set()
        self._loop.cancel()

    def ask_those_away(self) -> None:
        """Have those that are on their own in other OS processes tell how it stands; who does not answer, has not."""
        with self._asking:
            asked = [(one, one.report()) for one in self.members if isinstance(one, AwayMember)]
            until = self.backend.now() + _ANSWER_WITHIN
            for member, answer in asked:
                if answer is not None:
                    with suppress(CancelledError, TimeoutError):
                        member.reported(self.backend.result(answer, until))

    @property
    def state(self) -> str:
        """`starting`, `running`, `paused`, `draining`, `stopping`, `stopped` or `failed`."""
        if self.errors:
            return "failed"
        if self.over.is_set():
            return "stopped"
        if self._is_cancelled:
            return "stopping"
        if self.sources_stopping.is_set():
            return "draining"
        if not self._is_up:
            return "starting"
        sources = [crew for crew in self.crews.values() if not crew.head.inputs]
        return "paused" if sources and all(crew.is_held for crew in sources) else "running"

    @property
    def far_pipes(self) -> dict[str, PipeStats]:
        """Those that lie in other OS processes, as they were told last."""
        away = [member for member in self.members if isinstance(member, AwayMember)]
        return {name: pipe for member in away for name, pipe in member.pipes.items()}

    @property
    def is_cancelled(self) -> bool:
        """Whether the workers were sent home before they were done."""
        return self._is_cancelled

    def at_work(self) -> list[str]:
        """The units that are being called now, by workers that have not left."""
        return [member.worker.name for member in self.members if not member.has_left]

    @property
    def ledgers(self) -> list[Ledger]:
        """All accounts."""
        ledgers = [call.outlet.ledger for crew in self.crews.values() for call in crew.calls]
        away = [ledger for member in self.members if isinstance(member, AwayMember) for ledger in member.ledgers]
        far = [] if self.neighbours is None else self.neighbours.ledgers
        return [*ledgers, *away, *far, *(output.ledger for output in self.outputs.values())]

    @property
    def in_flight(self) -> int:
        """Items in pipes, joins, hands and outputs."""
        return (
            sum(inlet.waiting for inlet in self.inlets.values())
            + sum(member.in_hand for member in self.members)
            + sum(turnstile.held for turnstile in self.turnstiles.values())
            + sum(output.waiting for output in self.outputs.values())
            + (0 if self.rooms is None else self.rooms.sent)
            + (0 if self.neighbours is None else self.neighbours.in_flight)
            + sum(member.far for member in self.members if isinstance(member, AwayMember))
        )
