"""Which links lead straight into another OS process, past the main one, so that this has no part in their items.

Knows nothing of channels. All else goes through the main OS process: what several workers share, what is to outlive a
worker, what is joined, and what is counted as a family. So a short way is never needed; it only costs less.
"""

from __future__ import annotations

from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, final

from streampy.model.pipe import Then
from streampy.model.ports import Helping

if TYPE_CHECKING:
    from streampy.model.plan import Link, Plan, UnitPlan


@final
class Routes:
    """Those of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._head = {unit: chain[0] for chain in plan.chains for unit in chain}

    @cached_property
    def direct(self) -> frozenset[Link]:
        """The links whose pipe lies where their receiver lives."""
        if self._is_limited:
            return frozenset()
        units = self._plan.units
        here = (link for link in self._plan.links if link.sender in units and link.receiver in units)
        return frozenset(link for link in here if self._takes_straight(units[link.receiver]))

    def is_fed(self, unit: str) -> bool:
        """Whether the pipe of a unit lies where it lives."""
        return unit in self._fed

    @cached_property
    def _fed(self) -> frozenset[str]:
        return frozenset(link.receiver for link in self.direct)

    def is_on_its_own(self, head: UnitPlan) -> bool:
        """Whether a worker goes on without the main OS process: a source, or one that others give to straight."""
        is_given_to = bool(head.inputs) and not self.is_fed(head.name)
        return not self._is_limited and not is_given_to and self._stands_alone(head)

    def is_asked(self, head: UnitPlan) -> bool:
        """Whether only a worker itself knows how it stands: it is on its own, or sends straight to others."""
        if self.is_on_its_own(head):
            return True
        chain = next(chain for chain in self._plan.chains if chain[0] == head.name)
        links = (link for several in self._plan.units[chain[-1]].receivers.values() for link in several)
        return any(self.leaves_there(link) for link in links)

    def leaves_there(self, link: Link) -> bool:
        """Whether the items of a direct link are sent from where its sender lives; else the main OS process sends."""
        return link in self.direct and self._stands_alone(self._plan.units[self._head[link.sender]])

    def stays_there(self, link: Link) -> bool:
        """Whether both ends of a direct link lie in one OS process."""
        return self._plan.place_of(link.sender, 0) == self._plan.place_of(link.receiver, 0)

    @cached_property
    def _is_limited(self) -> bool:
        limits = [entry.pipe.in_flight for unit in self._plan.units.values() for entry in unit.inputs.values()]
        return min(limits, default=inf) < inf

    def _takes_straight(self, unit: UnitPlan) -> bool:
        if len(unit.inputs) != 1 or not unit.not_fused or unit.join is not None or not self._stands_alone(unit):
            return False
        (entry,) = unit.inputs.values()
        is_plain = len(entry.links) == 1 and entry.port.helping is not Helping.LATEST
        return is_plain and not any(unit.name in loop for loop in self._plan.loops)

    def _stands_alone(self, unit: UnitPlan) -> bool:
        """Whether it has one worker, elsewhere, with whose OS process all ends."""
        spec = unit.spec
        chain = next(chain for chain in self._plan.chains if chain[0] == unit.name)
        keeps = any(self._plan.units[one].on_error.then is Then.DEAD_LETTER for one in chain)
        return spec.is_away and spec.workers == 1 and not spec.on_crash.restarts and not keeps
