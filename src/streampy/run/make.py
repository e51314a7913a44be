"""Makes the units of a process: one object for each worker.

Knows nothing of what they are linked to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def change(self, **settings: Any) -> None:
        """The next call is made with other settings."""
        assert isinstance(self.work, partial), "what has settings is called with them"  # noqa: S101 - narrows the type
        self.work.keywords.update(settings)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Stands for a unit that is made, started, called and stopped in another OS process."""

    def start(self) -> None:
        """Nothing here."""

    def stop(self) -> None:
        """Nothing here."""

    def change(self, **settings: Any) -> None:
        """Nothing here."""

    def work(self, *values: Any) -> None:
        """Not called."""


def make_unit(plan: UnitPlan, settings: Mapping[str, object]) -> FunctionUnit | Unit:
    """A fresh unit with these settings. Raises UnitFailed where its `__init__` raises."""
    use = plan.spec.use
    if not isinstance(use, type):
        return FunctionUnit(partial(use, **settings) if plan.ports.settings else use)
    try:
        made: Unit = use(**settings)
    except Exception as error:
        error.add_note(f"raised while unit {plan.name!r} was made")
        raise UnitFailed(plan.name, "", plan.name, f"{type(error).__name__}: {error}") from error
    return made
