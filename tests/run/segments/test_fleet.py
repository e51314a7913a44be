"""`streampy run` of a process that is cut: all segments on this machine start together, and are put out together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.run.places.conftest import ends

from streampy.cli.exits import Exit

UNITS = """
from collections.abc import Iterator

import streampy as sp


def numbers(*, until: int = 10**9, pause: float = 0.001) -> Iterator[int]:
    for number in range(until):
        if sp.worker().sleep(pause):
            return
        yield number


def double(x: int, *, fail_at: int = -1) -> int:
    if x == fail_at:
        raise ValueError(f"no {x}")
    return 2 * x


def show(x: int) -> None:
    print(x, flush=True)
"""
PROCESS = """
process: cut
units:
  numbers: {use: "cut_units:numbers"}
  double: {use: "cut_units:double", from: numbers}
  show: {use: "cut_units:show", from: double}
segments:
  edge: [numbers, show]
  core: {units: [double], replicas: 2}
"""
SOON = 30.0


class Command:
    """A `streampy run` under way, and the OS processes that come of it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.program = subprocess.Popen(
            [sys.executable, "-m", "streampy", "run", "cut.yaml", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def await_numbers(self) -> None:
        for expected in range(20):
            assert self.program.stdout.readline() == f"{2 * expected}\n", self.program.poll()

    def segments(self) -> dict[int, str]:
        """By PID, those that run."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
                parent = int(path.with_name("stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"--segment" in words and parent == self.program.pid:
                found[int(path.parent.name)] = words[words.index(b"--segment") + 1].decode()
        return found

    def finish(self) -> tuple[int, str, str]:
        """Its exit code, and what it wrote that was not read before."""
        with ThreadPoolExecutor() as pool:
            read = [pool.submit(file.read) for file in (self.program.stdout, self.program.stderr)]
            out, errors = (one.result(SOON) for one in read)
        return self.program.wait(SOON), out, errors


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "cut_units.py").write_text(UNITS)
    (tmp_path / "cut.yaml").write_text(PROCESS)
    with ExitStack() as stack:

        def start(*words: str) -> Command:
            command = Command(tmp_path, *words)
            stack.callback(close, command)
            return command

        yield start


def close(command: Command) -> None:
    for pid in [*command.segments(), *([command.program.pid] if command.program.poll() is None else [])]:
        os.kill(pid, signal.SIGKILL)
    command.program.wait()
    for file in (command.program.stdout, command.program.stderr):
        file.close()


def test_a_process_that_is_cut_ends_by_itself_with_the_ledgers_of_all_segments(command):
    done = command("--set", "numbers.until=50", "--json")
    code, out, errors = done.finish()
    told = json.loads(out.splitlines()[-1])
    assert (code, errors) == (Exit.OK, "")
    assert [f"{2 * number}" for number in range(50)] == out.splitlines()[:-1]
    assert {"edge", "core#0", "core#1"} == told["segments"].keys()
    ledgers = {name: one["processes"][0]["ledger"] for name, one in told["segments"].items()}
    assert (50, 50, True) == tuple(ledgers["edge"][key] for key in ("born", "delivered", "balanced"))
    assert 50 == ledgers["core#0"]["delivered"] + ledgers["core#1"]["delivered"]


def test_one_segment_that_is_killed_puts_all_out_and_the_exit_code_tells(command):
    running = command()
    running.await_numbers()
    segments = running.segments()
    victim = next(pid for pid, name in segments.items() if name == "core")
    os.kill(victim, signal.SIGKILL)
    code, _, errors = running.finish()
    assert code == Exit.DIED
    assert "was ended by SIGKILL; all others are put out" in errors
    assert [] == ends(list(segments), monotonic() + 1.0)


def test_f11_when_the_command_itself_is_killed_no_segment_lives_a_second_later(command):
    running = command()
    running.await_numbers()
    segments = running.segments()
    assert sorted(segments.values()) == ["core", "core", "edge"]
    running.program.kill()
    assert [] == ends(list(segments), monotonic() + 1.0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, Exit.OK), (signal.SIGINT, Exit.INTERRUPTED)])
def test_f14_a_signal_drains_all_segments_together(command, number, code):
    running = command("--json")
    running.await_numbers()
    running.program.send_signal(number)
    got, out, _ = running.finish()
    *numbers, last = out.splitlines()
    ledger = json.loads(last)["segments"]["edge"]["processes"][0]["ledger"]
    assert got == code
    assert [f"{2 * number}" for number in range(20, 20 + len(numbers))] == numbers
    assert ledger["born"] == ledger["delivered"] == 20 + len(numbers)
    assert ledger["balanced"]


def test_a_unit_that_raises_in_one_segment_ends_all_and_its_lines_are_shown(command):
    running = command("--set", "double.fail_at=30")
    code, _, errors = running.finish()
    assert code == Exit.FAILED
    assert 'raise ValueError(f"no {x}")' in errors
    assert "ValueError: no 30" in errors


AGAIN = PROCESS.replace("replicas: 2", "replicas: 2, on_crash: restart")


def await_segments(running: Command, wanted: int, *, without: int) -> dict[int, str]:
    """Until so many run, and one does not."""
    until = monotonic() + SOON
    while len(found := running.segments()) < wanted or without in found:
        assert monotonic() < until, found
        running.program.stdout.readline()
    return found


def test_f17_a_replica_that_is_killed_is_started_again_where_it_says_so_and_nothing_is_lost(command, tmp_path):
    (tmp_path / "cut.yaml").write_text(AGAIN)
    running = command("--json")
    running.await_numbers()
    victim = next(pid for pid, name in running.segments().items() if name == "core")
    os.kill(victim, signal.SIGKILL)
    await_segments(running, 3, without=victim)
    running.program.send_signal(signal.SIGTERM)
    code, out, errors = running.finish()
    told = json.loads(out.splitlines()[-1])
    ledger = told["segments"]["edge"]["processes"][0]["ledger"]
    assert code == Exit.OK, errors
    assert "was ended by SIGKILL; it is started again" in errors
    assert [1] == list(told["restarts"].values())
    assert ledger["born"] == ledger["delivered"]
    assert ledger["balanced"]
    numbers = [int(line) for line in out.splitlines()[:-1]]
    assert list(range(numbers[0], numbers[0] + 2 * len(numbers), 2)) == numbers
    assert numbers[-1] == 2 * (ledger["born"] - 1)


def test_f17_a_replica_that_dies_at_each_start_is_given_up_and_puts_all_out(command, tmp_path):
    (tmp_path / "cut_units.py").write_text(
        UNITS.replace("return 2 * x", "import os\n    os.kill(os.getpid(), 9) if x == 20 else 0\n    return 2 * x")
    )
    (tmp_path / "cut.yaml").write_text(AGAIN.replace("replicas: 2, ", ""))
    running = command()
    code, _, errors = running.finish()
    assert code == Exit.DIED
    assert errors.count("it is started again") == 5
    assert "was ended by SIGKILL, too often within a minute; all others are put out" in errors


def test_f17_a_replica_that_comes_back_when_all_is_done_ends_too(command, tmp_path):
    (tmp_path / "cut.yaml").write_text(AGAIN)
    running = command("--set", "numbers.until=300")
    running.await_numbers()
    os.kill(next(pid for pid, name in running.segments().items() if name == "core"), signal.SIGKILL)
    code, out, errors = running.finish()
    assert code == Exit.OK, errors
    assert [f"{2 * number}" for number in range(20, 300)] == out.splitlines()
