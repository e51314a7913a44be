"""A unit that joins its inputs, as one that is given the tuple of its arguments: what was joined once is not again.

Knows nothing of where the tuples come from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from streampy.errors import StreamPyError
from streampy.model.pipe import Pipe
from streampy.model.plan import InputPlan, UnitPlan
from streampy.model.ports import InputPort

ARGUMENTS = "arguments"
"""The only input of such a unit."""


def spread(unit: UnitPlan) -> UnitPlan:
    """The unit without its join. Raises StreamPyError where it lives in another OS process, which can't import it."""
    if unit.spec.is_away:
        raise StreamPyError(
            f"{unit.name!r} joins its inputs, so its dead letters can only be given back to it in main: "
            f"--set {unit.name}.place=main"
        )
    port = InputPort(ARGUMENTS, Any)
    return replace(
        unit,
        spec=replace(unit.spec, use=_given_tuples(unit.spec.use)),
        ports=replace(unit.ports, inputs={ARGUMENTS: port}),
        inputs={ARGUMENTS: InputPlan(port, Pipe(), configured=True, links=())},
        join=None,
    )


def _given_tuples(use: Any) -> Any:
    return _class(use) if isinstance(use, type) else _function(use)


def _function(use: Callable[..., Any]) -> Callable[..., Any]:
    def work(arguments: tuple[Any, ...], **settings: Any) -> Any:
        return use(*arguments, **settings)

    return work


def _class(use: Any) -> type:
    def work(self: Any, arguments: tuple[Any, ...]) -> Any:
        return use.work(self, *arguments)

    return type(use.__name__, (use,), {"work": work, "__module__": use.__module__, "__qualname__": use.__qualname__})
