"""`streampy ctl` steers what `streampy run` runs."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.control.waiting import SOON, all_running, until

from streampy.run.control.client import find


@pytest.fixture
def ctl(folder):
    """Run `streampy ctl` to its end; the code, what it printed, and what it complained of."""

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "streampy", "ctl", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=SOON,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_run_is_seen_and_steered(started, ctl):
    program = started("run", "live.yaml")
    all_running()
    code, said, _ = ctl()
    assert (0, True) == (code, f"live  {program.pid}" in said)
    code, said, _ = ctl("stats")
    assert 0 == code
    assert "unit   state    workers" in said
    assert (0, "live: set done\n", "") == ctl("set", "scale", "by=5")
    assert (0, "live: scale done\n", "") == ctl("live", "scale", "scale", "3")
    code, said, _ = ctl("--json", "stats", "scale")
    figures = json.loads(said)["live"]
    assert (0, {"by": 5, "log": ""}, 3) == (code, figures["settings"], figures["workers"])
    code, said, _ = ctl("fire", "scale", "reset", "to=7")
    assert 0 == code
    assert said.startswith("live: [")
    code, said, _ = ctl("peek", "scale.number", "--count", "2", "--wait", "10s")
    assert 2 == said.count("ticks #")
    assert (0, "live: pause done\n", "") == ctl("pause")
    assert "paused" == find()[0].head["state"]
    assert (0, "live: resume done\n", "") == ctl("resume")
    assert (0, "live: stop done\n", "") == ctl("stop", "scale")
    assert (0, "live: start done\n", "") == ctl("start", "scale")
    assert (0, "live: drain done\n", "") == ctl(str(program.pid), "drain")
    assert 0 == program.wait(SOON)
    assert (0, "nothing runs here\n", "") == ctl()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["stop"], 2, "nothing runs here"),
        (["live", "stopp"], 2, "there is no verb 'stopp', did you mean 'stop'?"),
        (["scale", "x", "many"], 2, "scale x: got 'many', expected a number of workers, or auto"),
        (["set", "x"], 2, "set x: got '', expected NAME=VALUE"),
        (["fire", "x"], 2, "fire x: which event?"),
        (["peek"], 2, "peek needs a unit: streampy ctl [PROCESS] peek UNIT"),
        (["drain", "x"], 2, "drain is of a whole process, and takes no 'x'"),
        (["pause", "x", "y"], 2, "one unit at a time"),
        (["stats", "--at", "tcp://127.0.0.1:1"], 1, "nobody answers at tcp://127.0.0.1:1"),
    ],
)
def test_what_can_not_be_understood_is_told(ctl, words, code, told):
    got, _, said = ctl(*words)
    assert (code, True) == (got, told in said), said


def test_a_unit_that_is_not_there_is_told(started, ctl):
    started("run", "live.yaml")
    all_running()
    code, _, said = ctl("scale", "scal", "2")
    assert (2, "streampy: live: there is no unit 'scal', did you mean 'scale'?\n") == (code, said)


def test_all_segments_and_replicas_of_a_process_are_one(started, ctl):
    program = started("run", "cut.yaml")
    all_running(3)
    _, said, _ = ctl()
    assert ["cut/core", "cut/core#1", "cut/edge"] == [line.split()[0] for line in said.splitlines()[1:]]
    assert (0, "cut/core: set done\ncut/core#1: set done\n", "") == ctl("set", "scale", "by=5")
    assert (0, "cut/core#1: set done\n", "") == ctl("cut/core#1", "set", "scale", "by=6")
    _, said, _ = ctl("--json", "stats")
    told = {name: one["stats"] for name, one in json.loads(said).items()}
    assert 5 == told["cut/core"]["units"]["scale"]["settings"]["by"]
    assert 6 == told["cut/core#1"]["units"]["scale"]["settings"]["by"]
    assert {"core": 2} == {name: link["peers"] for name, link in told["cut/edge"]["links"].items()}
    assert 0 == ctl("pause", "ticks")[0]
    assert "paused" == next(one.head["state"] for one in find() if one.head["segment"] == "edge")
    assert 0 == ctl("drain")[0]
    assert 0 == program.wait(SOON)


def test_killing_one_replica_puts_all_out(started, ctl, runtime):
    program = started("run", "cut.yaml")
    all_running(3)
    ctl("cut/core#1", "kill")
    assert 5 == program.wait(SOON)
    until(lambda: not list(runtime.iterdir()))


def test_kill_ends_it_at_once_and_leaves_nothing(started, ctl, runtime):
    program = started("run", "live.yaml", "--set", "scale.place=own")
    all_running()
    pid = program.pid
    ctl("kill")
    assert -signal.SIGKILL == program.wait(SOON)
    assert [] == list(runtime.iterdir())
    assert [] == list(Path("/dev/shm").glob(f"streampy-{pid}.*"))  # noqa: S108


def test_a_second_ctrl_c_leaves_no_socket(started, runtime):
    program = started("run", "stuck.yaml")
    all_running()
    program.send_signal(signal.SIGINT)
    until(lambda: not find() or find()[0].head["state"] == "draining")

    def is_over():
        if program.poll() is None:
            program.send_signal(signal.SIGINT)
        return program.poll() is not None

    until(is_over)
    assert program.wait(SOON) in {130, -signal.SIGINT}  # the last one may come when nobody listens any more
    assert [] == list(runtime.iterdir())


def test_who_watches_gets_a_line_of_json_each_time(started, folder):
    started("run", "live.yaml", "--for", "3s")
    all_running()
    watching = started("ctl", "watch", "--every", "200ms")
    lines = watching.communicate(timeout=SOON)[0].splitlines()
    assert len(lines) > 2
    assert all("live" == json.loads(line)["name"] for line in lines)


def test_it_is_steered_over_tcp_with_a_token(started, ctl, runtime, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started("run", "live.yaml", "--control", f"tcp://127.0.0.1:{port}", env={"STREAMPY_TOKEN": "secret"})
    all_running()
    monkeypatch.setenv("STREAMPY_RUNTIME_DIR", f"{runtime}x")
    assert 1 == ctl("stats", "--at", f"tcp://127.0.0.1:{port}")[0]
    monkeypatch.setenv("STREAMPY_TOKEN", "secret")
    code, said, _ = ctl("--at", f"tcp://127.0.0.1:{port}")
    assert (0, True) == (code, "live" in said)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["live.yaml", "--control", "yes"], "--control: got 'yes', expected on, off or tcp://HOST:PORT"),
        (["live.yaml", "--control", "tcp://0.0.0.0:7000"], "so it needs a token"),
        (["cut.yaml", "--control", "tcp://127.0.0.1:7000"], "is of one segment: say which by --segment NAME"),
        (["live.yaml", "cut.yaml", "--control", "tcp://127.0.0.1:7000"], "one address is for one process"),
        (["cut.yaml", "--metrics", "127.0.0.1:0"], "is of one OS process: say which by --segment NAME"),
        (["live.yaml", "cut.yaml"], "cut.yaml is cut into segments: run it by itself"),
        (["cut.yaml", "live.yaml", "--segment", "core"], "cut.yaml is cut into segments: run it by itself"),
    ],
)
def test_what_can_not_be_had_of_a_run_is_told(started, words, told):
    program = started("run", *words)
    _, said = program.communicate(timeout=SOON)
    assert (2, True) == (program.returncode, told in said), said
