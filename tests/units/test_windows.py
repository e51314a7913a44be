"""Windows by number and by time; groups by key, folded."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streampy as sp
from streampy.units.basic import FlatMap, Map
from streampy.units.reduce import Group, Reduce, Reduced, Shuffle
from streampy.units.windows import CountWindow, TimeWindow

feed = sp.testing.feed


def born_at(*, times: list[float]) -> Iterator[sp.Item[float]]:
    for time in times:
        yield sp.Item(time, sp.Header("", 0, time))


def numbers(*, until: int = 7) -> Iterator[int]:
    yield from range(until)


@given(st.lists(st.integers()), st.integers(1, 5), st.integers(1, 7))
def test_windows_are_the_slices_of_the_stream(values: list[int], size: int, step: int) -> None:
    full = [values[at : at + size] for at in range(0, len(values), step) if at + size <= len(values)]

    assert full == feed(CountWindow, settings={"size": size, "step": step, "partial": False}, values=values)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_with_a_last_partial_window_no_value_is_left_out(values: list[int], size: int) -> None:
    windows = feed(CountWindow, settings={"size": size}, values=values)

    assert values == [value for window in windows for value in window]


def test_the_last_window_of_overlapping_ones_has_something_new() -> None:
    assert [[0, 1, 2], [2, 3]] == feed(CountWindow, settings={"size": 3, "step": 2}, values=range(4))
    assert [[0, 1, 2]] == feed(CountWindow, settings={"size": 3, "step": 2}, values=range(3))


@pytest.mark.parametrize("settings", [{"size": 0}, {"size": 1, "step": 0}])
def test_a_window_of_nothing_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        CountWindow(**settings)  # type: ignore[arg-type]


def test_windows_by_time_are_by_when_the_items_were_born() -> None:
    times = [10.0, 10.4, 10.9, 11.0, 13.5, 13.2, 14.0]
    process = sp.Process("times").add("born", born_at, times=times)
    process.add("window", TimeWindow, from_="born", seconds=1)
    with sp.run(process) as running:
        windows = list(running.stream("window"))

    assert [[10.0, 10.4, 10.9], [11.0], [13.5, 13.2], [14.0]] == windows
    assert running.stats().ledger.balanced


def test_windows_by_time_go_on_from_the_first_item_whenever_it_was_born() -> None:
    process = sp.Process("times").add("born", born_at, times=[-3.0, 0.0, 0.5, 2.0])
    process.add("window", TimeWindow, from_="born", seconds=3)
    with sp.run(process) as running:
        assert [[-3.0], [0.0, 0.5, 2.0]] == list(running.stream("window"))


def test_words_are_counted_by_map_shuffle_reduce() -> None:
    lines = ["to be or", "not to be"]
    process = sp.Process("words").add("lines", _lines, lines=lines)
    process.add("words", FlatMap, from_="lines", function="builtins:str.split")
    process.add("ones", Map, from_="words", function=lambda word: (word, 1))
    process.add("shuffle", Shuffle, from_="ones", key=0)
    process.add("count", Reduce, from_="shuffle", function="operator:add", value=1)
    with sp.run(process) as running:
        counts = list(running.stream("count"))

    assert [Reduced("to", 2), Reduced("be", 2), Reduced("or", 1), Reduced("not", 1)] == counts
    assert running.stats().ledger.balanced


def _lines(*, lines: list[str]) -> Iterator[str]:
    yield from lines


def test_groups_go_out_each_time_that_so_many_have_come() -> None:
    groups = feed(Shuffle, settings={"key": lambda number: number % 2, "every": 3}, values=range(5))

    assert [Group(0, [0, 2]), Group(1, [1]), Group(1, [3]), Group(0, [4])] == groups


def test_what_a_fold_begins_with_is_not_shared_among_groups() -> None:
    def append(values: list[Any], value: Any) -> list[Any]:
        values.append(value)
        return values

    groups = [Group("a", [1, 2]), Group("b", [3])]

    assert [Reduced("a", [1, 2]), Reduced("b", [3])] == feed(
        Reduce, settings={"function": append, "initial": []}, group=groups
    )


def test_windows_of_a_process_in_yaml() -> None:
    process = sp.load(
        {
            "process": "sums",
            "units": {
                "numbers": {"use": numbers},
                "windows": {"use": "count_window", "set": {"size": 3}, "from": "numbers"},
                "sums": {"use": "map", "set": {"function": "builtins:sum"}, "from": "windows"},
            },
        }
    )
    with sp.run(process) as running:
        assert [3, 12, 6] == list(running.stream("sums"))
