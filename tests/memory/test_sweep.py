"""What killed OS processes left is taken away, what the living use is not."""

from __future__ import annotations

import fcntl
import os
import pickle

import pytest

from streampy.memory.region import Region
from streampy.memory.sweep import clear, name_run, sweep


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_os_process_left_is_taken_away(tmp_path, other):
    writer = other("leave", str(tmp_path))
    name = pickle.load(writer.stdout)
    assert [] == sweep(folder=tmp_path)
    writer.started.kill()
    os.waitid(os.P_PID, writer.started.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and nobody took note of it yet
    assert [name] == names(tmp_path)
    assert [name] == sweep(folder=tmp_path)
    assert [] == names(tmp_path)


def test_another_os_process_of_the_same_pid_is_no_mistake(tmp_path):
    name = f"streampy-{os.getpid()}.1.abcdef-a"
    (tmp_path / name).touch()
    assert [name] == sweep(folder=tmp_path)


def test_what_a_living_os_process_created_stays_whatever_the_name_says(tmp_path):
    with Region.create("1.1.abcdef", "a", 100, folder=tmp_path) as region:
        assert [] == sweep(folder=tmp_path)
        assert [region.name] == names(tmp_path)


def test_what_was_swept_before_its_creator_held_it_is_created_again(tmp_path, monkeypatch):
    flock, swept = fcntl.flock, []

    def hold_late(handle: int, how: int) -> None:
        if how == fcntl.LOCK_SH and not swept:
            swept.extend(sweep(folder=tmp_path))
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", hold_late)
    with Region.create("1.1.abcdef", "a", 100, folder=tmp_path) as region:
        assert [region.name] == swept == names(tmp_path)
    assert [] == names(tmp_path)


def test_what_a_dead_worker_left_stays_as_long_as_the_main_os_process_lives(tmp_path):
    (tmp_path / f"streampy-{name_run()}-worker").touch()
    assert [] == sweep(folder=tmp_path)


@pytest.mark.parametrize("name", ["psm_12345", "streampy-notes", "streampy-1.1.zz-a", "sem.streampy-1.1.ab-a"])
def test_what_is_not_ours_stays(tmp_path, name):
    (tmp_path / name).touch()
    assert [] == sweep(folder=tmp_path)
    assert [name] == names(tmp_path)


def test_all_of_a_run_is_cleared_and_nothing_of_others(tmp_path):
    run = name_run()
    for one in (run, run + "0", name_run()):
        (tmp_path / f"streampy-{one}-a").touch()
    assert [f"streampy-{run}-a"] == clear(run, folder=tmp_path)
    assert 2 == len(names(tmp_path))


def test_each_run_has_its_own_name():
    assert 100 == len({name_run() for _ in range(100)})
