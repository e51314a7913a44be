"""An OS process that a nursery bears is what was ordered, and its end is told."""

from __future__ import annotations

import os
import resource
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from math import inf
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest
from tests.run.places.conftest import Family, soon

from streampy.errors import RunError
from streampy.run.places.launch import Nursery
from streampy.run.places.prctl import _shorten

both_ways = pytest.mark.parametrize("env", [{}, {"FRESH": "1"}], ids=["forked", "fresh"])


@both_ways
def test_a_child_takes_over_what_the_main_os_process_is(family: Family, monkeypatch, tmp_path, env):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SET_LATER", "yes")
    family.bear("leave").wait(inf)
    monkeypatch.setenv("SET_LATER", "later than the start of the nursery")
    monkeypatch.setattr(sys, "argv", ["the", "arguments"])
    monkeypatch.syspath_prepend("/nowhere at all")
    told = family.heard(family.bear("describe", name="detect#0", env=env))
    assert ["the", "arguments"] == told["argv"]
    assert sys.path == told["path"]
    assert str(tmp_path) == told["folder"]
    assert dict(os.environ) | env == told["environ"]
    assert "detect#0" == told["comm"]
    assert "/dev/null" == told["stdin"]


@both_ways
def test_a_child_has_no_file_open_but_its_own(family: Family, env):
    first = family.heard(family.bear("describe", env=env))
    other = family.bear("hang")
    family.heard(other)
    again = family.heard(family.bear("describe", env=env))
    own_and_the_folder_that_it_lists = 3 + 2 + 1
    assert own_and_the_folder_that_it_lists == len(first["files"])
    assert first["files"] == again["files"]
    assert ["0", "1", "2", "3"] == first["inherited"]


def test_what_was_removed_is_no_folder_to_go_to(family: Family, monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert family.bear("leave").wait(soon()) == 0


def test_environment_is_there_before_anything_is_imported(family: Family):
    told = family.heard(family.bear("describe", env={"OMP_NUM_THREADS": "1"}))
    assert "1" == told["environ"]["OMP_NUM_THREADS"]
    assert not told["numpy"]


def test_cores_are_kept_to(family: Family):
    core = min(os.sched_getaffinity(0))
    assert [core] == family.heard(family.bear("describe", cpus=[core]))["cpus"]


def test_cores_that_are_not_there_are_told(family: Family):
    child = family.bear("describe", cpus=[100_000])
    assert 1 == child.wait(soon())
    assert "can't run on the cores [100000]: here are only [0" in child.last_words[-1]


@pytest.mark.parametrize(
    ("life", "code", "words"),
    [
        ("leave", 0, ""),
        ("raise_error", 1, "ValueError: of the user"),
        ("exit_with_3", 3, ""),
        ("exit_with_words", 1, "it is over"),
        ("kill_itself", -9, "without an end"),
        ("nothing_of_that_name", 1, "has no attribute 'nothing_of_that_name'"),
    ],
)
@both_ways
def test_how_it_ended_is_told(family: Family, life, code, words, env):
    child = family.bear(life, env=env)
    assert code == child.wait(soon())
    assert words in "".join(child.last_words[-1:])
    assert child.ended.is_set()


@both_ways
def test_a_crash_leaves_the_lines_at_which_it_happened(family: Family, env):
    child = family.bear("crash", env=env)
    assert -11 == child.wait(soon())
    assert any("Segmentation fault" in line for line in child.last_words)
    assert any("nursery_lives.py" in line for line in child.last_words)


def test_a_wait_for_one_that_lives_has_an_end(family: Family):
    child = family.bear("hang")
    assert child.wait(monotonic()) is None
    assert "lives" in repr(child)


def test_the_end_is_told_once_and_an_error_there_harms_no_other(family: Family, caplog):
    ends = []
    family.bear("leave", name="first", on_end=lambda child, _: child.no_such_thing)
    child = family.bear("exit_with_3", name="second", on_end=lambda child, code: ends.append((child, code)))
    child.wait(soon())
    family.nursery.close(soon())
    assert [(child, 3)] == ends
    assert "the end of OS process first failed" in caplog.text


def test_many_are_borne_at_once_by_many_threads(family: Family):
    with ThreadPoolExecutor(8) as threads:
        children = list(threads.map(lambda index: family.bear("live_until_told", name=f"many#{index}"), range(24)))
    assert {family.heard(child) for child in children} == {child.pid for child in children}
    assert 24 == len({child.pid for child in children})
    for child in children:
        family.tell(child)
    assert [0] * 24 == [child.wait(soon()) for child in children]


def test_it_lives_on_when_the_thread_that_started_it_ends(family: Family):
    children = []
    thread = Thread(target=lambda: children.append(family.bear("live_until_told")))
    thread.start()
    thread.join()
    family.heard(children[0])
    family.tell(children[0])
    assert "told" == family.heard(children[0])


def test_it_ends_as_an_interpreter_does(family: Family):
    assert '"thread""at exit"' == family.heard_all(family.bear("end_in_order"))


def test_signals_to_all_are_not_for_it_but_for_what_it_starts(family: Family):
    child = family.bear("terminate_others")
    assert [-15, -15] == family.heard(child)
    assert 0 == child.wait(soon())


def test_each_draws_numbers_of_its_own(lives_path):
    pytest.importorskip("numpy.random")
    with Nursery("random", preload=["random", "numpy.random"]) as nursery, closing(Family(nursery)) as family:
        drawn = [tuple(family.heard(family.bear("draw"))) for _ in range(3)]
    assert 3 == len({python for python, _ in drawn}) == len({numpy for _, numpy in drawn})


def test_what_is_preloaded_is_imported_once_for_all_and_works(lives_path):
    pytest.importorskip("numpy")
    with Nursery("numbers", preload=["numpy"]) as nursery, closing(Family(nursery)) as family:
        assert family.heard(family.bear("describe"))["numpy"]
        assert 500.0**3 == family.heard(family.bear("multiply"))


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("detect#0", "detect#0"),
        ("a_very_long_unit", "a_very_long_uni"),
        ("a_very_long_unit#12", "a_very_long_#12"),
        ("ü" * 9 + "#1", "ü" * 6 + "#1"),
    ],
)
def test_a_long_name_keeps_its_number_in_top(name, short):
    assert short == _shorten(name).decode()


def test_the_title_is_whole_where_setproctitle_is_installed(family: Family, monkeypatch, tmp_path, capsys):
    (tmp_path / "setproctitle.py").write_text("def setproctitle(title):\n    print('title is', title)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert 0 == family.bear("leave", name="detect#0").wait(soon())
    family.nursery.close(soon())
    assert "detect#0: title is streampy detect#0\n" in capsys.readouterr().out


def test_an_interpreter_that_does_not_know_itself_is_told_of(monkeypatch, nursery: Nursery):
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(RunError, match="place all units `main`"):
        nursery.start()


def test_an_interpreter_that_is_not_there_is_told_of(monkeypatch, nursery: Nursery):
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(RunError, match="/no/python"):
        nursery.start()


def test_a_nursery_that_does_not_come_up_tells_why(monkeypatch, nursery: Nursery, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken on purpose >&2\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(RunError, match=r"(?s)its nursery.*died with exit code 0\n  broken on purpose"):
        nursery.bear("child", "nursery_lives:leave", 0)


@pytest.fixture
def few_files():
    """Allows so many more file descriptors than are open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow(more: int) -> None:
        reading, writing = os.pipe()  # the numbers below are taken, or will be
        os.close(reading)
        os.close(writing)
        resource.setrlimit(resource.RLIMIT_NOFILE, (reading + more, before[1]))

    yield allow
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("more", range(1, 7))
def test_too_many_open_files_are_told_of_and_none_is_left_open(family: Family, few_files, more):
    family.bear("leave").wait(soon())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        few_files(more)
        with pytest.raises(RunError, match="Too many open files"):
            family.nursery.bear("child", "nursery_lives:leave", theirs.fileno())


def test_no_child_comes_of_a_closed_nursery(nursery: Nursery):
    nursery.close(soon())
    with pytest.raises(RunError, match="closed"):
        nursery.bear("child", "nursery_lives:leave", 0)


def test_the_nursery_has_one_thread(family: Family):
    pytest.importorskip("numpy")
    family.heard(family.bear("hang"))
    house = family.nursery._house
    assert house is not None
    assert "Threads:\t1\n" in Path(f"/proc/{house.pid}/status").read_text()
