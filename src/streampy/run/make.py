"""Makes the units of a process: one object for each worker.

Knows nothing of what they are linked to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from streampy.errors import UnitFailed
from streampy.model.plan import UnitPlan
from streampy.model.unit import Unit


@dataclass(frozen=True, slots=True)
class FunctionUnit:
    """A function with its settings, as a unit that has nothing to start or stop."""

    work: Callable[..., Any]

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


def make_unit(plan: UnitPlan) -> FunctionUnit | Unit:
    """A fresh unit with its settings. Raises UnitFailed where its `__init__` raises."""
    use = plan.spec.use
    if not isinstance(use, type):
        return FunctionUnit(partial(use, **plan.settings) if plan.settings else use)
    try:
        made: Unit = use(**plan.settings)
    except Exception as error:
        error.add_note(f"raised while unit {plan.name!r} was made")
        raise UnitFailed(plan.name, "", plan.name, f"{type(error).__name__}: {error}") from error
    return made
