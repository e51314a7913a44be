"""`streampy top` of real processes: as a table, as JSON, and in a terminal, with keys."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from tempfile import TemporaryDirectory
from time import monotonic

import pytest
from textual.widgets import DataTable, Static

import streampy as sp
from streampy.cli.top_app import Top
from streampy.cli.top_rows import bar, errors_of, gauge
from streampy.cli.top_watch import Watching

SOON = 10.0
"""Seconds in which everything must have come about."""


def ticks():
    number = 0
    while not sp.worker().sleep(0.01):
        yield number
        number += 1


def same(number: int) -> int:
    if number == 3:
        raise ValueError("three is unlucky")
    return number


def take(number: int) -> None:
    pass


@pytest.fixture(autouse=True)
def runtime_dir(monkeypatch):
    """With a short name, for that of a unix socket is short."""
    with TemporaryDirectory(prefix="sp") as folder:
        monkeypatch.setenv("STREAMPY_RUNTIME_DIR", folder)
        yield folder


@pytest.fixture
def running():
    process = sp.Process("ticking").add("ticks", ticks)
    process.add("same", same, from_="ticks", workers={"min": 1, "max": 3}, on_error="skip", pipe={"capacity": 8})
    with sp.run(process.add("take", take, from_="same")) as running:
        yield running


def drive(play):
    """Let a coroutine play with the app, on a large screen."""

    async def main():
        with Watching("", [], "", every=0.1) as watching:
            app = Top(watching)
            async with app.run_test(size=(140, 30)) as pilot:
                await play(app, pilot)

    asyncio.run(main())


async def until(pilot, is_so):
    end = monotonic() + SOON
    while not is_so():
        assert monotonic() < end, "it did not come about"
        await pilot.pause(0.05)


def column(app, number):
    table = app.query_one(DataTable)
    return [str(table.get_row_at(row)[number]) for row in range(table.row_count)]


def text(app, name):
    return str(app.query_one(name, Static).content)


def test_each_unit_has_a_row_below_its_segment(running):
    async def play(app, pilot):
        await until(pilot, lambda: column(app, 0) == ["ticking", "  ticks", "  same", "  take"])
        await until(pilot, lambda: "items/s" in text(app, "#limit"))

    drive(play)


def test_a_unit_is_held_and_let_go_by_keys(running):
    async def play(app, pilot):
        await until(pilot, lambda: len(column(app, 1)) == 4)
        await pilot.press("down", "p")
        await until(pilot, lambda: column(app, 1)[2] == "held")
        await pilot.press("r")
        await until(pilot, lambda: column(app, 1)[2] == "running")

    drive(play)


def test_workers_come_and_go_by_keys_and_what_is_not_possible_is_told(running):
    async def play(app, pilot):
        await until(pilot, lambda: len(column(app, 1)) == 4)
        await pilot.press("down", "plus")
        await until(pilot, lambda: column(app, 2)[2] == "2")
        await pilot.press("minus")
        await until(pilot, lambda: column(app, 2)[2] == "1")
        await pilot.press("up", "plus")
        await until(pilot, lambda: "! scale ticks: " in text(app, "#limit"))

    drive(play)


def test_the_errors_of_a_unit_are_shown_and_put_away(running):
    async def play(app, pilot):
        await until(pilot, lambda: len(column(app, 1)) == 4)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "ValueError: three is unlucky" in text(app, "#errors"))
        assert app.query_one("#details").display
        await pilot.press("enter")
        assert not app.query_one("#details").display

    drive(play)


def test_a_process_that_ends_leaves_the_screen_and_a_new_one_comes():
    async def play(app, pilot):
        assert "nothing runs here: start a process by" in text(app, "#limit")
        process = sp.Process("short").add("ticks", ticks)
        with sp.run(process.add("take", take, from_="ticks")):
            await until(pilot, lambda: column(app, 0) == ["short", "  ticks", "  take"])
        await until(pilot, lambda: column(app, 0) == [])

    drive(play)


def top(*words, env=None):
    command = [sys.executable, "-m", "streampy", "top", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=env)


def test_the_table_is_printed_once(running):
    done = top("--once")
    assert done.returncode == 0
    head, limit, columns, *units = done.stdout.splitlines()
    assert head.startswith("ticking  running  ")
    assert "items/s" in limit
    assert ["unit", "state", "workers", "in/s", "out/s"] == columns.split()[:5]
    assert ["ticks", "same", "take"] == [line.split()[0] for line in units]


def test_it_is_told_as_json(running):
    (segment,) = json.loads(top("--once", "--json").stdout)["segments"]
    assert ("ticking", "running") == (segment["process"], segment["state"])
    assert {"ticks", "same", "take"} == segment["stats"]["units"].keys()


def test_it_is_told_where_nothing_runs(runtime_dir):
    done = top("--once")
    assert (1, "streampy: nothing runs here: start a process by `streampy run FILE`, in another terminal\n") == (
        done.returncode,
        done.stderr,
    )


def test_only_what_was_named_is_shown_and_a_name_that_is_none_is_told(running):
    assert top("ticking", "--once").returncode == 0
    done = top("tickin", "--once")
    assert done.returncode == 1
    assert "'tickin', did you mean 'ticking'" in done.stderr


class Terminal:
    """A real one, by tmux."""

    def __init__(self, socket, command):
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self.tmux("new-session", "-d", "-x", "140", "-y", "30", f"{command}; echo left $?; cat")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")

    def tmux(self, *words):
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True, timeout=10).stdout

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def until_seen(self, what):
        end = monotonic() + SOON
        while what not in (screen := self.tmux("capture-pane", "-p")):
            assert monotonic() < end, screen


needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


@needs_tmux
def test_in_a_terminal_it_is_seen_steered_and_left(running, runtime_dir):
    with Terminal(f"{runtime_dir}/tmux", f"{sys.executable} -m streampy top") as terminal:
        terminal.until_seen("  take")
        terminal.until_seen("p pause")
        terminal.press("Down", "p")
        terminal.until_seen("held")
        terminal.press("q")
        terminal.until_seen("left 0")


@needs_tmux
def test_without_textual_a_table_comes_each_time_with_a_word_of_what_to_install(running, runtime_dir, tmp_path):
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError(\"No module named 'textual'\", name='textual')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = f"env PYTHONPATH={path} {sys.executable} -m streampy top --every 200ms"
    with Terminal(f"{runtime_dir}/tmux", command) as terminal:
        terminal.until_seen("pip install 'streampy[tui]'")
        terminal.until_seen("  take ")
        terminal.press("C-c")
        terminal.until_seen("left 130")


def test_without_a_terminal_a_table_comes_each_time_until_it_is_interrupted(running):
    command = [sys.executable, "-m", "streampy", "top", "--every", "100ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        heads = 0
        while heads < 2:
            heads += process.stdout.readline().startswith("ticking  running")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SOON)
    assert process.returncode == 130


def test_a_bar_shows_busy_and_blocked_and_a_gauge_the_fullest_pipe():
    assert bar({"busy": 0.5, "blocked": 0.25}) == "████████▒▒▒▒····  50%"
    assert bar({"busy": 1.0, "blocked": 0.5}) == "████████████████ 100%"
    assert gauge([{"depth": 1, "capacity": 8}, {"depth": 32, "capacity": 64}]) == "███··· 32/64"
    assert gauge([]) == ""


def test_errors_and_log_of_one_unit_come_newest_first():
    stats = {
        "errors": [
            {"unit": "a", "item": "s #1", "text": "ValueError: 1", "traceback": "T1"},
            {"unit": "b", "item": "s #2", "text": "ValueError: 2", "traceback": "T2"},
            {"unit": "a", "item": "s #3", "text": "ValueError: 3", "traceback": ""},
        ],
        "log": [{"level": "WARNING", "logger": "streampy.unit.a", "text": "hm"}],
    }
    assert ["a s #3: ValueError: 3", "a s #1: ValueError: 1", "T1", "WARNING streampy.unit.a: hm"] == [
        *errors_of({"stats": stats}, "a")
    ]
