"""A segment that waits for others at its start and is put out ends at once, and says for whom it waited."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from tests.run.segments.cut import address_of

import streampy as sp
from streampy.cli.exits import Exit
from streampy.run.start import prepare

UNITS = """
from collections.abc import Iterator

import streampy as sp


def numbers() -> Iterator[int]:
    yield 1


def forget(number: int) -> None:
    pass


class Fails(sp.Unit):
    def start(self) -> None:
        raise ValueError("no model")

    def work(self, number: int) -> None:
        pass
"""
PROCESS = """
process: waits
units:
  numbers: {{use: "waits_units:numbers"}}
  forget: {{use: "waits_units:{use}", from: numbers}}
segments:
  edge: [numbers]
  core: {{units: [forget], listen: "{listen}"}}
links:
  edge -> core: {{dial: "{dial}"}}
"""
AT_ONCE = 4.0
"""Seconds: less than the 5 after which a fleet kills, and far less than the 120 that a start may wait."""


@pytest.fixture
def nobody() -> str:
    """An address at which nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        return address_of(port)


def streampy(folder: Path, *words: str, use: str = "forget", listen: str, dial: str) -> subprocess.Popen[str]:
    (folder / "waits_units.py").write_text(UNITS)
    (folder / "waits.yaml").write_text(PROCESS.format(use=use, listen=listen, dial=dial))
    return subprocess.Popen(
        [sys.executable, "-m", "streampy", "run", "waits.yaml", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_ends_a_segment_that_waits_for_another_one_and_says_for_whom(tmp_path, nobody):
    with streampy(tmp_path, "--segment", "edge", listen=nobody, dial=nobody) as command:
        assert "refused" in command.stderr.readline()
        since = monotonic()
        command.send_signal(signal.SIGTERM)
        told = command.stderr.read()
        assert Exit.FAILED == command.wait()
        assert monotonic() - since < AT_ONCE
        assert "put out while it waited for other segments: no OS process of segment 'core'" in told


def test_a_segment_that_waits_for_one_that_failed_ends_at_once_and_need_not_be_killed(tmp_path, nobody):
    with streampy(tmp_path, use="Fails", listen=nobody, dial=nobody) as command:
        told = command.stderr.read()
        assert Exit.FAILED == command.wait()
        assert "ValueError: no model" in told
        assert "all others are put out" in told
        assert "killed" not in told


def numbers() -> Iterator[int]:
    yield 1


def forget(number: int) -> None:
    """Nothing comes of it."""


def test_who_gives_up_before_it_began_to_wait_does_not_begin(nobody):
    process = sp.Process("waits").add("numbers", numbers).add("forget", forget, from_="numbers")
    process.segment("edge", "numbers").segment("core", "forget").link("edge", "core", dial=nobody)
    running = prepare(process, segment="edge")
    running.give_up()
    with pytest.raises(sp.StreamPyError, match="put out before it began to wait for other segments"):
        running.start(60.0)
