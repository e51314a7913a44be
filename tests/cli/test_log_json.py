"""`--log json`: every line on stderr is an object, with the item that the unit was at."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import pytest

LOGGING = '''
import asyncio
import logging
import sys
from collections.abc import Iterator

import streampy as sp


def four() -> Iterator[int]:
    yield from range(4)


def batches() -> Iterator[sp.Batch[int]]:
    yield sp.Batch(range(4))


def say(number: int) -> int:
    if number == 2:
        sp.worker().logger.warning("two", extra={"weight": 1.5})
    return number


def say_elsewhere(number: int) -> int:
    if number == 2:
        logging.getLogger("mine").warning("two")
    return number


def say_of_batch(numbers: sp.Batch[int]) -> sp.Batch[int]:
    sp.worker().logger.warning("these")
    return numbers


def say_of_parts(number: int) -> Iterator[int]:
    if number == 2:
        sp.worker().logger.warning("two")
    yield number


async def say_async(number: int) -> int:
    await asyncio.sleep(0)
    if number == 2:
        sp.worker().logger.warning("two")
    return number


def say_of_stream(numbers: Iterator[int]) -> Iterator[int]:
    for number in numbers:
        if number == 2:
            sp.worker().logger.warning("two")
        yield number


def fail(number: int) -> int:
    if number == 2:
        raise ValueError("two is too many")
    return number


def write(number: int) -> int:
    if number == 2:
        sys.stderr.write("by hand\\n")
    return number


def sink(number: int) -> None:
    """Take it."""
'''


@pytest.fixture
def logged(folder, streampy):
    """Run one unit behind a source, with JSON logs; gives all objects on stderr."""
    (folder / "logging_units.py").write_text(dedent(LOGGING))

    def run(unit: str, keys: str = "", source: str = "four") -> list[dict[str, Any]]:
        (folder / "logs.yaml").write_text(
            f"process: logs\nunits:\n  four: {{use: 'logging_units:{source}'}}\n"
            f"  it: {{use: 'logging_units:{unit}', from: four{keys}}}\n"
            "  sink: {use: 'logging_units:sink', from: it}\n"
        )
        done = streampy("run", "logs.yaml", "--log", "json")
        return [json.loads(line) for line in done.stderr.splitlines()]

    return run


AT_TWO = {"unit": "it", "worker": "it", "stream": "four", "seq": 2}


@pytest.mark.parametrize("place", ["main", "own"])
@pytest.mark.parametrize("unit", ["say", "say_elsewhere", "say_of_parts", "say_async", "say_of_stream"])
def test_what_a_unit_logs_bears_the_item_that_it_is_at(logged, unit, place):
    (line,) = [one for one in logged(unit, f", place: {place}") if one["message"] == "two"]
    assert AT_TWO == {key: line[key] for key in AT_TWO}
    assert line["level"] == "WARNING"
    assert line["logger"] == ("mine" if unit == "say_elsewhere" else "streampy.unit.it")
    assert line["time"].endswith("Z")


def test_a_quick_unit_that_is_called_many_times_at_once_knows_its_item(logged):
    (line,) = [one for one in logged("say", source="batches") if one["message"] == "two"]
    assert AT_TWO == {key: line[key] for key in AT_TWO}


def test_of_a_batch_the_first_item_is_named(logged):
    lines = [
        one for one in logged("say_of_batch", ", pipe: {batch: 4, wait: 5s}", "batches") if one["message"] == "these"
    ]
    assert 0 == lines[0]["seq"]


def test_what_is_given_as_extra_is_there(logged):
    (line,) = [one for one in logged("say") if one["message"] == "two"]
    assert 1.5 == line["weight"]


def test_an_error_that_is_skipped_is_one_line_with_its_traceback(logged):
    (line,) = [one for one in logged("fail", ", on_error: skip") if "exception" in one]
    assert AT_TWO == {key: line[key] for key in AT_TWO}
    assert "ValueError: two is too many" in line["exception"]


def test_whatever_else_is_written_to_stderr_is_an_object_too(logged):
    assert "by hand" in [one["message"] for one in logged("write")]
    assert any("two is too many" in one["message"] for one in logged("fail"))


def test_lines_of_segments_name_their_segment(folder, streampy):
    pytest.importorskip("msgpack")
    (folder / "logging_units.py").write_text(dedent(LOGGING))
    (folder / "cut.yaml").write_text(
        "process: cut\nunits:\n  four: {use: 'logging_units:four'}\n"
        "  it: {use: 'logging_units:say', from: four}\n  sink: {use: 'logging_units:sink', from: it}\n"
        "segments:\n  edge: [four]\n  core: {units: [it, sink], listen: 'tcp://127.0.0.1:0'}\n"
        "links:\n  edge -> core: {}\n"
    )
    done = streampy("run", "cut.yaml", "--log", "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    (line,) = [one for one in lines if one["message"] == "two"]
    assert ("core", 2) == (line["segment"], line["seq"])
