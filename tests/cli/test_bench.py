"""`streampy bench`: what it measures, what it concludes, and how it ends."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from textwrap import dedent
from threading import Event

import pytest

import streampy as sp
from streampy.cli.bench_text import write_report
from streampy.cli.benched import Measured
from streampy.cli.exits import Exit
from streampy.flow.meter import Summary

pytestmark = pytest.mark.alone

UNITS = '''
from collections.abc import Iterator

import streampy as sp


def numbers(*, until: int = 10**9, every: float = 0.0) -> Iterator[int]:
    for number in range(until):
        if every and sp.worker().sleep(every):
            return
        yield number


class Detect(sp.Unit):
    """Takes its time, as a model does that computes elsewhere; and takes its time to start, too."""

    def __init__(self, *, seconds: float = 0.003, load: float = 0.0, fail_at: int = -1) -> None:
        self.seconds, self.load, self.fail_at = seconds, load, fail_at

    def start(self) -> None:
        sp.worker().sleep(self.load)

    def work(self, number: int) -> int:
        if number == self.fail_at:
            raise ValueError("can't detect")
        sp.worker().sleep(self.seconds)
        return number


def double(number: int) -> int:
    return 2 * number


def save(number: int) -> None:
    if number == 0:
        print("saved", flush=True)
'''
GO = Event()
"""Set when the first look was taken: the source of the processes that are run in here waits for it."""
FACES = """
process: faces
units:
  camera: {use: "measured:numbers"}
  detect: {use: "measured:Detect", from: camera, pipe: {capacity: 4}}
  double: {use: "measured:double", from: detect}
  save: {use: "measured:save", from: double}
"""


@pytest.fixture
def faces(folder):
    """With `faces.yaml`, whose camera gives as fast as it goes, and whose detector takes 3 ms."""
    (folder / "measured.py").write_text(dedent(UNITS))
    (folder / "faces.yaml").write_text(FACES)
    return folder


def test_the_slow_unit_is_named_and_each_hop_is_told(faces, streampy):
    done = streampy("bench", "faces.yaml", "--for", "300ms")

    lines = done.stdout.splitlines()[1:]  # behind what the process itself printed
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert re.fullmatch(r"faces: \d+ ms, [\d.]+ items/s born, p95 [\d.]+ ms, [\d.]+ cores busy", lines[0])
    assert lines[1].startswith("  detect is the limit: busy ")
    assert lines[1].endswith(", and its pipe was full; more workers (`workers: 2`) would help")
    tables = [[line.split() for line in part.splitlines()] for part in done.stdout.split("\n\n")[1:]]
    assert [["end", "save"], ["unit", "camera", "detect", "double", "save"], ["pipe", "detect.number"]] == [
        [row[0] for row in table] for table in tables
    ]
    pipe = dict(
        zip(["waited", "unit", "p95", "unit", "p99", "unit", "most", "of", "batch"], tables[2][1][1:], strict=True)
    )
    assert ("4", "4", "1") == (pipe["most"], pipe["of"], pipe["batch"])


def test_nothing_is_overloaded_where_the_source_gives_no_more(faces, streampy):
    done = streampy("bench", "faces.yaml", "--for", "300ms", "--set", "camera.every=0.01", "--set", "detect.seconds=0")

    assert re.search(r"\n  camera gives [\d.]+ items/s: nothing is overloaded; ", done.stdout)


def test_json_has_the_names_of_stats_and_what_was_measured(faces, streampy):
    done = streampy("bench", "faces.yaml", "--for", "300ms", "--runs", "2", "--json")

    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["exit"], len(told["runs"])) == (Exit.OK, 0, 2)
    for run in told["runs"]:
        measured = run["measured"]
        assert ("unit", ["detect"]) == (measured["limit"]["limit"], measured["limit"]["units"])
        assert 0.5 < measured["shares"]["detect"]["busy"] <= 1.0
        assert ["save"] == list(measured["items"])
        assert 0 < measured["items"]["save"] * measured["seconds"] < measured["born"] * measured["seconds"] + 7
        assert measured["seconds"] >= 0.3
        assert run["ledger"]["balanced"] is True
        assert run["units"]["detect"]["received"] >= measured["items"]["save"] * measured["seconds"]


def test_time_that_units_need_to_start_is_not_measured(faces, streampy):
    done = streampy("bench", "faces.yaml", "--for", "100ms", "--json", "--set", "detect.load=0.5")

    run = json.loads(done.stdout.splitlines()[-1])["runs"][0]
    assert 0.1 <= run["measured"]["seconds"] < 0.5 < run["seconds"]


def test_process_that_ends_by_itself_is_measured_until_then(faces, streampy):
    done = streampy("bench", "faces.yaml", "--json", "--set", "camera.until=30")

    run = json.loads(done.stdout.splitlines()[-1])["runs"][0]
    assert 20 < round(run["measured"]["items"]["save"] * run["measured"]["seconds"]) <= 30  # the first look may be late
    assert 30 == run["ledger"]["delivered"]


def test_each_of_several_runs_is_told(faces, streampy):
    done = streampy("bench", "faces.yaml", "--runs", "3", "--set", "camera.until=30")

    lines = [line for line in done.stdout.splitlines() if line != "saved"]
    assert "faces: 3 runs, of which the one in the middle is shown" == lines[0]
    assert ["run 1", "run 2", "run 3"] == [line.strip().partition(":")[0] for line in lines[1:4]]
    assert 1 == sum(line.endswith(" <-") for line in lines[1:4])


def numbers(*, until: int = 100, every: float = 0.0) -> Iterator[int]:
    GO.wait(10)
    for number in range(until):
        if every:
            sp.worker().sleep(every)
        yield number


def detect(number: int, *, seconds: float = 0.002) -> None:
    if seconds:
        sp.worker().sleep(seconds)


def measured(*, cores: float, every: float = 0.0, seconds: float = 0.002) -> Measured:
    GO.clear()
    process = sp.Process("faces").add("camera", numbers, every=every)
    process.add("detect", detect, from_="camera", pipe={"capacity": 4}, set={"seconds": seconds})
    with sp.run(process) as running:
        before = running.stats()
        GO.set()
        running.wait()
        return Measured(running.plan, before, running.stats(), cores)


def test_hogs_are_told_below_the_limit():
    one = measured(cores=1.0)
    told = replace(
        one.after,
        seconds=one.before.seconds + 10.0,
        gil_wait=Summary(count=200, mean=0.002),
        units={
            name: replace(unit, gil=0.9 * (name == "detect"), emitted=1000) for name, unit in one.after.units.items()
        },
    )
    report = write_report([replace(one, after=told)])

    assert "\n  detect holds the GIL " in report
    assert "1 other thread in main waited for it, 2.00 ms each time" in report
    assert "holds the GIL" not in write_report([one])


def test_runs_that_do_not_agree_are_told():
    source = measured(cores=1.0, every=0.002, seconds=0)
    unit = measured(cores=0.1)

    report = write_report([source, unit, unit])

    assert "the runs don't agree on the limit: detect in 2, camera in 1" in report
    assert "the runs don't agree" not in write_report([unit, unit, unit])


def test_failure_is_shown_instead_of_figures(faces, streampy):
    done = streampy("bench", "faces.yaml", "--runs", "3", "--set", "detect.fail_at=5")

    assert Exit.FAILED == done.returncode
    assert "ValueError: can't detect" in done.stderr
    assert 1 == done.stderr.count("unit 'detect' failed on item camera #5")
    assert "detect is the limit" not in done.stdout


def test_broken_process_does_not_start(faces, streampy):
    done = streampy("bench", "faces.yaml", "--set", "detect.secnds=1")

    assert (Exit.PROCESS, "") == (done.returncode, done.stdout)
    assert "did you mean 'seconds'?" in done.stderr


@pytest.mark.parametrize("words", [("--runs", "0"), ("--runs", "many"), ("--for", "soon"), ("--set", "detect")])
def test_mistake_on_the_command_line_is_a_usage_error(words, faces, streampy):
    assert Exit.USAGE == streampy("bench", "faces.yaml", *words).returncode


def test_what_was_measured_before_ctrl_c_is_told(faces):
    command = [sys.executable, "-m", "streampy", "bench", "faces.yaml", "--for", "1h", "--runs", "3"]
    with subprocess.Popen(command, cwd=faces, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "saved\n" == process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert Exit.INTERRUPTED == process.returncode
    assert err.startswith("streampy: Ctrl-C: draining")
    assert out.startswith("faces: ")
    assert "detect" in out
