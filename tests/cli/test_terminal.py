"""On a terminal there is progress, and errors show the line that they stand in."""

import os
import pty
import re
import subprocess
import sys

import pytest

from streampy.cli.exits import Exit


@pytest.fixture
def in_terminal(folder):
    """Run a command in a terminal of its own; returns what is seen there, and the exit code."""

    def run(*words, stdout=None):
        ours, theirs = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"}
        command = [sys.executable, "-m", "streampy", *words]
        process = subprocess.Popen(command, cwd=folder, env=env, stdin=theirs, stdout=stdout or theirs, stderr=theirs)
        os.close(theirs)
        seen = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:  # the other end was closed
                break
            if not some:
                break
            seen += some
        os.close(ours)
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
        return text.replace("\r\n", "\n"), process.wait(30)

    return run


def test_finite_process_has_a_bar_with_rate_and_time_left(in_terminal, folder):
    (folder / "slow.yaml").write_text("process: slow\nunits: {paced: {use: 'paced:paced'}}\n")
    (folder / "paced.py").write_text(
        "from collections.abc import Iterator\n"
        "import streampy as sp\n"
        "def paced() -> Iterator[int]:\n"
        "    sp.worker().expect(100)\n"
        "    for number in range(100):\n"
        "        sp.worker().sleep(0.01)\n"
        "        yield number\n"
    )

    seen, code = in_terminal("run", "slow.yaml")

    assert code == Exit.OK
    assert "slow" in seen
    assert "% " in seen
    assert "/s" in seen
    assert " left" in seen
    assert "slow: 100 items in " in seen
    assert "born 100 = delivered 100" in seen


def test_live_process_has_a_line_of_figures(in_terminal):
    seen, code = in_terminal("run", "live.yaml", "--for", "600ms")

    assert code == Exit.OK
    assert "in flight" in seen
    assert "p95" in seen
    assert "left" not in seen


def test_problem_shows_the_line_that_it_stands_in(in_terminal, folder):
    (folder / "wrong.yaml").write_text("process: wrong\nunits:\n  numbers: {use: 'units:nmbers'}\n")

    seen, code = in_terminal("check", "wrong.yaml")

    assert code == Exit.PROCESS
    assert seen == (
        "error units.numbers.use  wrong.yaml:3:13\n"
        "    3 |   numbers: {use: 'units:nmbers'}\n"
        "      |             ^^^\n"
        "  'units' has no 'nmbers', did you mean 'numbers'?\n"
        "\n"
        "wrong.yaml: 1 problem\n"
    )


def test_what_units_print_goes_to_whoever_reads_it_and_not_to_the_terminal(in_terminal, folder):
    with (folder / "printed.txt").open("w") as printed:
        seen, code = in_terminal("run", "live.yaml", "--for", "300ms", stdout=printed)

    assert code == Exit.OK
    assert (folder / "printed.txt").read_text() == "ready\ndrained\n"
    assert "drained" not in seen
