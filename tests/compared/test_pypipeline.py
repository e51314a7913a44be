"""What docs/compared.md says beside PyPipeline, where no other test shows it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

import streampy as sp

ROOT = Path(__file__).parents[2]
SOON = 20.0


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def double(number: int) -> int:
    return 2 * number


def one_pair() -> Iterator[tuple[int, int]]:
    yield 0, 1


class Step(sp.Outputs):
    """The pair goes round again, the number goes out."""

    pair: tuple[int, int]
    number: int


def fibonacci(pair: tuple[int, int], *, until: int) -> Step:
    first, second = pair
    return Step(pair=(second, first + second), number=first) if second < until else Step(number=first)


def test_a_cycle_begins_with_what_a_source_gives():
    process = sp.Process("fibonacci").add("begin", one_pair)
    process.add("step", fibonacci, from_=["begin", "step.pair"], pipe={"overflow": "drop_newest"}, until=50)
    with sp.run(process) as running:
        assert [0, 1, 1, 2, 3, 5, 8, 13, 21, 34] == list(running.stream("step.number", timeout=SOON))


@pytest.mark.parametrize("capacity", [4, 64])
def test_batches_and_a_direct_link_beside_them_meet_item_by_item(capacity):
    def sizes(batch: sp.Batch[int]) -> sp.Batch[int]:
        return sp.Batch(len(batch) for _ in batch)

    def pair(number: int, size: int) -> tuple[int, int]:
        return number, size

    process = sp.Process("patch").add("numbers", numbers, until=10)
    process.add("sizes", sizes, from_="numbers", pipe={"capacity": capacity, "batch": 4, "wait": SOON})
    process.add("pair", pair, from_={"number": "numbers", "size": "sizes"}, pipe={"capacity": 1})
    with sp.run(process) as running:
        pairs = list(running.stream("pair", timeout=SOON))
    assert [(number, 4 if number < 8 else 2) for number in range(10)] == pairs


def test_workers_need_not_look_at_all_that_they_are_given():
    def left_only(left: int, right: int) -> int:
        return left

    process = sp.Process("unused").add("numbers", numbers, until=100).add("double", double, from_="numbers")
    process.add("left", left_only, from_={"left": "numbers", "right": "double"}, workers=3, pipe={"capacity": 1})
    with sp.run(process) as running:
        assert list(range(100)) == list(running.stream("left", timeout=SOON))


def test_a_running_process_tells_its_units_ports_links_and_workers():
    process = sp.Process("told").add("double", double, from_="numbers", workers=2).add("numbers", numbers)
    with sp.run(process) as running:
        plan, stats = running.plan, running.stats()
    assert ["numbers", "double"] == list(plan.units)
    assert ["numbers.out -> double.number"] == [str(link) for link in plan.links]
    assert [((), ("out",)), (("number",), ("out",))] == [
        (tuple(unit.ports.inputs), tuple(unit.ports.outputs)) for unit in plan.units.values()
    ]
    assert {"numbers": 1, "double": 2} == {name: unit.workers for name, unit in stats.units.items()}


def test_whoever_asks_again_after_the_end_is_told_at_once():
    with sp.run(sp.Process("ended").add("numbers", numbers)) as running:
        assert [[0, 1, 2, 3, 4], []] == [list(running.stream("numbers", timeout=SOON)) for _ in range(2)]


def test_a_call_on_which_a_unit_raises_is_told_and_the_next_one_is_answered():
    def inverse(number: float) -> float:
        return 1 / number

    with sp.run(sp.Process("inverse").add("inverse", inverse, on_error="skip")) as running:
        with pytest.raises(sp.ItemLost) as lost:
            running.call("inverse", 0, timeout=SOON)
        assert running.call("inverse", 4, timeout=SOON) == 0.25
    assert isinstance(lost.value.__cause__, ZeroDivisionError)


def test_a_setting_is_checked_as_its_annotation_says():
    def scale(number: int, *, by: Annotated[int, Field(ge=1)] = 1) -> int:
        return by * number

    with pytest.raises(sp.ProcessError, match=r"units\.scale\.set\.by: got 0, .* greater than or equal to 1"):
        sp.run(sp.Process("checked").add("scale", scale, by=0))


class Rows(sp.Unit):
    """A source that remembers where it is."""

    def __init__(self) -> None:
        self.at = 0

    def work(self) -> Iterator[int]:
        while True:
            self.at += 1
            yield self.at

    @sp.event("back")
    def go_back(self) -> None:
        self.at = 0


def test_a_source_goes_back_to_its_beginning_when_it_is_told_to():
    with sp.run(sp.Process("epochs").add("rows", Rows)) as running:
        rows = running.stream("rows", timeout=SOON)
        assert [1, 2, 3] == [next(rows) for _ in range(3)]
        running.fire("rows", "back")
        assert 1 == next(row for row in rows if row < 3)
        assert [2, 3] == [next(rows) for _ in range(2)]


FORGETFUL = """
import streampy as sp

def for_ever():
    while True:
        yield 1

running = sp.run(sp.Process("forgotten").add("source", for_ever))
next(running.stream("source"))
print("the last line")
"""


def test_a_process_that_nobody_stops_does_not_keep_the_interpreter(tmp_path):
    script = tmp_path / "forgetful.py"
    script.write_text(FORGETFUL)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=SOON)
    assert (0, "the last line\n", "") == (done.returncode, done.stdout, done.stderr)


def test_the_licence_is_the_same_wherever_it_is_named():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    assert named == importlib.metadata.metadata("streampy")["License-Expression"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
    assert "Apache-2.0" in (ROOT / "README.md").read_text()
