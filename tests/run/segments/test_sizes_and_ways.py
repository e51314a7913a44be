"""What is too large for a link, what is much, and what goes several ways: as in one piece, or told with the item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.run.segments.cut import Cut, run_cut
from tests.run.segments.test_cut_graphs import COUNT, meet, numbers, plus

import streampy as sp

TOO_LARGE = {"an array": lambda: np.zeros(300 << 20, np.uint8), "a list": lambda: list(range(3_000_000))}
PARTS = 1500


def few() -> Iterator[int]:
    yield from range(5)


def burst(x: int, *, what: str) -> Any:
    return TOO_LARGE[what]() if x == 2 else x


def same(x: Any) -> Any:
    return x


def pictures(x: int) -> Iterator[np.ndarray]:
    for number in range(PARTS):
        yield np.full(10_000, number % 251, np.uint8)


def total(x: list[np.ndarray]) -> tuple[int, int]:
    return len(x), sum(int(one[0]) for one in x)


def frames(*, count: int) -> Iterator[np.ndarray]:
    frame = np.zeros(6_000_000, np.uint8)
    for _ in range(count):
        yield frame


def size(x: np.ndarray) -> int:
    return x.nbytes


def mixed(x: int) -> dict[str, Any]:
    """Much that is decoded value by value, and an array beside it."""
    return {"list": list(range(20_000)), "array": np.full((100, 100), x)}


def looked(x: dict[str, Any]) -> tuple[int, int]:
    return len(x["list"]), int(x["array"][0, 0])


def beside(x: int, y: sp.Latest[int]) -> int:
    return x


def meet_three(x: int, y: int, z: int) -> tuple[int, int, int]:
    return x, y, z


def bursting(what: str, where: str, **options: Any) -> sp.Process:
    process = sp.Process("bursting").add("few", few).add("burst", burst, from_="few", what=what, **options)
    process.add("end", same, from_="burst")
    near = ["few", "burst"] if where == "edge" else ["few", "end"]
    return process.segment("edge", *near).segment("core", "end" if where == "edge" else "burst")


@pytest.mark.parametrize("where", ["edge", "core"])
@pytest.mark.parametrize("what", TOO_LARGE)
def test_what_is_too_large_for_a_link_stops_the_process_and_is_told_with_unit_item_and_size(what, where):
    with Cut(bursting(what, where)) as cut, pytest.raises(ExceptionGroup) as caught:
        cut.wait()
    told = [str(error) for error in caught.value.exceptions]
    assert all("unit 'burst' failed" in one or "burst.out -> end.x" in one for one in told), told
    assert any("#2: a value of" in one and "send it in parts" in one for one in told), told


@pytest.mark.parametrize("where", ["edge", "core"])
@pytest.mark.parametrize("what", TOO_LARGE)
def test_what_is_too_large_fails_alone_where_the_unit_says_to_go_on(what, where):
    with run_cut(bursting(what, where, on_error="skip")) as cut:
        assert {"end.out": [0, 1, 3, 4]} == cut.outputs
        assert all(part.stats.ledger.balanced for part in cut.parts)
        assert [0, 0] == [part.stats.ledger.in_flight for part in cut.parts]
        assert 1 == cut["edge"].stats.ledger.failed


def test_a_family_of_more_arrays_than_a_message_may_have_parts_is_answered_whole():
    process = sp.Process("pictures").add("few", few).add("pictures", pictures, from_="few")
    process.add("total", total, from_="pictures").segment("edge", "few", "total").segment("core", "pictures")
    with run_cut(process) as cut:
        assert {"total.out": [(PARTS, sum(number % 251 for number in range(PARTS)))] * 5} == cut.outputs


def test_more_frames_than_a_full_outbox_holds_go_on_when_there_is_room_again():
    process = sp.Process("frames").add("frames", frames, count=60).add("size", size, from_="frames")
    process.segment("edge", "frames").segment("core", "size").link("edge", "core", window=16)
    with run_cut(process) as cut:
        assert {"size.out": [6_000_000] * 60} == cut.outputs


def test_arrays_beside_long_lists_come_out_as_what_they_were():
    process = sp.Process("mixed").add("few", few).add("mixed", mixed, from_="few").add("looked", looked, from_="mixed")
    with run_cut(process.segment("edge", "few", "looked").segment("core", "mixed")) as cut:
        assert {"looked.out": [(20_000, x) for x in range(5)]} == cut.outputs


@pytest.mark.parametrize("there", ["numbers", "newest"])
def test_the_newest_value_may_come_over_a_link(there):
    process = sp.Process("latest").add("numbers", numbers).add("newest", plus, from_="numbers")
    process.add("beside", beside, from_={"x": "numbers", "y": "newest"})
    near = [name for name in ("numbers", "newest", "beside") if name != there]
    process.segment("edge", *near).segment("core", there)
    with run_cut(process) as cut:
        assert set(cut.outputs["beside.out"]) <= set(range(COUNT))
        assert all(part.stats.ledger.balanced for part in cut.parts)
        assert [0, 0] == [part.stats.ledger.in_flight for part in cut.parts]


@pytest.mark.parametrize("joins", [False, True])
def test_an_output_may_go_to_two_far_segments_and_stay_here_too(joins):
    process = sp.Process("three").add("numbers", numbers)
    for name in "abc":
        process.add(name, plus, from_="numbers")
    if joins:
        process.add("meet", meet_three, from_={"x": "a", "y": "b", "z": "c"})
    process.segment("edge", "numbers", "a", *(["meet"] if joins else [])).segment("core", "b").segment("far", "c")
    ones = list(range(1, COUNT + 1))
    with run_cut(process) as cut:
        expected = {"meet.out": [(n, n, n) for n in ones]} if joins else {f"{name}.out": ones for name in "abc"}
        assert expected == cut.outputs
        assert all(part.stats.ledger.balanced for part in cut.parts)


@pytest.mark.parametrize("capacity", [1, 64])
@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("longer", ["edge", "far"])
def test_a_far_join_of_ways_of_different_length_locks_nothing_however_small_the_window(longer, window, capacity):
    process = sp.Process("ways").add("numbers", numbers)
    for name, before in (("a", "numbers"), ("b", "a"), ("c", "b")):
        process.add(name, plus, from_=before, pipe={"capacity": capacity})
    pipe = {"x": {"capacity": capacity}, "y": {"capacity": capacity}}
    process.add("meet", meet, from_={"x": "numbers", "y": "c"}, pipe=pipe)
    process.segment("edge", "numbers", *("abc" if longer == "edge" else "")).segment("core", "meet")
    process.link("edge", "core", window=window)
    if longer == "far":
        process.segment("far", *"abc").link("edge", "far", window=window).link("far", "core", window=window)
    with run_cut(process) as cut:
        assert {"meet.out": [(n, n + 3) for n in range(COUNT)]} == cut.outputs
