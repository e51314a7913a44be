"""What a process does when it is cut: the same as in one piece, in order, with the same ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.run.segments.cut import Cut, run_cut

import streampy as sp
from streampy.errors import ProcessError
from streampy.model.check import make_plan

COUNT = 100


def numbers(*, count: int = COUNT) -> Iterator[int]:
    yield from range(count)


def plus(x: int, *, much: int = 1) -> int:
    return x + much


async def plus_async(x: int, *, much: int = 1) -> int:
    await asyncio.sleep(0)
    return x + much


def odd(x: int) -> int | None:
    return x if x % 2 else None


def parts(x: int) -> Iterator[int]:
    yield from range(x % 5)


def many(x: int) -> Iterator[int]:
    yield from range(500)


def gather(x: list[int]) -> int:
    return sum(x)


def meet(x: int, y: int) -> tuple[int, int]:
    return x, y


def meet_maybe(x: int, y: int | None) -> tuple[int, int | None]:
    return x, y


def in_batches(x: sp.Batch[int]) -> sp.Batch[int]:
    return sp.Batch([value * 10 for value in x])


def pairs(xs: Iterator[int]) -> Iterator[int]:
    """A window: the sum of each two."""
    for x in xs:
        yield x + next(xs, 0)


def chain(*segments: str, **options: Any) -> sp.Process:
    """Units one behind the other, each in the segment of that name."""
    process = sp.Process("chain").add("numbers", numbers)
    before = "numbers"
    for number in range(1, len(segments)):
        process.add(f"plus{number}", plus, from_=before, **options)
        before = f"plus{number}"
    units = ["numbers", *(f"plus{number}" for number in range(1, len(segments)))]
    for name in dict.fromkeys(segments):
        process.segment(name, *(unit for unit, there in zip(units, segments, strict=True) if there == name))
    return process


def two(core: dict[str, dict[str, Any]], edge: dict[str, dict[str, Any]]) -> sp.Process:
    """Numbers at the edge; the other units as they are said to be, in the order of their names."""
    process = sp.Process("two").add("numbers", numbers)
    for name, options in sorted({**core, **edge}.items()):
        process.add(name, options["use"], **{key: value for key, value in options.items() if key != "use"})
    return process.segment("edge", "numbers", *edge).segment("core", *core)


def used() -> sp.Process:
    inner = sp.Process("inner").add("first", plus).add("second", odd, from_="first")
    process = sp.Process("outer").add("numbers", numbers).add("inner", inner, from_="numbers")
    process.add("end", plus, from_="inner")
    return process.segment("edge", "numbers", "end").segment("core", "inner")


FAN = {"a": {"use": parts, "from_": "numbers"}, "b": {"use": plus, "from_": "a"}}
GRAPHS = {
    "one to one": lambda: chain("edge", "core", "edge"),
    "there and back twice": lambda: chain("edge", "core", "edge", "core", "edge"),
    "three with a relay": lambda: chain("edge", "core", "far", "core", "edge"),
    "round": lambda: chain("edge", "core", "far", "edge"),
    "away": lambda: chain("edge", "core", "far"),
    "workers": lambda: chain("edge", "core", "edge", workers=3),
    "in flight": lambda: chain("edge", "core", "edge", pipe={"in_flight": 1}),
    "capacity 1": lambda: chain("edge", "core", "edge", "core", pipe={"capacity": 1}),
    "places": lambda: chain("edge", "core", "core", "edge", place="own"),
    "async": lambda: two({"a": {"use": plus_async, "from_": "numbers"}}, {"b": {"use": plus_async, "from_": "a"}}),
    "filter": lambda: two({"a": {"use": odd, "from_": "numbers"}}, {"b": {"use": plus, "from_": "a"}}),
    "fan-out gathered there": lambda: two(
        {**FAN, "c": {"use": gather, "from_": "b"}}, {"d": {"use": plus, "from_": "c"}}
    ),
    "fan-out gathered here": lambda: two(FAN, {"c": {"use": gather, "from_": "b"}}),
    "fan-out here, gathered there": lambda: two(
        {"c": {"use": gather, "from_": "b"}}, {**FAN, "d": {"use": plus, "from_": "c"}}
    ),
    "more parts than the window": lambda: two(
        {"b": {"use": gather, "from_": "a"}}, {"a": {"use": many, "from_": "numbers"}}
    ),
    "join here": lambda: two(
        {"a": {"use": odd, "from_": "numbers"}}, {"b": {"use": meet_maybe, "from_": {"x": "numbers", "y": "a"}}}
    ),
    "join there": lambda: two(
        {"b": {"use": meet, "from_": {"x": "numbers", "y": "a"}}}, {"a": {"use": odd, "from_": "numbers"}}
    ),
    "batches": lambda: two(
        {"a": {"use": in_batches, "from_": "numbers", "pipe": {"batch": 8}}}, {"b": {"use": plus, "from_": "a"}}
    ),
    "windows": lambda: two({"a": {"use": pairs, "from_": "numbers"}}, {"b": {"use": plus, "from_": "a"}}),
    "used process": used,
}


def results_of(process: sp.Process) -> tuple[dict[str, list[Any]], Any]:
    """Of the process in one piece."""
    with sp.run(process) as running:
        outputs = {name: list(running.stream(name)) for name in running._segment.outputs}
        return outputs, running.stats().ledger.streams


@pytest.mark.parametrize("name", GRAPHS)
def test_a_process_that_is_cut_does_as_in_one_piece(name):
    outputs, streams = results_of(GRAPHS[name]())
    with run_cut(GRAPHS[name]()) as cut:
        assert outputs == cut.outputs
        assert dict(streams) == {
            name: one for part in cut.parts for name, one in part.stats.ledger.streams.items() if "@" not in name
        }
        assert [True] * len(cut.parts) == [part.stats.ledger.balanced for part in cut.parts]
        assert [0] * len(cut.parts) == [part.stats.ledger.in_flight for part in cut.parts]


@pytest.mark.parametrize("name", ["one to one", "workers", "fan-out gathered there", "join here", "batches"])
def test_replicas_share_the_work_and_keep_the_order(name):
    outputs, _ = results_of(GRAPHS[name]())
    with run_cut(GRAPHS[name](), {"core": 3}) as cut:
        assert outputs == cut.outputs
        assert all(part.stats.ledger.balanced for part in cut.parts)


@pytest.mark.parametrize("window", [1, 2, 7])
def test_a_small_window_holds_back_and_locks_nothing(window):
    process = chain("edge", "core", "edge", "core", "edge").link("edge", "core", window=window)
    with run_cut(process) as cut:
        assert [number + 4 for number in range(COUNT)] == cut.outputs["plus4.out"]


def test_a_slow_end_holds_the_source_back_so_that_the_sender_does_not_grow():
    process = chain("edge", "core", "edge", pipe={"capacity": 2}).link("edge", "core", window=4)
    with Cut(process, streams=False) as cut:
        for part in cut.parts:
            part.is_there.wait(20)
        edge = cut["edge"].running
        assert edge is not None
        values = edge.stream("plus2")
        for expected in range(20):
            assert expected + 2 == next(values)
            near = edge._segment.neighbours
            assert near is not None
            assert near.in_flight <= 4


def test_a_join_that_would_wait_for_ever_is_an_error_before_anything_starts():
    process = sp.Process("stuck").add("numbers", numbers).add("a", plus, from_="numbers").add("b", plus, from_="a")
    process.add("c", meet, from_={"x": "numbers", "y": "b"}).segment("edge", "numbers", "b").segment("core", "a", "c")
    with pytest.raises(ProcessError, match="'c' would wait for ever: it joins what began at 'numbers' with what"):
        make_plan(process)


def test_segments_that_could_wait_for_each_other_in_a_circle_are_an_error_before_anything_starts():
    process = sp.Process("round").add("numbers", numbers)
    process.add("a", plus, from_="numbers").add("b", plus, from_="numbers")
    process.add("c", plus, from_="b").add("d", plus, from_="a")
    process.segment("edge", "numbers").segment("core", "a", "c").segment("far", "b", "d")
    with pytest.raises(ProcessError, match="core and far send to each other, and core and far each get by themselves"):
        make_plan(process)
