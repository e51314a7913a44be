"""The workers of one chain of fused units: who is there, who is hired, sent home, or takes the place of a dead one.

Knows nothing of other chains, nor of when the number is to change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

from streampy.flow.restarts import Restarts
from streampy.model.plan import UnitPlan
from streampy.run.call import Call
from streampy.run.gate import Gate
from streampy.run.inlet import Inlet
from streampy.run.member import Foreman, Made, Member
from streampy.run.turnstile import Turnstile

MakeCall = Callable[[UnitPlan, Callable[..., Any], int, Call | None], Call]
"""Makes the call of a unit for the worker at a place; the last argument is the one that was made there before."""

MakeMember = Callable[..., Member]
"""Makes a worker, with the arguments of `Member`."""


class Crew:
    """All workers of a chain. What they count stays when they leave: it belongs to their place."""

    def __init__(
        self,
        chain: Sequence[UnitPlan],
        *,
        make_unit: Callable[[UnitPlan, int], Made],
        make_call: MakeCall,
        make_member: MakeMember,
        inlet: Inlet | None,
        turnstile: Turnstile | None,
        foreman: Foreman,
        gate: Gate,
        lock: AbstractContextManager[None],
    ) -> None:
        self.chain = chain
        self.inlet = inlet
        self.gate = gate
        self.restarts = Restarts(chain[0].spec.on_crash)
        self.is_held = False
        self.is_down = False
        """Whether its units are stopped, until they are started again."""
        self.replaced = self.hung = 0
        """Workers that died and whose place another one took; those of them that did not come back."""
        self._turnstile = turnstile
        self._foreman = foreman
        self._make_unit = make_unit
        self._make_call = make_call
        self._make_member = make_member
        self._lock = lock
        self._calls: dict[int, list[Call]] = {}
        self.most = self.places
        """How many workers run at the most."""
        self.least = self.most - self.head.spec.spare
        """How many always run."""
        self._present = self.least
        self.members = [self._seat(index) for index in range(self.least)]
        """Those that were not sent home; after the end, those that were there last."""

    def __repr__(self) -> str:
        return f"<Crew of {self.head.name}: {len(self.members)} workers, {self.least} to {self.most}>"

    @property
    def head(self) -> UnitPlan:
        """The first unit of the chain."""
        return self.chain[0]

    @property
    def places(self) -> int:
        """How many workers it has room for."""
        return self.head.spec.workers

    @property
    def calls(self) -> list[Call]:
        """Those of all places, also where nobody is now."""
        return [call for calls in list(self._calls.values()) for call in calls]

    @property
    def has_left(self) -> bool:
        """Whether no worker is left."""
        return not self._present

    def _seat(self, index: int, before: Member | None = None) -> Member:
        calls, units = self.make(index)
        return self._make_member(
            calls,
            units,
            inlet=self.inlet,
            turnstile=self._turnstile,
            foreman=self._foreman,
            gate=self.gate,
            before=before,
        )

    def make(self, index: int) -> tuple[list[Call], list[Made]]:
        """Units for a place, and their calls. Raises UnitFailed where the `__init__` of one raises."""
        units = [self._make_unit(plan, index) for plan in self.chain]
        before: Sequence[Call | None] = self._calls.get(index) or [None] * len(units)
        places = zip(self.chain, units, before, strict=True)
        calls = [self._make_call(plan, unit.work, index, call) for plan, unit, call in places]
        self._calls[index] = calls
        return calls, units

    def hire(self) -> Member | None:
        """One more worker, to be launched; None where all places are taken, or the chain has ended."""
        with self._lock:
            taken = {member.worker.index for member in self.members}
            free = [index for index in range(self.places) if index not in taken]
            if not free or not self._present:
                return None
            self._present += 1
        try:
            member = self._seat(free[0])
        except BaseException:
            with self._lock:
                self._present -= 1
            raise
        self.members.append(member)
        return member

    def dismiss(self, count: int) -> None:
        """Send workers home, those that have nothing to do first."""
        with self._lock:
            staying = [member for member in self.members if not member.is_dismissed]
            leaving = sorted(staying, key=lambda member: (member.in_hand > 0, -member.worker.index))
            for member in leaving[: max(0, min(count, len(staying) - self.least))]:
                member.dismiss()

    @property
    def count(self) -> int:
        """How many workers there are that were not sent home."""
        return sum(not member.is_dismissed for member in list(self.members))

    def replace(self, dead: Member) -> Member:
        """A worker that takes the place of a dead one, and what it had in its hands; to be launched."""
        member = self._seat(dead.worker.index, before=dead)
        with self._lock:
            self.members[self.members.index(dead)] = member
            self.replaced += 1
        return member

    def left(self, member: Member) -> bool:
        """The worker is gone; returns whether it was the last one. One that was replaced is not missed."""
        with self._lock:
            if member not in self.members:
                return False
            if member.is_dismissed:
                self.members.remove(member)
            self._present -= 1
            return not self._present

    def hold(self) -> None:
        """Take nothing more, until `release`."""
        self.is_held = True
        self.gate.close() if self.inlet is None else self.inlet.hold()

    def put_down(self) -> list[Future[None]]:
        """Stop the units, until `release`; who waits knows when they have stopped. It is held already."""
        self.is_down = True
        return [member.put_down() for member in list(self.members)]

    def take_up(self) -> list[Future[None]]:
        """Make the units anew where they are stopped; who waits knows when they have started."""
        was_down, self.is_down = self.is_down, False
        return [member.take_up() for member in list(self.members)] if was_down else []

    def release(self) -> None:
        """Go on."""
        self.is_held = False
        self.take_up()
        self.gate.open() if self.inlet is None else self.inlet.release()

    def by_unit(self) -> Iterator[tuple[UnitPlan, list[Call]]]:
        """Each unit with its calls at all places."""
        for number, plan in enumerate(self.chain):
            yield plan, [calls[number] for calls in list(self._calls.values())]
