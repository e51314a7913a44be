"""Units that are defined in the user's script, which is then imported where they live; and only then."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest

HEAD = """
import os, socket, sys, time
from streampy.run.places.launch import Nursery

def live(file):
    print("lives in", __name__, sys.modules["__main__"].live is live, flush=True)

def start(main, **options):
    with Nursery("script") as nursery:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            child = nursery.bear("child", main, theirs.fileno(), **options)
            child.wait(time.monotonic() + 20)
    print("ended", child.exit_code)
"""
WITH_GUARD = """
if __name__ == "__main__":
    start("__main__:live", needs_main=True)
"""


def run(arguments: list[str], folder, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        input=text,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "script.py") -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text))

    return write


@pytest.mark.parametrize("options", ["", ", env={'A': '1'}"], ids=["forked", "fresh"])
def test_a_script_is_imported_where_its_units_live(write, tmp_path, options):
    write(HEAD + WITH_GUARD.replace(")", options + ")"))
    told = run(["script.py"], tmp_path)
    assert "child: lives in __mp_main__ True\nended 0\n" == told.stdout, told.stderr
    assert ["script.py"] == os.listdir(tmp_path)  # noqa: PTH208


def test_a_script_that_is_a_module_finds_its_neighbours(write, tmp_path):
    write("", "package/__init__.py")
    write("NEAR = 1", "package/near.py")
    write("from .near import NEAR\n" + HEAD + WITH_GUARD, "package/__main__.py")
    told = run(["-m", "package"], tmp_path)
    assert "child: lives in __mp_main__ True\nended 0\n" == told.stdout, told.stderr


def test_a_script_without_guard_does_where_no_unit_is_defined_in_it(write, tmp_path):
    write("def live(file): print('lives in', __name__)", "units.py")
    write(HEAD + 'start("units:live")')
    told = run(["script.py"], tmp_path)
    assert "child: lives in units\nended 0\n" == told.stdout, told.stderr


def test_a_script_without_guard_that_would_start_itself_again_is_told_what_to_do(write, tmp_path):
    write(
        HEAD
        + """
def numbers() -> int:
    return 1

import streampy as sp
if __name__ == "__mp_main__":  # what a forgotten guard comes to
    sp.run(sp.Process("again").add("numbers", numbers))
start("__main__:live", needs_main=True)
"""
    )
    told = run(["script.py"], tmp_path)
    assert "ended 1\n" == told.stdout
    assert 'Put what starts it under `if __name__ == "__main__":`' in told.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["-c", HEAD + WITH_GUARD], ["-"]], ids=["-c", "stdin"])
def test_where_there_is_no_script_it_says_so(tmp_path, arguments):
    told = run(arguments, tmp_path, HEAD + WITH_GUARD)
    assert "is no file here" in told.stderr.splitlines()[-1]


def test_an_error_in_a_script_is_told(write, tmp_path):
    write(HEAD + "if __name__ != '__main__': 1 / 0\n" + WITH_GUARD)
    told = run(["script.py"], tmp_path)
    assert "ended 1\n" == told.stdout
    assert "child: ZeroDivisionError: division by zero" == told.stderr.splitlines()[-1]
