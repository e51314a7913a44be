"""The three ways in which a unit can be run inside one OS process: fused, in threads of its own, in the event loop."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

import streampy as sp

WAYS = ("fused", "threads", "async")


class Way:
    """Adds units to a process such that they run in this way."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def process(self, *units: Any, **options: Any) -> sp.Process:
        """A chain of units named `a`, `b`, `c`, ...; `b={...}` gives options of `add` for one of them."""
        process = sp.Process("test")
        before = None
        for name, unit in zip("abcdefghijklmnopqrstuvwxyz", units, strict=False):
            self.add(process, name, unit, from_=before, **options.get(name, {}))
            before = name
        return process

    def add(self, process: sp.Process, name: str, unit: Any, /, **options: Any) -> None:
        if self.name == "threads" and options.get("from_") is not None:
            options.setdefault("pipe", {"capacity": 64})
        if self.name == "async":
            unit = as_async(unit)
        process.add(name, unit, **options)


def as_async(unit: Any) -> Any:
    """The same unit as `async def`."""
    if not inspect.isclass(unit):
        return _async_function(unit)
    made = type(unit.__name__, (unit,), {"work": _async_function(unit.work)})
    made.__module__ = unit.__module__
    return made


def _async_function(function: Callable[..., Any]) -> Callable[..., Any]:
    takes_stream = any("Iterator" in str(hint) for name, hint in function.__annotations__.items() if name != "return")
    if takes_stream:
        pytest.skip("a unit that takes a whole stream waits for it: as `async def` it is written differently")
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        async def generate(*values: Any, **settings: Any) -> Any:
            for value in function(*values, **settings):
                yield value

        return generate

    @functools.wraps(function)
    async def call(*values: Any, **settings: Any) -> Any:
        return function(*values, **settings)

    return call


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


@pytest.fixture(params=["threads", "async"])
def way_with_pipes(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)
