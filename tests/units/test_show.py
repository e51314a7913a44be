"""Lines on the terminal, also through the command and by short names."""

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import streampy as sp
from streampy.units.show import Print

LETTERS = """
process: letters
units:
  letters: {use: lines, set: {path: letters.txt}}
  upper: {use: map, set: {function: "builtins:str.upper"}, from: letters}
  vowels: {use: filter, set: {condition: "words:is_vowel"}, from: upper}
  print: {use: print, set: {format: "{key}: {value}"}, from: vowels}
"""


def test_a_process_of_short_names_alone_runs_from_the_command(tmp_path: Path) -> None:
    (tmp_path / "letters.yaml").write_text(LETTERS)
    (tmp_path / "letters.txt").write_text("a\nb\ne\n")
    (tmp_path / "words.py").write_text("def is_vowel(letter: str) -> bool:\n    return letter in 'AEIOU'\n")
    command = [sys.executable, "-m", "streampy", "run", "letters.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)

    assert ("letters #0: A\nletters #2: E\n", 0) == (done.stdout, done.returncode), done.stderr


def test_every_short_name_is_a_unit() -> None:
    points = entry_points(group="streampy.units")

    assert 40 < len(points)
    assert [] == [point.name for point in points if not issubclass(point.load(), sp.Unit)]


def test_every_short_name_stands_in_the_docs_with_its_settings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "units.md").read_text().splitlines()
    rows = {row.split("`")[1]: row for row in page if row.startswith("| `")}
    settings = {point.name: set(point.load().ports().settings) for point in entry_points(group="streampy.units")}

    assert settings.keys() == rows.keys()
    assert settings == {
        name: {setting for setting in of if re.search(rf"`{setting}[`:]", rows[name])} for name, of in settings.items()
    }


def test_a_line_says_what_its_format_does(capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"format": "{stream} {seq} {value[name]} {value[age]:.1f} {meta}"}
    sp.testing.feed(Print, settings=settings, value=[{"name": "Ada", "age": 36}])

    assert "feed 0 Ada 36.0 {}\n" == capsys.readouterr().out
