"""Process files and their units are written where the test runs, and forgotten after it."""

import sys
from textwrap import dedent

import pytest

UNITS = """
from collections.abc import Iterator

def numbers(*, until: int = 3, label: str = "", options: dict | None = None) -> Iterator[int]:
    yield from range(until)

def double(number: int) -> int:
    return 2 * number

def add(left: int, right: int) -> int:
    return left + right
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with `units.py` in it; modules that are imported from there are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "units.py").write_text(UNITS)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def write(folder):
    """Write a file; returns its name."""

    def write(name, text):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(text))
        return name

    return write
