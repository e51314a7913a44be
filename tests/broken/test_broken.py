"""Every broken process is told about in exactly the words of the text beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

from streampy.cli.exits import Exit
from streampy.cli.main import main

HERE = Path(__file__).parent
TEXTS = sorted(HERE.glob("*.txt"))


@pytest.fixture
def nothing_imported(monkeypatch):
    """A unit is found by the name of its module: each test imports anew."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        if str(HERE) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
@pytest.mark.usefixtures("nothing_imported")
def test_broken_process_is_told_in_these_words(text, monkeypatch, capsys):
    command, _, expected = text.read_text().partition("\n")
    monkeypatch.chdir(HERE)

    code = main(command.removeprefix("$ streampy ").split())

    said = capsys.readouterr()
    assert said.out == expected
    assert said.err == ""
    assert code == Exit.PROCESS


def test_every_broken_file_has_its_text():
    files = [file for suffix in ("yaml", "json", "toml") for file in HERE.glob(f"*.{suffix}")]

    assert [file.name for file in files if not file.with_suffix(".txt").exists()] == []


def test_command_in_a_terminal_says_the_same():
    command, _, expected = (HERE / "several.txt").read_text().partition("\n")

    done = subprocess.run(
        [sys.executable, "-m", "streampy", *command.split()[2:]], cwd=HERE, capture_output=True, text=True, check=False
    )

    assert done.stdout == expected
    assert done.stderr == ""
    assert done.returncode == 3
