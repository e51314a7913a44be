"""Units that live together in one OS process: built from the plan, started, watched, stopped.

Knows nothing of the user's side of it; `running` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any

from streampy.errors import Hung, RunError
from streampy.flow.ledger import Ledger
from streampy.model.item import Batch, Header
from streampy.model.plan import Plan, UnitPlan
from streampy.run.backend import Backend
from streampy.run.call import Call
from streampy.run.gate import Gate
from streampy.run.in_loop import TaskMember
from streampy.run.in_thread import ThreadMember
from streampy.run.inlet import Inlet
from streampy.run.loop import Loop
from streampy.run.make import make_unit
from streampy.run.member import Member
from streampy.run.mourning import Undertaker
from streampy.run.outlet import Door, Outlet
from streampy.run.output import Output
from streampy.run.trouble import DeadLetters, Trouble
from streampy.run.tuning import TUNING
from streampy.run.turnstile import Turnstile
from streampy.run.watchdog import Watchdog
from streampy.run.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator


class InletDoor:
    """The end of a link at an input of a unit in this OS process."""

    def __init__(self, inlet: Inlet, port: str, loop: Loop | None) -> None:
        self._inlet = inlet
        self._port = port
        self._loop_entered = loop

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`."""
        return self._inlet.put(self._port, batch)

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

    def __init__(self, plan: Plan, backend: Backend) -> None:
        self.plan = plan
        self.backend = backend
        self.over = backend.flag()
        self.gate = Gate(backend.bell(Lock()))
        self.stopping = backend.flag()
        """The process is put out."""
        self.sources_stopping = backend.flag()
        """The sources are to end; what they emitted goes on."""
        self.dead_letters = DeadLetters()
        self.errors: list[RunError] = []
        self._watchdog = Watchdog(self.failed, backend)
        self.undertaker = Undertaker(plan)
        self.started = 0.0
        self._lock = Lock()
        self._loops = self._make_loops()
        self.inlets = {
            name: Inlet(unit, self.undertaker, self._loops.get(name), backend)
            for name, unit in plan.units.items()
            if unit.inputs and unit.not_fused
        }
        self.outputs = self._make_outputs()
        for name, inlet in self.inlets.items():
            for port in inlet.pipes if inlet.joiner is not None else ():
                self.undertaker.introduce(name, port, inlet)
        self.turnstiles = {
            name: Turnstile(inlet.orderer, backend.bell(inlet.lock), ahead=plan.units[name].spec.workers)
            for name, inlet in self.inlets.items()
            if inlet.orderer is not None
        }
        self.members: list[Member] = [member for chain in plan.chains for member in self._make_members(chain)]
        self._unready = len(self.members)
        self._working = len(self.members)
        self._left_of = {chain[0]: plan.units[chain[0]].spec.workers for chain in plan.chains}
        self._ready = backend.flag()
        self._is_cancelled = False
        self._on_cancel: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        state = "over" if self.over.is_set() else "stopping" if self.stopping.is_set() else "running"
        return f"<Segment of {self.plan.name!r}: {state}, {self._working} of {len(self.members)} workers at work>"

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
                outputs[name] = Output(name, dict(self.plan.depths[unit.name, port]), self.backend)
                self.undertaker.introduce(unit.name, f">{port}", outputs[name])
        return outputs

    def _make_members(self, chain: Sequence[str]) -> Iterator[Member]:
        head = self.plan.units[chain[0]]
        for index in range(head.spec.workers):
            units = [make_unit(self.plan.units[name]) for name in chain]
            calls = [
                self._make_call(self.plan.units[name], unit.work, index)
                for name, unit in zip(chain, units, strict=True)
            ]
            made = TaskMember if head.ports.is_async else ThreadMember
            yield made(
                calls,
                units,
                inlet=self.inlets.get(head.name),
                turnstile=self.turnstiles.get(head.name),
                foreman=self,
                gate=self.gate,
            )

    def _make_call(self, unit: UnitPlan, work: Callable[..., Any], index: int) -> Call:
        asked_to_stop = self.stopping if unit.inputs else self.sources_stopping
        worker = Worker(unit.name, index, unit.spec.workers, asked_to_stop=asked_to_stop)
        outlet = Outlet(unit.name, self._doors(unit), self.undertaker, self.backend.now)
        trouble = Trouble(unit.on_error, worker, self.dead_letters)
        return Call(unit, work, worker, trouble=trouble, outlet=outlet, watchdog=self._watchdog)

    def _doors(self, unit: UnitPlan) -> dict[str, list[Door]]:
        doors: dict[str, list[Door]] = {}
        for port, links in unit.receivers.items():
            found: list[Door] = []
            for link in links:
                inlet = self.inlets.get(link.receiver)
                if inlet is not None:
                    entered = inlet.loop if inlet.loop is not self._loops.get(unit.name) else None
                    found.append(InletDoor(inlet, link.input, entered))
            if not links:
                found.append(self.outputs[f"{unit.name}.{port}"])
            doors[port] = found
        return doors

    def start(self, patience: float) -> bool:
        """Start every unit, then let the sources go. Returns when all are ready; False where one raised (`errors`).

        patience: seconds that the units may take to start. Raises Hung past it, naming the culprits.
        """
        self.started = self.backend.now()
        TUNING.begin()
        if any(unit.spec.timeout < inf for unit in self.plan.units.values()):
            self._watchdog.start()
        tasks = [member for member in self.members if isinstance(member, TaskMember)]
        if tasks:
            self._launch_loop(tasks)
        for member in self.members:
            if isinstance(member, ThreadMember):
                self.backend.launch(member.main, member.name)
        if not self.backend.wait_for(self._ready, self.backend.now() + patience):
            late = [member.worker.name for member in self.members if member.is_starting]
            self.cancel()
            raise Hung(late, f"did not start within {patience:g} s")
        if self.errors:
            return False
        self.gate.open()
        return True

    def _launch_loop(self, tasks: Sequence[TaskMember]) -> None:
        async def run_all() -> None:
            loop = asyncio.get_running_loop()
            running = [loop.create_task(task.main(), name=f"streampy {task.name}") for task in tasks]

            def cancel_all() -> None:
                for one in running:
                    one.cancel()

            def cancel_soon() -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(cancel_all)

            with self._lock:
                self._on_cancel.append(cancel_soon)
                if self._is_cancelled:
                    cancel_soon()
            await asyncio.gather(*running, return_exceptions=True)

        def main() -> None:
            with asyncio.Runner(loop_factory=self.backend.event_loop()) as runner:
                runner.run(run_all())

        self.backend.launch(main, f"{self.plan.name} loop")

    def ready(self) -> None:
        """See `Foreman.ready`."""
        with self._lock:
            self._unready -= 1
            if self._unready <= 0:
                self._ready.set()

    def failed(self, error: RunError) -> None:
        """See `Foreman.failed`."""
        with self._lock:
            self.errors.append(error)
        self.cancel()

    def left(self, member: Member) -> None:
        """See `Foreman.left`."""
        head = member.head.plan.name
        with self._lock:
            self._left_of[head] -= 1
            is_last = not self._left_of[head]
        if is_last:
            if member.inlet is not None:
                member.inlet.retire()
            member.calls[-1].outlet.end()
        with self._lock:
            self._working -= 1
            if self._working:
                return
        TUNING.end()
        self._watchdog.close()
        self.over.set()

    def finish_sources(self) -> None:
        """Ask the sources to end; what they emitted goes on to its end."""
        self.sources_stopping.set()
        self.gate.stop()

    def cancel(self) -> None:
        """Send every worker home; what is under way stays where it is, and is counted as in flight."""
        with self._lock:
            if self._is_cancelled:
                return
            self._is_cancelled = True
            on_cancel = list(self._on_cancel)
        self.sources_stopping.set()
        self.stopping.set()
        for inlet in self.inlets.values():
            inlet.cancel()
        for turnstile in self.turnstiles.values():
            turnstile.cancel()
        for output in self.outputs.values():
            output.cancel()
        self.gate.stop()
        self._ready.set()
        for tell in on_cancel:
            tell()

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
        ledgers = [call.outlet.ledger for member in self.members for call in member.calls]
        return [*ledgers, *(output.ledger for output in self.outputs.values())]

    @property
    def in_flight(self) -> int:
        """Items in pipes, joins, hands and outputs."""
        return (
            sum(inlet.waiting for inlet in self.inlets.values())
            + sum(member.in_hand for member in self.members)
            + sum(turnstile.held for turnstile in self.turnstiles.values())
            + sum(output.waiting for output in self.outputs.values())
        )
