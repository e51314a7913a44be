"""Real commands with real small processes."""

import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

UNITS = '''
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import streampy as sp


def numbers(*, until: int = 10) -> Iterator[int]:
    sp.worker().expect(until)
    yield from range(until)


def forever() -> Iterator[int]:
    number = 0
    while not sp.worker().sleep(0.001):
        yield number
        number += 1


def double(number: int, *, fail_at: int = -1) -> int:
    if number == fail_at:
        return divide(number)
    return 2 * number


def divide(number: int) -> int:
    return number // 0


def odd(number: int) -> int | None:
    return number if number % 2 else None


def ready(number: int) -> None:
    """Tell the test, once, that items come."""
    if number == 0:
        print("ready", flush=True)


def stuck(number: int) -> None:
    """Never come back, and tell the test so."""
    print("ready", flush=True)
    threading.Event().wait()


def last(numbers: Iterator[int]) -> None:
    for number in numbers:
        if number == 0:
            print("ready", flush=True)
    print("drained", flush=True)


async def last_async(numbers: AsyncIterator[int]) -> None:
    async for number in numbers:
        if number == 0:
            print("ready", flush=True)
    print("drained", flush=True)
'''
DOUBLES = """
process: doubles
units:
  numbers: {use: "units:numbers"}
  double: {use: "units:double", from: numbers, pipe: {capacity: 4}}
  odd: {use: "units:odd", from: numbers}
"""
LIVE = """
process: live
units:
  forever: {use: "units:forever"}
  last: {use: "units:last", from: forever}
"""
STUCK = """
process: stuck
units:
  numbers: {use: "units:numbers"}
  stuck: {use: "units:stuck", from: numbers}
"""


@pytest.fixture
def folder(tmp_path):
    """With `doubles.yaml`, which ends by itself, `live.yaml`, which doesn't, and `stuck.yaml`, which can't."""
    (tmp_path / "units.py").write_text(dedent(UNITS))
    for name, text in (("doubles", DOUBLES), ("live", LIVE), ("stuck", STUCK)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def streampy(folder):
    """Run a command to its end, in the folder."""

    def run(*words, env=None):
        return subprocess.run(
            [sys.executable, "-m", "streampy", *words],
            cwd=folder,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    return run


@pytest.fixture
def started(folder):
    """Start `streampy run`, and come back when its units print that items come."""
    running = []

    def start(*words):
        command = [sys.executable, "-m", "streampy", "run", *words]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
