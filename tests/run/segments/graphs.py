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


def heavy(x: int, *, size: int) -> tuple[int, bytes]:
    """With so many bytes."""
    return x, bytes(size)


def light(x: tuple[int, bytes]) -> int:
    return x[0]


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
    size: int = 0,
    segment: dict[str, Any] | None = None,
    link: dict[str, Any] | None = None,
) -> sp.Process:
    """Edge: numbers, result. core: work, who. size: bytes that go with each number."""
    process = sp.Process("relay").add("numbers", numbers, count=count, pause=pause)
    if size:
        process.add("heavy", heavy, from_="numbers", size=size).add("light", light, from_="heavy")
    process.add("work", work, from_="light" if size else "numbers", pause=work_pause)
    process.add("fail", fail, from_="work", at=fail_at)
    process.add("who", who, from_="fail")
    if joins:
        process.add("result", meet, from_={"x": "numbers", "y": "who"})
    else:
        process.add("result", same, from_="who")
    near, far = (["heavy"], ["light"]) if size else ([], [])
    process.segment("edge", "numbers", *near, "result")
    process.segment("core", *far, "work", "fail", "who", **(segment or {}))
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


def sink(*, count: int, work_pause: float = 0.0, link: dict[str, Any] | None = None) -> sp.Process:
    """Edge: numbers. core: what comes there, which nothing goes back of."""
    process = sp.Process("sink").add("numbers", numbers, count=count, pause=0.0)
    process.add("result", take, from_="numbers", pause=work_pause)
    return process.segment("edge", "numbers").segment("core", "result").link("edge", "core", **(link or {}))


def take(x: int, *, pause: float) -> int:
    """The same, in some time."""
    sp.worker().sleep(pause)
    return x


def frames(*, count: int, size: int, link: dict[str, Any] | None = None) -> sp.Process:
    """Edge: images and what came back of them. core: turns them upside down."""
    process = sp.Process("frames").add("images", images, count=count, size=size)
    process.add("turn", turn, from_="images").add("result", describe, from_="turn")
    process.segment("edge", "images", "result").segment("core", "turn")
    return process.link("edge", "core", **(link or {}))


def images(*, count: int, size: int) -> Iterator[bytes]:
    for number in range(count):
        yield bytes([number]) * size


def turn(image: bytes) -> bytes:
    return image[::-1] + b"!"


def describe(image: bytes) -> tuple[int, int]:
    return image[0], len(image)


def total(*, count: int, pause: float = 0.0, link: dict[str, Any] | None = None, replicas: int = 1) -> sp.Process:
    """Edge: numbers, result. core: their sum, once all have come."""
    process = sp.Process("total").add("numbers", numbers, count=count, pause=pause)
    process.add("add", add, from_="numbers").add("result", take, from_="add", pause=0.0)
    process.segment("edge", "numbers", "result").segment("core", "add", replicas=replicas)
    return process.link("edge", "core", **(link or {}))


def add(xs: Iterator[int]) -> Iterator[int]:
    yield sum(xs)


def three(*, count: int, via: str, dial: str = "", ack: str = "processed") -> sp.Process:
    """Edge: numbers, result. core: doubles, asked by way of a broker. gpu: who, which the core dials."""
    process = sp.Process("three").add("numbers", numbers, count=count, pause=0.001).add("work", work, from_="numbers")
    process.add("who", who, from_="work").add("result", meet, from_={"x": "numbers", "y": "who"})
    process.segment("edge", "numbers", "result").segment("core", "work").segment("gpu", "who")
    process.link("edge", "core", via=via, ack=ack).link("edge", "gpu", via=via, ack=ack)
    return process.link("core", "gpu", **({"dial": dial} if dial else {"via": via}))


def pairs(*, count: int, link: dict[str, Any] | None = None) -> sp.Process:
    """Edge: the same numbers up and down. core: puts those together, so the first ones wait for the last ones."""
    process = sp.Process("pairs").add("up", keyed, count=count).add("down", keyed, count=count, turned=True)
    process.add("pair", pair, from_={"one": "up", "other": "down"}, join=sp.Join(key="id"))
    process.segment("edge", "up", "down").segment("core", "pair")
    return process.link("edge", "core", **(link or {}))


def keyed(*, count: int, turned: bool = False) -> Iterator[dict[str, int]]:
    for number in range(count)[:: -1 if turned else 1]:
        yield {"id": number, "pid": os.getpid()}


def pair(one: dict[str, int], other: dict[str, int]) -> tuple[int, int]:
    return one["id"], other["id"]
