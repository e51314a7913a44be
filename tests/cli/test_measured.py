"""`streampy show --measured`: a process is run, and how each unit spent its time is painted on its layers."""

import re

import pytest

from streampy.cli.exits import Exit

pytestmark = pytest.mark.alone

HOG = """
import threading
from collections.abc import Iterator

import streampy as sp


def ticks() -> Iterator[int]:
    number = 0
    while not sp.worker().sleep(0.002):
        yield number
        number += 1


def grind(number: int) -> None:
    sum(range(500_000))


def quick(number: int) -> None:
    pass
"""
PROCESS = """
process: hog
units:
  ticks: {use: "hog:ticks"}
  grind: {use: "hog:grind", from: ticks, pipe: {capacity: 4, overflow: drop_oldest}}
  quick: {use: "hog:quick", from: ticks, pipe: {capacity: 4}}
"""


@pytest.fixture
def hog(folder):
    (folder / "hog.py").write_text(HOG)
    (folder / "hog.yaml").write_text(PROCESS)


def test_each_unit_is_painted_in_its_layer(streampy):
    done = streampy("show", "doubles.yaml", "--measured")

    assert (Exit.OK, "") == (done.returncode, done.stderr)
    rows = [line.split()[:2] for line in done.stdout.splitlines() if re.match(r"  \d ", line)]
    assert [["1", "numbers"], ["2", "double"], ["2", "odd"]] == rows
    assert all(len(bar) == 20 for bar in re.findall(r"[█▒·]{2,}", done.stdout))


def test_unit_that_hogs_the_gil_is_named_with_the_advice(hog, streampy):
    done = streampy("show", "hog.yaml", "--measured", "--for", "1.5s")

    assert (Exit.OK, "") == (done.returncode, done.stderr)
    assert re.search(r"grind holds the GIL \d+% of the time, and 2 other threads in main waited for it", done.stdout)
    assert "an OS process of its own for grind (`place: own`) would help" in done.stdout


def test_hog_is_named_at_the_end_of_a_run(hog, streampy):
    done = streampy("run", "hog.yaml", "--stats", "--for", "1.5s")

    assert Exit.OK == done.returncode
    assert re.search(r"grind holds the GIL \d+% of the time", done.stderr)


def test_what_can_not_be_run_is_told(folder, streampy):
    (folder / "wrong.yaml").write_text("process: wrong\nunits: {a: {use: 'units:none'}}\n")
    done = streampy("show", "wrong.yaml", "--measured")

    assert (Exit.PROCESS, "") == (done.returncode, done.stdout)
    assert "wrong.yaml" in done.stderr
