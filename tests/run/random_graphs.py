"""Any graph: units of every kind, linked and configured at random, and how to run one to its end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

from hypothesis import strategies as st

import streampy as sp
from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.plan import Plan
from streampy.model.process import UnitSpec

BRIEFLY = 0.01
"""Seconds: about what a unit takes; on threads a tenth of it."""


@dataclass
class Mood:
    """What a unit does with a value, by the value alone: so its results don't depend on who comes first."""

    pause: float = 0.0
    nothing: int = 0
    """Every so many values it gives nothing (0: never)."""
    fails: int = 0
    """Every so many values it raises (0: never)."""
    dies: int = 0
    """Every so many values it ends its worker (0: never)."""
    recovers: bool = False
    """Whether it raises or dies once only on each value, so that a further try succeeds."""
    scale: float = 1.0
    failed: set[Any] = field(default_factory=set)

    def rest(self) -> float:
        return self.pause * self.scale

    def is_nothing(self, value: int) -> bool:
        return self.nothing > 0 and value % self.nothing == 0

    def judge(self, value: int) -> None:
        if self.fails and value % self.fails == self.fails - 1 and not (self.recovers and value in self.failed):
            self.failed.add(value)
            raise ValueError(f"no {value}")
        if self.dies and value % self.dies == 1 and not (self.recovers and ("died", value) in self.failed):
            self.failed.add(("died", value))
            sys.exit(f"died of {value}")

    def meet(self, value: int) -> None:
        sp.worker().sleep(self.rest()) if self.pause else None
        self.judge(value)

    async def meet_async(self, value: int) -> None:
        await asyncio.sleep(self.rest())
        self.judge(value)

    def one(self, value: int) -> int | None:
        self.meet(value)
        return None if self.is_nothing(value) else value + 1


class Ways(sp.Outputs):
    left: int
    right: int


class Parts(sp.Outputs):
    crops: Iterator[int]
    whole: int


def numbers(*, mood: Any, count: int) -> Iterator[int]:
    for number in range(count):
        sp.worker().sleep(mood.rest())
        yield number


async def numbers_async(*, mood: Any, count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(mood.rest())
        yield number


def numbers_in_batches(*, mood: Any, count: int) -> Iterator[sp.Batch[int]]:
    for number in range(0, count, 3):
        sp.worker().sleep(mood.rest())
        yield sp.Batch(range(number, min(count, number + 3)))


def numbers_apart(*, mood: Any, count: int) -> Iterator[Ways]:
    for number in range(count):
        yield Ways(left=number) if mood.is_nothing(number) else Ways(left=number, right=number)


def same(x: int, *, mood: Any) -> int | None:
    return mood.one(x)


async def same_async(x: int, *, mood: Any) -> int | None:
    await mood.meet_async(x)
    return None if mood.is_nothing(x) else x + 1


def same_item(x: sp.Item[int], *, mood: Any) -> int | None:
    return mood.one(x.value)


class Same(sp.Unit):
    def __init__(self, *, mood: Any) -> None:
        self.mood = mood
        self.is_open = False

    def start(self) -> None:
        self.is_open = True

    def stop(self) -> None:
        assert self.is_open
        self.is_open = False

    def work(self, x: int) -> int | None:
        assert self.is_open
        return self.mood.one(x)


def split(x: int, *, mood: Any) -> Ways:
    mood.meet(x)
    return Ways(left=x) if mood.is_nothing(x) else Ways(left=x, right=x + 1)


def cut(x: int, *, mood: Any) -> Iterator[int]:
    for part in range(x % 4):
        mood.meet(x + part)
        yield x + part


async def cut_async(x: int, *, mood: Any) -> AsyncIterator[int]:
    for part in range(x % 4):
        await mood.meet_async(x + part)
        yield x + part


def cut_apart(x: int, *, mood: Any) -> Iterator[Ways]:
    for part in range(x % 3):
        mood.meet(x + part)
        yield Ways(right=x) if mood.is_nothing(x + part) else Ways(left=x + part, right=x)


def find(x: int, *, mood: Any) -> Parts:
    mood.meet(x)
    return Parts(crops=range(x % 3)) if mood.is_nothing(x) else Parts(crops=range(x % 3), whole=x)


def collect(x: list[int], *, mood: Any) -> int | None:
    return mood.one(sum(x))


def meet(x: int, y: int, *, mood: Any) -> int | None:
    return mood.one(x + y)


async def meet_async(x: int, y: int, *, mood: Any) -> int | None:
    return await same_async(x + y, mood=mood)


def tolerate(x: int, y: int | None, *, mood: Any) -> int | None:
    return mood.one(x if y is None else x + y)


def gather(x: int, y: list[int], *, mood: Any) -> int | None:
    return mood.one(x + sum(y))


def gather_maybe(x: int | None, y: list[int] | None, *, mood: Any) -> Iterator[int]:
    mood.meet(x or 0)
    yield from (x or 0, sum(y or ()))


def with_newest(x: int, y: sp.Latest[int], *, mood: Any) -> int | None:
    return mood.one(x if y is None else x + y)


def in_batches(x: sp.Batch[int], *, mood: Any) -> sp.Batch[int | None]:
    return sp.Batch([mood.one(value) for value in x])


async def in_batches_async(x: sp.Batch[int], *, mood: Any) -> sp.Batch[int | None]:
    return sp.Batch([await same_async(value, mood=mood) for value in x])


def stream(x: Iterator[int], *, mood: Any) -> Iterator[int]:
    for value in x:
        sp.worker().sleep(mood.rest())
        if not mood.is_nothing(value):
            yield value


async def stream_async(x: AsyncIterator[int], *, mood: Any) -> AsyncIterator[int]:
    async for value in x:
        await asyncio.sleep(mood.rest())
        if not mood.is_nothing(value):
            yield value


def sink(x: int, *, mood: Any) -> None:
    mood.meet(x)


def turn(x: int, *, mood: Any) -> int | None:
    mood.meet(x)
    return None if mood.is_nothing(x) else x


def back(x: int, *, mood: Any) -> int | None:
    mood.meet(x)
    return None if x < 2 else x // 2


def probe(x: sp.Item[int]) -> tuple[sp.Header, int]:
    """What comes out, with its identity."""
    return x.header, x.value


SOURCES = (numbers, numbers, numbers_async, numbers_in_batches, numbers_apart)
STREAMS = (stream, stream_async)
MORTALS = (same, same_async, same_item, Same, split, cut, cut_async, collect, meet, tolerate, gather, in_batches)
DROPPING = ["drop_oldest", "drop_newest", "latest"]
RESTART = sp.OnCrash(then="restart", backoff=BRIEFLY / 10, backoff_most=BRIEFLY, limit=100_000)
UNITS = (
    *(same, same, same_async, same_item, Same, split, cut, cut_async, cut_apart, find, collect, meet, meet_async),
    *(tolerate, gather, gather, gather_maybe, with_newest, in_batches, in_batches_async, *STREAMS, sink),
)


@dataclass
class Graph:
    """A sound process, and what can be said about it."""

    plan: Plan
    moods: list[Mood]
    is_calm: bool
    """Whether what comes out does not depend on who comes first."""
    may_fail: bool

    def __repr__(self) -> str:
        empty = UnitSpec(name="", use=None, used_as="")
        plain = {setting.name: getattr(empty, setting.name) for setting in fields(UnitSpec)}
        lines = []
        for unit in self.plan.units.values():
            told = {name: getattr(unit.spec, name) for name in plain if getattr(unit.spec, name) != plain[name]}
            for name in ("name", "use", "used_as", "settings", "links", "origin"):
                told.pop(name, None)
            lines.append(f"{unit.name}: {told} {dict(unit.spec.settings)}")
        return "\n".join([*lines, *map(str, self.plan.links)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - as hypothesis calls it
        del cycle
        printer.text(repr(self))

    @property
    def ordered_outputs(self) -> list[str]:
        """The probes behind which everything is in order."""
        return [name for name in self.plan.units if name.startswith("probe") and self._is_ordered(name)]

    def _is_ordered(self, name: str) -> bool:
        unit = self.plan.units[name]
        links = [entry.links for entry in unit.inputs.values() if entry.port.helping.name != "LATEST"]
        if (unit.spec.workers > 1 and not unit.spec.ordered) or any(len(several) != 1 for several in links):
            return False
        if unit.join and (unit.join.settings.key != "ancestor" or not unit.spec.ordered):
            return False
        return all(self._is_ordered(link.sender) for several in links for link in several)


@st.composite
def moods(draw: st.DrawFn) -> Mood:
    return Mood(
        pause=draw(st.sampled_from([0.0, 0.0, BRIEFLY, 3 * BRIEFLY])),
        nothing=draw(st.sampled_from([0, 0, 2, 3, 1])),
        fails=draw(st.sampled_from([0, 0, 0, 3, 5])),
        dies=draw(st.sampled_from([3, 4])),
        recovers=draw(st.booleans()),
    )


ON_ERROR = [
    sp.OnError(then="skip"),
    sp.OnError(then="dead_letter"),
    sp.OnError(retry=2, then="skip", backoff=BRIEFLY / 10),
    sp.OnError(retry=1, then="dead_letter", backoff=BRIEFLY / 10),
]


@st.composite
def pipes(draw: st.DrawFn, *, is_calm: bool) -> dict[str, Any]:
    capacity = draw(st.sampled_from([1, 1, 2, 5, 64]))
    given: dict[str, Any] = {"capacity": capacity, "batch": draw(st.integers(1, min(4, capacity)))}
    if given["batch"] > 1:
        given["wait"] = draw(st.sampled_from([0.0, 0.0, BRIEFLY]))
    given["in_flight"] = draw(st.sampled_from([inf] * 6 + [1, 2, 3]))
    given["rate"] = draw(st.sampled_from([inf, inf, inf, 1 / BRIEFLY]))
    if not is_calm:
        words = ["block"] * 4 + DROPPING + (["fail"] if draw(st.integers(0, 5)) == 0 else [])
        given["overflow"] = draw(st.sampled_from(words))
        given["stale"] = draw(st.sampled_from([inf] * 4 + [BRIEFLY * 2]))
        given["order"] = draw(st.sampled_from(["fifo", "fifo", "priority"]))
    return given


@st.composite
def joins(draw: st.DrawFn, *, may_fail: bool) -> dict[str, Any]:
    return {
        "wait": draw(st.sampled_from([inf, 0.0, BRIEFLY])),
        "late": draw(st.sampled_from(["partial", "partial", "drop"] + (["error"] if may_fail else []))),
        "capacity": draw(st.sampled_from([0, 0, 1, 3])),
        "key": draw(st.sampled_from(["ancestor", "ancestor", "seq"])),
    }


@st.composite
def options(draw: st.DrawFn, use: Any, inputs: int, *, is_calm: bool, may_fail: bool) -> dict[str, Any]:
    """How a unit is configured."""
    given: dict[str, Any] = {"on_error": draw(st.sampled_from(ON_ERROR))}
    if use in STREAMS or (may_fail and draw(st.integers(0, 4)) == 0):
        given["on_error"] = "stop"
    if draw(st.booleans()):
        given["pipe"] = draw(pipes(is_calm=is_calm))
    if inputs > 1 and not is_calm and draw(st.booleans()):
        given["join"] = draw(joins(may_fail=may_fail))
    if use not in STREAMS:
        given["workers"] = draw(st.sampled_from([1, 1, 2, 3, {"min": 1, "max": 3}]))
        given["ordered"] = draw(st.booleans())
        given["timeout"] = draw(st.sampled_from([inf, inf, 60.0]))
    if use in MORTALS and draw(st.integers(0, 3)) == 0:
        given["on_crash"] = RESTART
    return given


def _may_not_try_again(use: Any, given: dict[str, Any]) -> bool:
    """Whether it depends on who comes first if a unit that raises once is tried again with the same item."""
    cannot = (cut, cut_async, cut_apart, in_batches, in_batches_async)
    return use in cannot or not getattr(given["on_error"], "retry", 0)


class Drawn:
    """A graph that is being drawn, unit by unit; what could not be linked so is left out."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.is_calm = draw(st.booleans())
        self.may_fail = not self.is_calm and draw(st.integers(0, 3)) == 0
        self.moods: list[Mood] = []
        self.process = sp.Process("any")
        for name in ("camera", "other")[: draw(st.integers(1, 2))]:
            use = draw(st.sampled_from(SOURCES))
            workers = draw(st.sampled_from([1, 1, 1, 2]))
            self.process.add(name, use, count=draw(st.integers(0, 12)), workers=workers, mood=self.mood({}))
        self.plan = make_plan(self.process)

    def mood(self, given: dict[str, Any]) -> Mood:
        mood = self.draw(moods())
        if given.get("on_crash") is not RESTART:
            mood.dies = 0
        self.moods.append(mood)
        return mood

    def links(self, inputs: list[str]) -> dict[str, list[str]]:
        ends = [f"{unit}.{port}" for unit in self.plan.units for port in self.plan.units[unit].receivers]
        several = 1 if self.is_calm else 2
        some = st.lists(st.sampled_from(ends), min_size=1, max_size=several, unique=True)
        return {name: self.draw(some) for name in inputs}

    def add(self, number: int) -> None:
        draw = self.draw
        use = draw(st.sampled_from((*UNITS, *(() if self.is_calm else (turn,)))))
        function = use.work if isinstance(use, type) else use
        inputs = [name for name in function.__annotations__ if name not in ("return", "mood")]
        links = self.links(inputs)
        given = draw(options(use, len(inputs), is_calm=self.is_calm, may_fail=self.may_fail))
        further = sp.Process("any", [*self.process.units.values()])
        name = f"{use.__name__}{number}"
        if use is turn:
            links["x"] = [*links["x"][:1], f"back{number}"]
            given["pipe"] = {**draw(pipes(is_calm=True)), "overflow": draw(st.sampled_from(DROPPING))}
            further.add(f"back{number}", back, from_=name, on_error="skip", mood=self.mood({}))
        mood = self.mood(given)
        mood.recovers = mood.recovers and not (self.is_calm and _may_not_try_again(use, given))
        further.add(name, use, from_=links, **given, mood=mood)
        with suppress(ProcessError):
            self.plan = make_plan(further)
            self.process = further

    def finished(self) -> Graph:
        """With a probe at each open output."""
        process = sp.Process("any", [*self.process.units.values()])
        for name, unit in self.plan.units.items():
            for port in unit.open_outputs:
                process.add(f"probe-{name}-{port}", probe, from_=f"{name}.{port}")
        units = self.plan.units.values()
        fails = any(entry.pipe.overflow == "fail" for unit in units for entry in unit.inputs.values())
        is_calm = self.is_calm and not any(unit.spec.use is with_newest for unit in units)
        return Graph(make_plan(process), self.moods, is_calm, self.may_fail or fails)


@st.composite
def graphs(draw: st.DrawFn, most: int = 9) -> Graph:
    """A graph of up to a dozen units, and a probe at each of its open outputs."""
    drawn = Drawn(draw)
    for number in range(draw(st.integers(1, most))):
        drawn.add(number)
    return drawn.finished()


def check(graph: Graph, outputs: dict[str, list[Any]], stats: Any, *, ended: bool) -> None:
    """Every item is accounted for, and what is to be in order is."""
    for name, pipe in stats.pipes.items():
        assert pipe.received == pipe.delivered + pipe.dropped + pipe.expired + pipe.depth, name
    if ended:
        assert stats.ledger.balanced, stats.ledger
        assert stats.ledger.in_flight == 0
        assert [0] * len(stats.ledger.streams) == [one.in_flight for one in stats.ledger.streams.values()]
        assert sum(map(len, outputs.values())) <= stats.ledger.delivered
    for name in graph.ordered_outputs:
        seen: dict[str, list[Any]] = {}
        for header, _ in outputs.get(f"{name}.out", []):
            seen.setdefault(header.stream, []).append((header.seq, header.path))
        for came in seen.values():
            assert sorted(came) == came, name


def values_of(outputs: dict[str, list[Any]]) -> dict[str, list[int]]:
    return {name: sorted(value for _, value in several) for name, several in outputs.items()}
