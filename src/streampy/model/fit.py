"""Whether what is said of a unit fits it: workers, policies, pipes; what would have no effect is told, not ignored.

Knows nothing of links, nor of settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streampy.model.pipe import OnError
from streampy.model.ports import Helping

if TYPE_CHECKING:
    from streampy.errors import Problem
    from streampy.model.plan import UnitPlan


def check_fit(unit: UnitPlan) -> Iterator[Problem]:
    """All that does not fit."""
    yield from _workers(unit)
    yield from _policies(unit)
    yield from _pipes(unit)


def _workers(unit: UnitPlan) -> Iterator[Problem]:
    spec = unit.spec
    if spec.workers < 1:
        yield spec.problem(f"got {spec.workers}, expected at least 1 worker", "workers")
    elif not 0 <= spec.spare < spec.workers:
        got = f"min {spec.workers - spec.spare} and max {spec.workers}"
        yield spec.problem(f"got {got} workers, expected at least 1, and `min` not above `max`", "workers")
    if spec.workers > 1 and unit.ports.is_stream and spec.ordered:
        yield spec.problem(
            f"{spec.workers} workers can't keep the order of a unit that takes an Iterator[T]: "
            f"set `ordered: false`, or 1 worker",
            "workers",
        )
    if spec.spare and not unit.inputs:
        yield spec.problem("a source has no pipe whose load the workers could follow: give one number", "workers")


def _policies(unit: UnitPlan) -> Iterator[Problem]:
    spec = unit.spec
    if not unit.ports.is_stream:
        return
    whole = "a unit that takes an Iterator[T] works on the whole stream"
    if spec.on_crash.restarts:
        yield spec.problem(
            f"{whole}, so it can't be restarted in the middle of it: "
            f"take one item or a Batch[T], or set `on_crash: stop`",
            "on_crash",
        )
    if spec.on_error != OnError():
        yield spec.problem(
            f"{whole}, so there is no item that could be skipped or tried again when it raises: "
            f"catch the error in the unit, or remove the key",
            "on_error",
        )
    if spec.has_timeout:
        yield spec.problem(f"{whole}, so there is no single call that could be late: remove the key", "timeout")


def _pipes(unit: UnitPlan) -> Iterator[Problem]:
    spec = unit.spec
    if not unit.inputs:
        for key in (key for key, said in {"pipe": spec.pipe or spec.pipes, "join": spec.join}.items() if said):
            yield spec.problem(f"{spec.used_as} is a source, nothing comes to it: remove the key", key)
        return
    if spec.join and len(unit.inputs) == 1 and next(iter(unit.inputs.values())).port.helping is not Helping.LIST:
        yield spec.problem(f"{spec.used_as} has one input, so there is nothing to join: remove the key", "join")
    for name, entry in unit.inputs.items():
        single = spec.pipes.get(name, {})
        if entry.pipe.wait and entry.pipe.batch == 1 and "wait" in {**spec.pipe, **single}:
            where = ("pipe", name, "wait") if "wait" in single else ("pipe", "wait")
            yield spec.problem("nothing waits for a fuller batch where a batch is 1 item: add `batch: 8`", *where)
