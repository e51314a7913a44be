"""Makes units fail where a test wants them to, without touching them.

Knows nothing of how the process is run: what it gives is a plan like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from itertools import count
from typing import Any

from streampy.errors import StreamPyError
from streampy.model.check import make_plan
from streampy.model.plan import Plan, UnitPlan
from streampy.model.ports import Emits
from streampy.model.process import Process
from streampy.model.suggest import did_you_mean

Faults = Mapping[str, Mapping[int, Exception]]
"""For each unit: at its how-manieth call (from 1, all its workers together) it raises what."""


def with_faults(process: Process | Plan, faults: Faults) -> Plan:
    """The process, with units that raise: `{"detect": {3: ValueError("x")}}` at the third call of `detect`.

    A further try is a call too. A source raises in place of its n-th value; a unit that takes the whole stream, where
    it asks for its n-th item. What this gives can be simulated, and run:

    >>> import streampy as sp
    >>> def double(number: int) -> int:
    ...     return 2 * number
    >>> process = sp.Process("doubles").add("double", double, on_error="skip")
    >>> with sp.run(with_faults(process, {"double": {2: ValueError("no")}})) as running:
    ...     for number in range(3):
    ...         running.push("double", number)
    ...     running.drain()
    ...     print(list(running.stream("double")))
    [0, 4]

    Raises StreamPyError for a unit that is not there, or lives in another OS process, which can't import what is made
    here (`simulate` has all in one place, so its `faults` may be those of any unit); ProcessError for a process that is
    not sound.
    """
    plan = faulty_plan(process, faults)
    for name in filter(faults.get, faults):
        spec = plan.units[name].spec
        if spec.is_away:
            raise StreamPyError(
                f"faults: {name!r} has `place: {spec.place}`, and another OS process can't import a unit that is made"
                " to fail here: place it `main` for this test, or give the faults to `simulate`, which has all in one"
                " place"
            )
    return plan


def faulty_plan(process: Process | Plan, faults: Faults) -> Plan:
    """The process with its faults, where all of it runs in this OS process. Raises as `with_faults`."""
    plan = make_plan(process) if isinstance(process, Process) else process
    for name in faults:
        if name not in plan.units:
            raise StreamPyError(f"faults: there is no unit {name!r}{did_you_mean(name, plan.units)}")
    return replace(plan, units={name: _faulty(unit, faults.get(name, {})) for name, unit in plan.units.items()})


def _faulty(unit: UnitPlan, faults: Mapping[int, Exception]) -> UnitPlan:
    if not faults:
        return unit
    use = unit.spec.use
    numbers = count(1)

    def step() -> None:
        error = faults.get(next(numbers))
        if error is not None:
            raise error

    if isinstance(use, type):
        made = type(use.__name__, (use,), {"work": _wrapped(use.work, unit, step, first=1)})  # type: ignore[attr-defined]
        made.__module__, made.__qualname__ = use.__module__, use.__qualname__
        return replace(unit, spec=replace(unit.spec, use=made))
    return replace(unit, spec=replace(unit.spec, use=_wrapped(use, unit, step, first=0)))


def _wrapped(work: Callable[..., Any], unit: UnitPlan, step: Callable[[], None], first: int) -> Callable[..., Any]:
    """The same work; `first` is the place of its first input among the arguments."""
    ports = unit.ports

    @wraps(work)
    def faulty(*values: Any, **settings: Any) -> Any:
        if ports.is_stream:
            stream = (_each_async if ports.is_async else _each)(values[first], step)
            return work(*values[:first], stream, **settings)
        if ports.is_source and ports.emits is Emits.MANY:
            return (_each_async if ports.is_async else _each)(work(*values, **settings), step)
        step()
        return work(*values, **settings)

    return faulty


def _each(values: Any, step: Callable[[], None]) -> Iterator[Any]:
    iterator = iter(values)
    try:
        for value in iterator:
            step()
            yield value
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


async def _each_async(values: Any, step: Callable[[], None]) -> AsyncIterator[Any]:
    iterator = aiter(values)
    try:
        async for value in iterator:
            step()
            yield value
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
