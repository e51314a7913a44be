"""F13: Ctrl-C at any moment, real signals to a real OS process; what a second one does is tested in `tests/cli`."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SOON = 20

SCRIPT = """
import sys
from collections.abc import Iterator
import streampy as sp

way, moment, stubborn = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "stubborn"

def tell(where):
    print(where, flush=True)

class Numbers(sp.Unit):
    def start(self) -> None:
        if moment == -1:
            tell("now")
            sp.worker().sleep(60)
    def work(self) -> Iterator[int]:
        number = 0
        while True:
            if number == moment and not stubborn:
                tell("now")
            yield number
            number += 1

class Sink(sp.Unit):
    def work(self, number: int) -> None:
        if stubborn and number == moment:
            tell("now")
            while True:
                pass  # does not hear
    def stop(self) -> None:
        tell("stopped")

async def same_async(number: int) -> int:
    return number

def same(number: int) -> int:
    return number

process = sp.Process("endless").add("numbers", Numbers)
pipe = {"capacity": 8} if way == "threads" else None
process.add("same", same_async if way == "async" else same, from_="numbers", pipe=pipe)
process.add("sink", Sink, from_="same")
try:
    with sp.run(process) as running:
        running.wait()
except KeyboardInterrupt:
    tell("interrupted")
    sys.exit(130)
"""


@pytest.fixture
def endless():
    started = []

    def start(way: str, moment: int, temper: str = "obedient") -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, way, str(moment), temper],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        assert child.stdout.readline() == "now\n"
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("way", ["fused", "threads", "async"])
@pytest.mark.parametrize("moment", [-1, 0, 1, 7, 1000])
def test_f13_ctrl_c_at_any_moment_stops_every_unit_and_comes_out(endless, way, moment):
    child = endless(way, moment)
    child.send_signal(signal.SIGINT)
    told, errors = child.communicate(timeout=SOON)
    assert told.splitlines()[-1] == "interrupted", errors
    assert child.returncode == 130
    if moment >= 0:
        assert "stopped" in told


def test_f13_a_unit_that_does_not_hear_ctrl_c_is_named_and_left_behind(endless):
    child = endless("threads", 3, "stubborn")
    child.send_signal(signal.SIGINT)
    told, errors = child.communicate(timeout=SOON)
    assert child.returncode != 0
    assert "sink did not come back" in told + errors
