"""Processes in two segments that are run as real OS processes: what begins at the edge is worked on in the core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import streampy as sp
from streampy.model.check import make_plan
from streampy.model.plan import Plan
from streampy.model.segments import Tls


def numbers(*, count: int, pause: float) -> Iterator[int]:
    for number in range(count):
        if pause and sp.worker().sleep(pause):
            return
        yield number


def work(x: int, *, pause: float = 0.0) -> int:
    """Twice as much; in some time."""
    if pause:
        sp.worker().sleep(pause)
    return 2 * x


def who(x: int) -> tuple[int, int]:
    """The number, and the OS process that it came through."""
    return x, os.getpid()


def fail(x: int, *, at: int) -> int:
    if x == at:
        raise ValueError(f"no {x}")
    return x


def meet(x: int, y: tuple[int, int] | None) -> tuple[int, Any]:
    return x, y


def relay(
    *,
    count: int = 1000,
    pause: float = 0.0,
    work_pause: float = 0.0,
    fail_at: int = -1,
    joins: bool = False,
    segment: dict[str, Any] | None = None,
    link: dict[str, Any] | None = None,
) -> sp.Process:
    """Edge: numbers, result. core: work, who."""
    process = sp.Process("relay").add("numbers", numbers, count=count, pause=pause)
    process.add("work", work, from_="numbers", pause=work_pause).add("fail", fail, from_="work", at=fail_at)
    process.add("who", who, from_="fail")
    if joins:
        process.add("result", meet, from_={"x": "numbers", "y": "who"})
    else:
        process.add("result", same, from_="who")
    process.segment("edge", "numbers", "result").segment("core", "work", "fail", "who", **(segment or {}))
    return process.link("edge", "core", **(link or {}))


def same(x: tuple[int, int]) -> tuple[int, int]:
    return x


def two_sides(*, listener: dict[str, Any], dialler: dict[str, Any], count: int) -> Plan:
    """As `relay`; each end has its own idea of tokens and certificates, so what the process says is not checked."""
    plan = make_plan(relay(count=count))
    core = replace(plan.segments["core"], **_given(listener))
    wires = tuple(replace(wire, **_given(dialler)) for wire in plan.wires)
    return replace(plan, segments={**plan.segments, "core": core}, wires=wires)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, **({"tls": Tls(**options["tls"])} if "tls" in options else {})}
