"""Whoever is killed at whatever moment: what a nursery bore lives no longer than the main OS process wants it to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex
from textwrap import dedent
from time import monotonic

import pytest
from tests.run.places.conftest import Family, ends, soon

from streampy.errors import RunError

AT_ONCE = 1.0
"""Seconds."""
MARK = "STREAMPY_TEST_MARK"


def marked(mark: str) -> list[int]:
    """The OS processes that come from the one with this mark in its environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in path.read_bytes() and _lives(int(path.parent.name)):
                found.append(int(path.parent.name))
    return found


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"


SCRIPT = dedent("""
    import os, signal, socket, sys, threading
    from streampy.run.places.launch import Nursery

    nursery = Nursery("doomed")
    sockets = []

    def bear(life, **options):
        ours, theirs = socket.socketpair()
        sockets.append(ours)
        with theirs:
            return nursery.bear(life, f"nursery_lives:{life}", theirs.fileno(), **options)

    def bear_and_wait(life, **options):
        child = bear(life, **options)
        sockets[-1].recv(100)
        return child

    def say(word):
        os.write(1, word.encode())

    if __name__ == "__main__":
        say("!")
        nursery.start()
        ACT
        say("!")
        threading.Event().wait(3600)
""")


class Doomed:
    """A main OS process that is killed."""

    def __init__(self, folder: Path, act: str) -> None:
        self.mark = token_hex(8)
        script = folder / "doomed.py"
        script.write_text(SCRIPT.replace("ACT", act))
        paths = [str(Path(__file__).parent), *sys.path]
        self._program = subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, MARK: self.mark, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.await_word()

    def await_word(self) -> None:
        assert self._program.stdout is not None
        assert b"!" == self._program.stdout.read(1)

    def live(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(seconds)

    def kill(self) -> list[int]:
        """Kill it; returns what of it still lives when it should not."""
        family = marked(self.mark)
        self._program.kill()
        until = monotonic() + AT_ONCE
        left = {*ends(family, until), *ends(marked(self.mark), until)}
        return sorted(left)

    def close(self) -> None:
        for pid in marked(self.mark):
            os.kill(pid, signal.SIGKILL)
        self._program.communicate()


@pytest.mark.parametrize(
    "act",
    [
        "bear_and_wait('hang')",
        "bear_and_wait('be_busy')",
        "[bear_and_wait('hang') for _ in range(5)]",
        "bear_and_wait('hang', env={'A': '1'})",
        "bear('hang', env={'A': '1'})",
        "os.kill(bear_and_wait('hang').pid, signal.SIGSTOP)",
        "thread = threading.Thread(target=bear_and_wait, args=['hang']); thread.start(); thread.join()",
    ],
    ids=["waits", "busy in C", "several", "fresh", "just being made", "stopped", "of a thread that ended"],
)
def test_when_the_main_os_process_is_killed_all_die_with_it(tmp_path, act):
    with closing(Doomed(tmp_path, act)) as doomed:
        doomed.await_word()
        assert [] == doomed.kill()


def test_all_die_with_the_main_os_process_though_one_that_it_forked_holds_its_sockets(tmp_path):
    act = "child = bear_and_wait('hang'); os.fork() or threading.Event().wait(3600)"
    with closing(Doomed(tmp_path, act)) as doomed:
        doomed.await_word()
        (forked,) = doomed.kill()
        assert "doomed.py" in Path(f"/proc/{forked}/cmdline").read_text()


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])
def test_when_the_main_os_process_is_killed_at_any_moment_all_die_with_it(tmp_path, seconds):
    act = "[bear_and_wait('hang', env={'A': '1'} if n % 2 else None) for n in range(100)]"
    with closing(Doomed(tmp_path, act)) as doomed:
        doomed.live(seconds)
        assert [] == doomed.kill()


def test_when_the_nursery_is_killed_its_children_die_and_it_is_told_at_once(family: Family, caplog):
    ended = []
    children = [family.bear(life, on_end=lambda child, _: ended.append(child)) for life in ("hang", "be_busy")]
    pids = [family.heard(child) for child in children]
    os.kill(_nursery_of(family), signal.SIGKILL)
    until = monotonic() + AT_ONCE
    assert [-9, -9] == [child.wait(until) for child in children]
    assert [] == ends(pids, until)
    family.nursery.close(soon())
    assert set(children) == set(ended)
    assert "nursery of test died (exit code -9), and with it 2 OS processes" in caplog.text


def test_after_the_nursery_was_killed_there_is_another_one(family: Family):
    child = family.bear("hang")
    first = _nursery_of(family)
    os.kill(first, signal.SIGKILL)
    child.wait(soon())
    assert 0 == family.bear("leave").wait(soon())
    assert first != _nursery_of(family)


def _nursery_of(family: Family) -> int:
    house = family.nursery._house
    assert house is not None
    return house.pid


@pytest.mark.parametrize("life", ["hang", "be_busy", "flood"])
def test_a_child_can_be_killed_whatever_it_does(family: Family, life, capsys):
    child = family.bear(life)
    family.heard(child)
    child.kill()
    assert -9 == child.wait(monotonic() + AT_ONCE)
    family.nursery.close(soon())


def test_a_stopped_child_can_be_killed(family: Family):
    child = family.bear("hang")
    os.kill(family.heard(child), signal.SIGSTOP)
    child.kill()
    assert -9 == child.wait(monotonic() + AT_ONCE)


def test_to_kill_one_that_has_ended_does_nothing(family: Family):
    child = family.bear("leave")
    child.wait(soon())
    child.kill()
    family.nursery.close(soon())
    child.kill()
    assert 0 == child.exit_code


def test_who_leaves_a_program_behind_that_still_holds_its_streams_has_ended(family: Family):
    child = family.bear("leave_one_behind")
    program = family.heard(child)
    try:
        assert 0 == child.wait(soon())
        family.nursery.close(soon())
        assert family.nursery._listener.over.is_set()
    finally:
        os.kill(program, signal.SIGKILL)


def test_signals_to_all_do_not_end_a_nursery_that_has_just_been_started(family: Family):
    family.nursery.start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(_nursery_of(family), number)
    assert 0 == family.bear("leave").wait(soon())


def test_close_kills_what_lives(family: Family):
    children = [family.bear(life) for life in ("hang", "be_busy", "leave")]
    pids = [child.pid for child in children]
    family.nursery.close(soon())
    assert [] == ends(pids, monotonic())
    assert all(child.ended.is_set() for child in children)


def test_close_of_a_nursery_that_does_not_listen_has_an_end(family: Family):
    child = family.bear("hang")
    os.kill(_nursery_of(family), signal.SIGSTOP)
    family.nursery.close(monotonic() + 0.05)
    assert -9 == child.exit_code


def test_a_child_is_killed_though_the_nursery_does_not_listen(family: Family):
    child = family.bear("hang")
    os.kill(_nursery_of(family), signal.SIGSTOP)
    for _ in range(2000):  # more than its socket holds
        child.kill()
    assert -9 == child.wait(soon())


def test_a_nursery_that_was_never_needed_is_closed_at_once(nursery):
    nursery.close(monotonic())
    nursery.close(monotonic())
    with pytest.raises(RunError, match="closed"):
        nursery.start()
