"""The way into a unit: its pipes, the join behind them where it has one, and who is given what next.

Knows nothing of what is done with a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from streampy.errors import UnitFailed
from streampy.flow.batcher import Handed, Overloaded
from streampy.flow.families import Family, family
from streampy.flow.joiner import Joiner, JoinInput, Verdict
from streampy.flow.orderer import Orderer
from streampy.model.item import Batch, Header, Item, Reason, Tombstone
from streampy.model.pipe import Pipe
from streampy.model.plan import InputPlan, UnitPlan
from streampy.model.ports import Helping
from streampy.pipes.base import put_into_async, rung
from streampy.pipes.local import LocalPipe
from streampy.run.places.opened import opened

if TYPE_CHECKING:
    from streampy.run.backend import Backend
    from streampy.run.loop import Loop
    from streampy.run.mail import Mailbox
    from streampy.run.mourning import Undertaker
    from streampy.run.places.stock import Stock

_SETS_AT_ONCE = 16
_AT_ONCE = 256


@dataclass(slots=True)
class Taken:
    """What a worker is given: a batch, and the news of items that ended at the way in."""

    batch: Batch[Any]
    ticket: int | None = None
    lost: Sequence[tuple[Header, Reason]] = ()
    buried: Sequence[Tombstone] = ()
    late: Sequence[Header] = ()
    absorbed: Sequence[Header] = ()
    made: Sequence[Header] = ()
    done: Sequence[Header] = ()
    """See `Verdict`."""
    came: Sequence[float] | float | None = None
    """See `Handed.came`; None where nobody knows."""


class Inlet:
    """The inputs of one unit. Any thread may put; its workers get."""

    def __init__(
        self, plan: UnitPlan, undertaker: Undertaker, loop: Loop | None, backend: Backend, stock: Stock | None = None
    ) -> None:
        """Stock: what seals the values, where the unit's workers live in other OS processes."""
        self.plan = plan
        self._stock = stock
        self.loop = loop
        self._undertaker = undertaker
        self.lock = backend.lock()
        self._now = backend.now
        self._arrived = backend.bell(self.lock)
        self.pipes: Mapping[str, LocalPipe] = {
            name: LocalPipe(entry.pipe, max(1, len(entry.links)), self._arrived, self._now)
            for name, entry in plan.inputs.items()
        }
        self._only = next(iter(self.pipes.items()))
        """The input, where there is one."""
        self.batch = max(entry.pipe.batch for entry in plan.inputs.values())
        self.joiner = _joiner(plan)
        self._opens = stock is not None and self.joiner is not None and self.joiner.looks_into_values
        workers = plan.spec.workers
        self.orderer: Orderer[Any] | None = Orderer() if workers > 1 and plan.spec.ordered else None
        self._sets_at_once = 1 if workers > 1 else max(self.batch, _SETS_AT_ONCE)
        capacity = min(entry.pipe.capacity for entry in plan.inputs.values())
        self._appetite = self.batch if workers > 1 and stock is None else min(_AT_ONCE, capacity)
        """What is in a worker's hands must stay small beside what may wait."""
        self._share = max(1, workers)
        """Of what waits a worker takes no more than its share."""
        self._wraps = {name for name, entry in plan.inputs.items() if entry.port.helping is Helping.ITEM}
        self._is_finished = False
        self._is_held = False
        self.limit = min(entry.pipe.in_flight for entry in plan.inputs.values())
        """How many of the items that were given to the workers may be on their way at once, wherever they are."""
        self._inside: set[Family] = set()
        self.capacity = capacity
        """Items that its smallest pipe holds."""
        self._wakes: list[Callable[[], None]] = []
        self._note: Callable[[str, Header, int], None] | None = None
        self.taps: tuple[Callable[[str, Batch[Any]], None], ...] = ()
        """Are given what is handed over, and by which input, while somebody looks. Called with the lock held."""
        self._feedback = {name: sum(link.feedback for link in entry.links) for name, entry in plan.inputs.items()}
        if loop is not None:
            loop.at_rest.append(self._end_feedback)

    def __repr__(self) -> str:
        return f"<Inlet of {self.plan.name}: {', '.join(f'{name} {pipe!r}' for name, pipe in self.pipes.items())}>"

    @property
    def waiting(self) -> int:
        """How many items wait in the pipes and at the join."""
        with self.lock:
            waiting = sum(len(pipe.batcher) for pipe in self.pipes.values())
            return waiting + (0 if self.joiner is None else len(self.joiner))

    def count_by(self, note: Callable[[str, Header, int], None]) -> None:
        """Have it counted by `Limits.note` that items are not over while a set of them waits at the join."""
        if self.joiner is not None and self.joiner.is_of_items:
            self._note = note
            self.joiner.began = lambda header: note("held", header, 1)

    def counted(self, taken: Taken) -> None:
        """All that ended at the way in, or was made there, is counted."""
        if self._note is not None:
            for header in taken.done:
                self._note("let go", header, 1)

    def wake_by(self, wake: Callable[[], None]) -> None:
        """Have this called when the next item comes, once; the same one is kept once."""
        with self.lock:
            if wake not in self._wakes:
                self._wakes.append(wake)

    def put(self, port: str, batch: Batch[Any], until: float = inf) -> list[Header]:
        """Put a batch into a pipe, waiting for room; returns the headers that the pipe dropped, their joins told."""
        values = batch if self._stock is None else self._stock.seal(batch, until)
        batch = Batch(values, batch.headers)  # a unit that changes what it is given changes only its own
        if self.loop:
            self.loop.enter(len(batch))
        try:
            return self._after_put(port, self.pipes[port].put(batch, until))
        except Overloaded:
            raise self._overload(port, batch) from None

    def put_one(self, port: str, header: Header, value: Any) -> list[Header]:
        """As `put`, for one item: the short way."""
        if self._stock is not None:
            (value,) = self._stock.seal((value,))
        if self._enters(port, header, value):
            return []
        return self.put(port, Batch([value], [header]))

    def let_in(self, port: str, batch: Batch[Any]) -> int:
        """Take those in front where that needs no waiting and drops nothing; returns how many were taken."""
        if self._stock is not None or self.loop is not None or self._wakes:
            return 0
        return self.pipes[port].let_in_some(batch)

    def _enters(self, port: str, header: Header, value: Any) -> bool:
        return self.loop is None and not self._wakes and self.pipes[port].let_in(header, value)

    async def put_async(self, port: str, batch: Batch[Any]) -> list[Header]:
        """As `put`, for a task of the event loop."""
        values = batch if self._stock is None else await self._stock.seal_async(batch)
        batch = Batch(values, batch.headers)  # as above
        if self.loop:
            self.loop.enter(len(batch))
        try:
            return self._after_put(port, await put_into_async(self.pipes[port], batch))
        except Overloaded:
            raise self._overload(port, batch) from None

    def _overload(self, port: str, batch: Batch[Any]) -> UnitFailed:
        """An overload is an error where the settings of the pipe say so."""
        return overload(self.plan.name, port, self.plan.inputs[port].pipe, batch)

    def _after_put(self, port: str, dropped: list[Header]) -> list[Header]:
        if self._wakes:
            with self.lock:
                wakes, self._wakes = self._wakes, []
            for wake in wakes:
                wake()
        if dropped:
            where = f"{self.plan.name}.{port}"
            for header in dropped:
                self.miss(port, Tombstone(header, Reason.DROPPED, where))
            if self.loop:
                self.loop.leave(len(dropped))
        return dropped

    def miss(self, port: str, tombstone: Tombstone) -> None:
        """An item ended in a pipe of this unit: tell its own join, or those that wait further down."""
        if self.joiner is not None:
            self.bury(port, tombstone, 1)
        else:
            self._undertaker.bury(self.plan.name, tombstone)

    def bury(self, port: str, tombstone: Tombstone, ways: int) -> None:
        """See `Mourning.bury`."""
        if self.joiner is not None:
            with self.lock:
                self.joiner.bury(port, tombstone, ways, self._now())
                self._arrived.ring()

    def close(self, port: str, header: Header, count: int, ways: int) -> None:
        """See `Mourning.close`."""
        if self.joiner is not None:
            with self.lock:
                self.joiner.close(port, header, count, ways, self._now())
                self._arrived.ring()

    def get(self, mail: Mailbox, appetite: float = 1.0) -> Taken | None:
        """What to work on next, waited for; None when nothing will come any more. Raises Cancelled.

        mail: where there is some, an empty batch comes at once. appetite: how many items a worker that is quick may be
        given at once, although its unit did not ask for batches.
        """
        with self.lock:
            while True:
                if mail:
                    return Taken(Batch())
                taken, until = self._poll(self._now(), appetite)
                if taken is not None or until is None:
                    return taken
                try:
                    self._arrived.wait(until)
                except TimeoutError:
                    continue

    def has_due(self) -> bool:
        """Whether there is something to be taken now, so that `get` would not wait. For who joins nothing."""
        with self.lock:
            return not self._is_held and self._only[1].due() <= self._now()

    async def get_async(self, mail: Mailbox, appetite: float = 1.0) -> Taken | None:
        """As `get`, for a task of the event loop."""
        loop = asyncio.get_running_loop()
        while True:
            with self.lock:
                if mail:
                    return Taken(Batch())
                taken, until = self._poll(self._now(), appetite)
                if taken is not None or until is None:
                    return taken
                ringing = self._arrived.ringing(loop)
            try:
                await rung(ringing, until)
            except TimeoutError:
                continue

    def _poll(self, now: float, appetite: float = 1.0) -> tuple[Taken | None, float | None]:
        """What there is, or until when to wait, or (None, None) at the end. The lock is held."""
        if self._is_held:
            for pipe in self.pipes.values():
                pipe.due()  # raises where the process is being stopped
            return None, inf
        if self.joiner is not None:
            return self._poll_join(self.joiner, now)
        name, pipe = self._only
        due = pipe.due() if len(self._inside) < self.limit else _never(pipe)
        if due > now:
            return None, None if pipe.has_ended and not len(pipe.batcher) else due
        at_most = max(self.batch, int(min(appetite, self._appetite, len(pipe.batcher) / self._share)))
        handed = pipe.take(now, min(at_most, self.limit - len(self._inside)))
        for tap in self.taps:
            tap(name, handed.batch)
        if self.limit < inf:
            self._inside.update(map(family, handed.batch.headers))
        taken = Taken(handed.batch, came=handed.came)
        if handed.stale:
            where = f"{self.plan.name}.{name}"
            taken.lost = [(header, Reason.EXPIRED) for header in handed.stale]
            taken.buried = [Tombstone(header, Reason.EXPIRED, where) for header in handed.stale]
        if self.orderer is not None:
            taken.ticket = self.orderer.draw()
        return taken, 0.0

    def _poll_join(self, joiner: Joiner, now: float) -> tuple[Taken | None, float | None]:
        lost: list[tuple[Header, Reason]] = []
        is_behind = joiner.has_ripe  # then what waits stays in its pipe, so that a full one holds its senders
        soonest = inf
        for name, pipe in self.pipes.items():
            pipe.due()
            if is_behind:
                continue
            handed = pipe.take(now, inf) if pipe.batcher.due(is_last=True) <= now else Handed(Batch(), ())
            for tap in self.taps:
                tap(name, handed.batch)
            soonest = min(soonest, pipe.batcher.due(is_last=True))  # later than now where the pipe has a rate
            wrap = name in self._wraps
            for header, value in zip(handed.batch.headers, handed.batch, strict=True):
                if self._opens:
                    value = opened(value)  # noqa: PLW2901 - the same value, to be looked into
                joiner.add(name, header, Item(value, header) if wrap else value, now)
            for header in handed.stale:
                joiner.bury(name, Tombstone(header, Reason.EXPIRED, f"{self.plan.name}.{name}"), 1, now)
                lost.append((header, Reason.EXPIRED))
        has_ended = not is_behind and all(
            pipe.has_ended and not len(pipe.batcher) for name, pipe in self.pipes.items() if self._ends_with(name)
        )
        if has_ended and not self._is_finished:
            self._is_finished = True
            joiner.finish()
        if joiner.due() > now and not lost:
            return None, None if has_ended and not len(joiner) else min(joiner.due(), soonest)
        verdict = joiner.take(now, self._sets_at_once)
        return self._taken(verdict, lost), 0.0

    def _taken(self, verdict: Verdict, lost: list[tuple[Header, Reason]]) -> Taken:
        batch = Batch([one.values for one in verdict.joined], [one.header for one in verdict.joined])
        lost.extend(verdict.lost)
        taken = Taken(batch, None, lost, verdict.buried, verdict.late, verdict.absorbed, verdict.made, verdict.done)
        if self.orderer is not None:
            taken.ticket = self.orderer.draw()
        return taken

    def _ends_with(self, name: str) -> bool:
        """Whether the unit ends only when this input has ended: not for the newest value of something."""
        return self.plan.inputs[name].port.helping is not Helping.LATEST

    def done(self, taken: Taken) -> None:
        """All that a batch gave was put where it belongs."""
        if self.loop:
            self.loop.leave(len(taken.batch) + len(taken.lost) + len(taken.absorbed) - len(taken.made))

    def ended(self, families: Sequence[Family]) -> None:
        """See `Listener.ended`."""
        with self.lock:
            if not self._inside.isdisjoint(families):
                self._inside.difference_update(families)
                self._arrived.ring()

    def hold(self) -> None:
        """Give nothing more to the workers, until `release`."""
        with self.lock:
            self._is_held = True

    def release(self) -> None:
        """Go on."""
        with self.lock:
            self._is_held = False
            self._arrived.ring()

    def knock(self) -> None:
        """Wake the workers that wait, so that they read their mail."""
        with self.lock:
            self._arrived.ring()

    def end(self, port: str) -> None:
        """A sender of this input has ended."""
        self.pipes[port].end()

    def _end_feedback(self) -> None:
        for name, links in self._feedback.items():
            for _ in range(links):
                self.end(name)

    def retire(self) -> list[Header]:
        """The unit has ended: what still waits or comes (at a `Latest` input) is dropped; returns what waited."""
        dropped = [header for pipe in self.pipes.values() for header in pipe.retire()]
        if self.loop:
            self.loop.leave(len(dropped))
        return dropped

    def cancel(self) -> None:
        """The process is being stopped."""
        for pipe in self.pipes.values():
            pipe.cancel()


def _joiner(plan: UnitPlan) -> Joiner | None:
    if plan.join is None:
        return None
    inputs = {name: _join_input(name, entry, plan) for name, entry in plan.inputs.items()}
    return Joiner(plan.name, plan.join, inputs, ordered=plan.spec.ordered)


def _join_input(name: str, entry: InputPlan, plan: UnitPlan) -> JoinInput:
    assert plan.join is not None, "only called for a join"  # noqa: S101 - narrows the type
    return JoinInput(name, entry.port.optional, name in plan.join.gathers, name in plan.join.latest)


def _never(pipe: LocalPipe) -> float:
    """When a batch is to be taken: not now. Raises Cancelled."""
    pipe.due()
    return inf


def overload(unit: str, port: str, pipe: Pipe, batch: Batch[Any]) -> UnitFailed:
    """The error of a pipe that may not overflow."""
    why = f"the pipe {unit}.{port} is full ({pipe.capacity} items), and its overflow is `fail`"
    return UnitFailed(unit, batch.headers[0].key, unit, why)
