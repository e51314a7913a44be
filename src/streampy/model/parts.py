"""The programs that a plan is cut into, for whatever shows it: its segments, or it itself. Knows nothing of how."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streampy.model.place import SharedPipe
    from streampy.model.plan import Plan
    from streampy.model.segments import LinkSpec


class Parts:
    """What each segment runs, by its name; where the process is not cut, all of it, by no name."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.plans: Mapping[str, Plan] = {name: plan.of_segment(name) for name in plan.segments} or {"": plan}
        self.shared: Mapping[tuple[str, str], SharedPipe] = {
            end: pipe for part in self.plans.values() for end, pipe in part.shared_pipes.items()
        }
        """By unit and input, the pipes that items come to from another OS process of the segment."""

    def has_several_places(self, unit: str) -> bool:
        """Whether there are other OS processes where a unit lives."""
        return len(self.plans[self.plan.segment_of(unit)].places) > 1

    def wires_to(self, unit: str, port: str) -> dict[str, LinkSpec]:
        """By segment, what items come on to an input from other ones."""
        here = self.plan.segment_of(unit)
        senders = [self.plan.segment_of(link.sender) for link in self.plan.units[unit].inputs[port].links]
        return {there: self.plan.wire(there, here) for there in senders if there != here}
