"""`streampy run` with units in OS processes of their own: signals at any moment, and who hangs (F12, F13, F14)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
from tests.run.places.conftest import ends

from streampy.cli.exits import Exit

SOON = 20.0
AT_ONCE = 2.0
"""Seconds: a second, and another one for a busy machine."""
PRESS = 0.3
"""Seconds between two presses of Ctrl-C that are two."""
UNITS = '''
import os
import re
import time
from collections.abc import Iterator

import streampy as sp


def forever() -> Iterator[bytes]:
    while not sp.worker().sleep(0.002):
        yield bytes(100_000)


def same(data: bytes) -> bytes:
    return data


def last(stream: Iterator[bytes]) -> None:
    for number, _ in enumerate(stream):
        if number == 3:
            print("ready", flush=True)
    print("drained", flush=True)


def sleep(data: bytes) -> None:
    print("ready", os.getpid(), flush=True)
    time.sleep(100)


def match(data: bytes) -> None:
    """One call in C that holds the GIL for hours."""
    print("ready", os.getpid(), flush=True)
    re.fullmatch(r"(a*)*b", "a" * 64)
'''
LIVE = """
process: live
units:
  forever: {{use: "units:forever", place: {place}}}
  same: {{use: "units:same", from: forever, place: own, workers: 2}}
  more: {{use: "units:same", from: same, place: own}}
  last: {{use: "units:{last}", from: more, place: own{more}}}
"""


class Terminal:
    """A command in the foreground of a terminal: what is pressed there goes to all its OS processes."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.program = subprocess.Popen(
            [sys.executable, "-m", "streampy", "run", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def await_ready(self) -> int:
        """Wait until items come; returns the number of the OS process that tells it, which may be that of the unit."""
        while not (line := self.program.stdout.readline()).partition(": ")[2].startswith("ready"):
            assert line, self.program.stderr.read()
        words = line.split()
        return int(words[-1]) if words[-1].isdigit() else 0

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.program.pid, number)

    def family(self) -> list[int]:
        """All that live in its session."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.program.pid and state not in "ZX":
                    found.append(int(path.parent.name))
        return found

    def end(self, seconds: float = SOON) -> tuple[str, str]:
        """What it still told; nothing of it is left."""
        family = self.family()
        out, err = self.program.communicate(timeout=seconds)
        until = monotonic() + AT_ONCE
        assert [] == [*ends(family, until), *ends(self.family(), until)]
        assert [] == list(Path("/dev/shm").glob(f"streampy-{self.program.pid}.*"))  # noqa: S108 - is looked at
        return out, err


@pytest.fixture
def terminal(tmp_path):
    opened = []
    (tmp_path / "units.py").write_text(UNITS)

    def open_(last="last", *words, place="own", more=""):
        (tmp_path / "live.yaml").write_text(LIVE.format(last=last, place=place, more=more))
        opened.append(Terminal(tmp_path, "live.yaml", *words))
        return opened[-1]

    yield open_
    for one in opened:
        one.press(signal.SIGKILL)
        one.program.communicate()


@pytest.mark.parametrize("place", ["own", "main"])
@pytest.mark.parametrize(
    ("number", "name", "code"),
    [(signal.SIGINT, "Ctrl-C", Exit.INTERRUPTED), (signal.SIGTERM, "SIGTERM", Exit.OK)],
)
def test_signal_to_all_os_processes_drains(terminal, number, name, code, place):
    one = terminal("last", "--json", place=place)
    one.await_ready()
    one.press(number)
    out, err = one.end()

    ledger = json.loads(out.splitlines()[-1])["processes"][0]["ledger"]
    assert (code, ledger["born"]) == (one.program.returncode, ledger["delivered"])
    assert err.startswith(f"streampy: {name}: draining, for 30 s at most")
    assert "last: drained" in out


@pytest.mark.parametrize("moment", [0.05, 0.15, 0.25, 0.35, 0.45, 0.6, 0.8])
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing_behind(terminal, moment):
    one = terminal()
    with suppress(subprocess.TimeoutExpired):
        one.program.wait(moment)
    one.press()
    _, err = one.end()

    assert one.program.returncode in {Exit.INTERRUPTED, -signal.SIGINT}, err


@pytest.mark.parametrize("moment", [0.0, 0.3, 0.6])
def test_second_ctrl_c_kills_all_at_once(terminal, moment):
    one = terminal("sleep")
    if not moment:
        one.await_ready()
    with suppress(subprocess.TimeoutExpired):
        one.program.wait(moment)
    one.press()
    while one.program.poll() is None:  # on a busy machine two presses may be heard at once, as one
        with suppress(subprocess.TimeoutExpired):
            one.program.wait(PRESS)
        one.press()
    _, err = one.end(AT_ONCE)

    assert one.program.returncode in {Exit.INTERRUPTED, -signal.SIGINT}, err


@pytest.mark.parametrize("unit", ["sleep", "match"])
def test_unit_that_hangs_elsewhere_is_killed_and_named(terminal, unit):
    one = terminal(unit, "--drain-timeout", "100ms")
    one.await_ready()
    one.press(signal.SIGTERM)
    _, err = one.end()

    assert one.program.returncode == Exit.HUNG
    assert "last" in err
    assert "did not come" in err


@pytest.mark.parametrize("unit", ["sleep", "match"])
def test_f12_unit_that_takes_longer_than_its_timeout_is_killed_and_named(terminal, unit):
    one = terminal(unit, more=", timeout: 200ms")
    hung = one.await_ready()
    _, err = one.end()

    assert one.program.returncode == Exit.HUNG
    assert "'last' did not come back" in err
    assert [] == ends([hung], monotonic())
