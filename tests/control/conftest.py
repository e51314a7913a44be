"""Real runs with real sockets, in a folder of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from textwrap import dedent

import pytest
from tests.control.waiting import SOON

UNITS = '''
from collections.abc import AsyncIterator, Iterator

import numpy as np

import streampy as sp


def ticks(*, pause: float = 0.005) -> Iterator[int]:
    number = 0
    while not sp.worker().sleep(pause):
        yield number
        number += 1


def frames() -> Iterator[np.ndarray]:
    while not sp.worker().sleep(0.005):
        yield np.full((48, 64, 3), 200, np.uint8)


def show(frame: np.ndarray) -> None:
    pass


class Scale(sp.Unit):
    """Multiplies, and writes down when it starts and stops."""

    def __init__(self, *, by: int = 2, log: str = "") -> None:
        self.by, self.log, self.count = by, log, 0

    def start(self) -> None:
        self.note("start")

    def stop(self) -> None:
        self.note("stop")

    def note(self, word: str) -> None:
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{word} ")

    def work(self, number: int) -> int:
        self.count += 1
        return self.by * number

    @sp.event("reset")
    def reset(self, to: int = 0) -> int:
        """Count from there."""
        before, self.count = self.count, to
        return before

    @sp.event("fail")
    def fail(self) -> None:
        raise OverflowError("too much")


class ScaleAsync(Scale):
    async def work(self, number: int) -> int:
        self.count += 1
        return self.by * number


def spin(number: int) -> int:
    return spin_deeper(number)


def spin_deeper(number: int) -> int:
    while not sp.worker().stopping:
        sum(range(1000))
    return number


def last(number: int) -> None:
    if number == 0:
        print("ready", flush=True)


def choosy(number: int) -> None:
    if number == 3:
        raise ValueError("not a three")
'''
LIVE = """
process: live
units:
  ticks: {use: "parts:ticks"}
  scale: {use: "parts:Scale", from: ticks, pipe: {capacity: 8}, workers: {min: 1, max: 3}, on_error: skip}
  last: {use: "parts:last", from: scale, pipe: {capacity: 8}}
"""
STUCK = """
process: stuck
units:
  ticks: {use: "parts:ticks"}
  spin: {use: "parts:spin", from: ticks, pipe: {capacity: 8}}
"""
CUT = """
process: cut
units:
  ticks: {use: "parts:ticks"}
  scale: {use: "parts:Scale", from: ticks, pipe: {capacity: 8}}
  last: {use: "parts:last", from: scale}
segments:
  edge: [ticks]
  core: {units: [scale, last], replicas: 2}
"""


@pytest.fixture(autouse=True)
def runtime(monkeypatch) -> Iterator[Path]:
    """The folder of the sockets; its path is short, for that of a socket must be."""
    folder = Path(mkdtemp(prefix="sp-", dir="/tmp"))
    monkeypatch.setenv("STREAMPY_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("STREAMPY_TOKEN", raising=False)
    monkeypatch.delenv("STREAMPY_CONTROL", raising=False)
    yield folder
    left = [path.name for path in folder.iterdir()]
    shutil.rmtree(folder)
    assert not left, f"sockets were left: {left}"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """With the module `parts`, `live.yaml`, `stuck.yaml`, which does not end, and `cut.yaml` of two segments."""
    (tmp_path / "parts.py").write_text(dedent(UNITS))
    (tmp_path / "live.yaml").write_text(LIVE)
    (tmp_path / "stuck.yaml").write_text(STUCK)
    (tmp_path / "cut.yaml").write_text(CUT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("parts", None)


@pytest.fixture
def parts(folder):
    """The units, in this OS process; those of other ones find them too."""
    import parts  # noqa: PLC0415 - it is written just before

    return parts


@pytest.fixture
def started(folder):
    """Start a command of `streampy`; what still runs at the end is killed."""
    running = []

    def start(*words, env=None) -> subprocess.Popen:
        command = [sys.executable, "-m", "streampy", *words]
        program = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(program)
        return program

    yield start
    for program in running:
        if program.poll() is None:
            program.terminate()
        program.communicate(timeout=SOON)
