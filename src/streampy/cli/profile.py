"""`streampy run --profile`: where the time of a process goes, and what more workers of its slowest unit would bring.

Knows nothing of how it is measured; `bench` and `profiled` do.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import redirect_stdout
from math import inf
from typing import TYPE_CHECKING, Any, Final

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    from streampy.cli.benched import Measured
    from streampy.cli.profiled import Profiled
    from streampy.model.plan import Plan

WORKERS: Final = (1, 2, 4)
"""Of the slowest unit."""
_HOLDS: Final = 0.5
"""Of its busy time: who holds the GIL for longer gets an OS process for each worker, or more of them bring nothing."""
_FEW: Final = 20
"""Calls: of fewer nothing is concluded."""


class NoCurve(Exception):
    """Why more workers are not tried."""


def profile(file: str, plan: Plan, arguments: argparse.Namespace, settings: dict[str, Any]) -> Exit:
    """Run it, tell where the time went, then run it again for each number of workers."""
    from streampy.cli.profile_text import write_curve, write_profile  # noqa: PLC0415 - only here anybody profiles

    seconds = inf if arguments.seconds is None else arguments.seconds
    profiled, signalled = _measure(file, plan, seconds, arguments)
    code = _failed(profiled, arguments, signalled)
    if profiled.measured is None or code != Exit.OK:
        return code
    if not arguments.json:
        sys.stdout.write(write_profile(profiled.measured, profiled.seen))
        sys.stdout.flush()
    curve: list[tuple[int, Measured]] = []
    why = ""
    unit = ""
    try:
        unit = slowest(profiled.measured)
        curve, code = _curve(file, unit, profiled, arguments, settings)
    except NoCurve as error:
        why = str(error)
    if arguments.json:
        print(json.dumps({"exit": code, "profile": facts(profiled), "slowest": unit, "curve": _points(curve)}))
    elif code == Exit.OK:
        sys.stdout.write(f"\nno scaling curve: {why}\n" if why else write_curve(unit, curve))
    return code


def slowest(measured: Measured) -> str:
    """The unit that limits it, or else the busiest one behind the sources. Raises NoCurve."""
    shares = {name: share for name, share in measured.shares.items() if measured.plan.units[name].inputs}
    limits = [name for name in measured.finding.units if name in shares]
    found = limits[0] if limits else max(shares, key=lambda name: shares[name].busy, default="")
    if not found:
        raise NoCurve("there is no unit behind the sources")
    if measured.plan.units[found].ports.is_stream:
        raise NoCurve(f"{found} takes the whole stream, so several workers would each see a part of it")
    if measured.after.units[found].work.count < _FEW:
        raise NoCurve(f"{found} was called less than {_FEW} times: measure for longer")
    return found


def _curve(
    file: str, unit: str, profiled: Profiled, arguments: argparse.Namespace, settings: dict[str, Any]
) -> tuple[list[tuple[int, Measured]], Exit]:
    """What was measured with so many workers; and the code of the first run that did not end well."""
    assert profiled.measured is not None, "only called for what was measured"  # noqa: S101 - narrows the type
    measured = profiled.measured
    found: list[tuple[int, Measured]] = []
    seconds = inf if arguments.seconds is None else arguments.seconds
    for count in WORKERS:
        plan = _with_workers(file, unit, count, measured, settings)
        again, signalled = _measure(file, plan, seconds, arguments)
        code = _failed(again, arguments, signalled)
        if code != Exit.OK or again.measured is None:
            return found, code
        found.append((count, again.measured))
    return found, Exit.OK


def _with_workers(file: str, unit: str, count: int, measured: Measured, settings: dict[str, Any]) -> Plan:
    """The plan with so many workers of the unit. Raises NoCurve where it can't have them."""
    from streampy.errors import ProcessError  # noqa: PLC0415 - as above
    from streampy.model.load import load_plan  # noqa: PLC0415
    from streampy.model.sendable import reference_of  # noqa: PLC0415

    spec, share = measured.plan.units[unit].spec, measured.shares[unit]
    changed: dict[str, Any] = {f"{unit}.workers": count}
    if not spec.is_away and share.gil > _HOLDS * share.busy and reference_of(spec) and not spec.within:
        changed[f"{unit}.place"] = "own"
    try:
        with redirect_stdout(sys.stderr):
            return load_plan(file, set={**settings, **changed}, set_by="--set")
    except ProcessError as error:
        raise NoCurve(f"{unit} can't have {count} workers: {error.problems[0].message}") from error


def _measure(file: str, plan: Plan, seconds: float, arguments: argparse.Namespace) -> tuple[Profiled, str]:
    from streampy.cli.profiled import Profiled  # noqa: PLC0415 - as above
    from streampy.cli.run import _run  # noqa: PLC0415
    from streampy.cli.system import System  # noqa: PLC0415

    system = System({})
    profiled = Profiled(file, plan, system.events, seconds=seconds, drain_timeout=arguments.drain_timeout)
    system.processes.append(profiled)
    # The time is counted from when all units have started, and nobody has started it who could tell it anything.
    watching = argparse.Namespace(seconds=None, drain_timeout=arguments.drain_timeout, control=None, obey=None)
    return profiled, _run(system, watching)


def _failed(profiled: Profiled, arguments: argparse.Namespace, signalled: str) -> Exit:
    """Tell what went wrong, and give the code that says it."""
    from streampy.cli.failure import exit_code, show_failure  # noqa: PLC0415 - as above
    from streampy.cli.signals import INTERRUPTED  # noqa: PLC0415

    for error in profiled.errors:
        show_failure(error, profiled.file, whole=arguments.debug)
    if profiled.errors:
        return exit_code(profiled.errors)
    return Exit.INTERRUPTED if signalled == INTERRUPTED else Exit.OK


def facts(profiled: Profiled) -> dict[str, Any]:
    """All that was measured, for machines."""
    from dataclasses import asdict  # noqa: PLC0415 - only with --json

    from streampy.cli.facts import facts_of_run  # noqa: PLC0415
    from streampy.cli.profile_text import cpu_of_units  # noqa: PLC0415

    measured = profiled.measured
    found = facts_of_run(profiled)
    if measured is not None:
        found |= {
            "seconds": measured.seconds,
            "shares": {unit: asdict(share) for unit, share in measured.shares.items()},
            "cpu": dict(cpu_of_units(measured, profiled.seen)),
            "places": {name: asdict(used) for name, used in profiled.seen.places.items()},
            "limit": {**asdict(measured.finding), "limit": measured.finding.limit.value},
        }
    return found


def _points(curve: list[tuple[int, Measured]]) -> list[dict[str, Any]]:
    return [{"workers": count, "items": one.rate, "seconds": one.seconds, "cores": one.cores} for count, one in curve]
