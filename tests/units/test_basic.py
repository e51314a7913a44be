"""Map, filter, fan out, gather, take a part, split: each by itself, and in a process."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

import streampy as sp
from streampy.units.basic import Explode, Filter, FlatMap, GetField, Implode, KeyBy, Map, Merge, Split


class Person(NamedTuple):
    name: str
    age: int


feed = sp.testing.feed


def lists() -> Iterator[list[int]]:
    yield from [[1, 2, 3], [], [4, 5]]


def numbers(*, until: int = 6) -> Iterator[int]:
    yield from range(until)


def is_odd(number: int) -> bool:
    return number % 2 == 1


def run(process: sp.Process, output: str) -> list[object]:
    with sp.run(process) as running:
        found = list(running.stream(output))
    assert running.stats().ledger.balanced
    return found


def test_a_function_is_named_as_text_or_given_itself() -> None:
    assert ["A", "B"] == feed(Map, settings={"function": "builtins:str.upper"}, value=["a", "b"])
    assert ["A", "B"] == feed(Map, settings={"function": str.upper}, value=["a", "b"])


def test_a_filter_asks_a_function_or_a_part_of_the_value() -> None:
    assert [1, 3] == feed(Filter, settings={"condition": is_odd}, value=[0, 1, 2, 3])
    people = [Person("Ada", 36), Person("Grace", 85)]
    assert [people[1]] == feed(Filter, settings={"condition": "name", "equals": "Grace"}, value=people)


def test_what_is_exploded_is_imploded_in_its_order_also_where_there_is_nothing() -> None:
    process = sp.Process("parts").add("lists", lists).add("explode", Explode, from_="lists")
    process.add("double", Map, from_="explode", function=lambda number: 2 * number, workers=2)
    process.add("implode", Implode, from_="double")

    assert [[2, 4, 6], [], [8, 10]] == run(process, "implode")


def test_implode_does_not_wait_for_parts_that_were_filtered_away() -> None:
    process = sp.Process("parts").add("lists", lists).add("explode", Explode, from_="lists")
    process.add("odd", Filter, from_="explode", condition=is_odd).add("implode", Implode, from_="odd")

    assert [[1, 3], [], [5]] == run(process, "implode")


def test_a_split_has_two_outputs_and_merge_brings_them_together() -> None:
    process = sp.Process("split").add("numbers", numbers).add("split", Split, from_="numbers", condition=is_odd)
    process.add("negative", Map, from_="split.yes", function=lambda number: -number)
    process.add("merge", Merge, from_=["negative", "split.no"])

    assert [-5, -3, -1, 0, 2, 4] == sorted(run(process, "merge"))


def test_a_function_that_gives_many_makes_parts() -> None:
    assert ["a", "b", "c"] == feed(FlatMap, settings={"function": list}, value=["ab", "", "c"])


@pytest.mark.parametrize(
    ("path", "value"),
    [("name", Person("Ada", 36)), ("0", ["Ada", 36]), ("user.name", {"user": {"name": "Ada"}}), (-1, [36, "Ada"])],
)
def test_a_field_is_a_key_a_number_an_attribute_or_a_path_of_them(path: str | int, value: object) -> None:
    assert ["Ada"] == feed(GetField, settings={"path": path}, value=[value])


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name", {"nmae": "Ada"}, "name: dict has no 'name', did you mean 'nmae'?"),
        ("name.first", Person("Ada", 36), "name.first: str has no 'first'"),
        ("0", [], "0: got 0 values, there is no number 0"),
    ],
)
def test_a_field_that_is_missing_is_told_with_what_is_there(path: str, value: object, said: str) -> None:
    with pytest.raises(LookupError) as told:
        feed(GetField, settings={"path": path}, value=[value])
    assert said in str(told.value)


def test_a_field_that_is_missing_may_have_a_default() -> None:
    assert ["?"] == feed(GetField, settings={"path": "name", "default": "?"}, value=[{}])


def test_a_key_goes_along_in_the_header_beside_what_is_there() -> None:
    def keys(value: sp.Item[dict[str, str]]) -> tuple[object, object]:
        return value.meta["user"], value.meta["kind"]

    process = sp.Process("keys").add("user", KeyBy, key="user", name="user")
    process.add("kind", KeyBy, from_="user", key="kind", name="kind").add("keys", keys, from_="kind")
    with sp.run(process) as running:
        running.push("user", {"user": "Ada", "kind": "login"})
        running.drain()
        assert [("Ada", "login")] == list(running.stream("keys"))


def test_a_map_that_gives_none_is_an_error_that_says_so() -> None:
    process = sp.Process("none").add("numbers", numbers).add("nothing", Map, from_="numbers", function=lambda _: None)
    with pytest.raises(sp.UnitFailed, match="returned None, but its signature promises a value"):
        run(process, "nothing")
