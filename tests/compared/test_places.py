"""What docs/compared.md says of OS processes and shared memory, where no other test shows it."""

from __future__ import annotations

import logging
import os
from time import monotonic

import pytest
from tests.compared import elsewhere

import streampy as sp

SOON = 20.0
OWN = {"place": "own"}


def test_workers_in_os_processes_of_their_own_share_the_work_and_keep_their_order():
    count = 2 * (os.cpu_count() or 1) + 1
    process = sp.Process("clones").add("numbers", elsewhere.numbers, until=300)
    process.add("doubles", elsewhere.Doubles, from_="numbers", workers=count, **OWN)
    with sp.run(process) as running:
        assert count == len({*running.fire("doubles", "where")} - {os.getpid()})
        assert list(range(0, 600, 2)) == list(running.stream("doubles", timeout=SOON))


def test_one_process_has_units_that_are_fused_in_threads_in_the_event_loop_and_in_os_processes():
    process = sp.Process("all").add("numbers", elsewhere.numbers)
    process.add("fused", elsewhere.double, from_="numbers")
    process.add("thread", elsewhere.double, from_="fused", pipe={"capacity": 2})
    process.add("task", elsewhere.double_async, from_="thread")
    process.add("own", elsewhere.double, from_="task", **OWN)
    process.add("shared", elsewhere.where, from_="own", place="house").add("too", lambda pair: pair, from_="shared")
    with sp.run(process) as running:
        found = list(running.stream("too", timeout=SOON))
    assert [0, 16, 32, 48, 64] == [number for number, _ in found]
    assert os.getpid() not in {place for _, place in found}


def test_units_of_one_place_share_an_os_process():
    process = sp.Process("house").add("numbers", elsewhere.numbers, place="house")
    process.add("left", elsewhere.where, from_="numbers", place="house")
    process.add("right", elsewhere.where, from_="numbers", place="house", pipe={"capacity": 4})
    process.add("third", elsewhere.where, from_="numbers", place="other")
    with sp.run(process) as running:
        left, right, third = (
            {place for _, place in running.stream(name, timeout=SOON)} for name in ("left", "right", "third")
        )
    assert left == right != third
    assert 3 == len({*left, *third, os.getpid()})


def test_each_worker_has_its_own_settings_device_environment_and_cpus():
    cpus = sorted(os.sched_getaffinity(0))[:2]
    cpus = [cpus[0], cpus[-1]]
    process = sp.Process("told").add(
        "told",
        elsewhere.Told,
        workers=2,
        each=[{"port": 1}, {"port": 2}],
        device="cuda:{index}",
        env={"SHARE": "{index} of {count}"},
        cpus=[[cpu] for cpu in cpus],
        **OWN,
    )
    with sp.run(process) as running:
        told = running.fire("told", "tell")
    assert [(0, 1, "cuda:0", "0 of 2", {cpus[0]}), (1, 2, "cuda:1", "1 of 2", {cpus[1]})] == sorted(told)


def test_what_an_os_process_logs_and_prints_comes_out_of_the_main_one_with_its_name(capsys, caplog):
    process = sp.Process("loud").add("numbers", elsewhere.numbers, until=2)
    with (
        caplog.at_level(logging.INFO),
        sp.run(process.add("speak", elsewhere.speak, from_="numbers", **OWN)) as running,
    ):
        assert [0, 1] == list(running.stream("speak", timeout=SOON))
    assert "speak: printed 0\nspeak: printed 1\n" == capsys.readouterr().out
    said = [(record.name, record.getMessage()) for record in caplog.records if record.name.startswith("streampy.unit")]
    assert [("streampy.unit.speak", "logged 0"), ("streampy.unit.speak", "logged 1")] == said


def test_arrays_of_any_size_arrive_whole_and_read_only_also_larger_ones_than_were_announced():
    sizes = [1, 100, 1 << 20, 30 << 20, 5_000_001, 7]
    process = sp.Process("sizes").add("frames", elsewhere.frames, sizes=sizes)
    process.add("seen", elsewhere.looked_at, from_="frames", pipe={"capacity": 2, "item": "1MB"}, **OWN)
    with sp.run(process) as running:
        assert [(size, number, True) for number, size in enumerate(sizes)] == list(running.stream("seen", timeout=SOON))


def test_what_is_passed_on_from_one_os_process_to_another_is_not_copied_again():
    process = sp.Process("passed").add("frames", elsewhere.frames, sizes=[1 << 20] * 3, **OWN)
    process.add("on", elsewhere.pass_on, from_="frames", **OWN)
    process.add("first", elsewhere.address, from_="frames", **OWN).add("second", elsewhere.address, from_="on", **OWN)
    with sp.run(process) as running:
        first, second = (list(running.stream(name, timeout=SOON)) for name in ("first", "second"))
    assert first == second
    assert all("/streampy-" in path and "-frames." in path for path, _ in first)


def test_what_a_unit_keeps_of_frames_stays_as_it_was():
    process = sp.Process("kept").add("frames", elsewhere.frames, sizes=[1 << 20] * 40)
    process.add("kept", elsewhere.last_five, from_="frames", pipe={"capacity": 1}, **OWN)
    with sp.run(process) as running:
        kept = list(running.stream("kept", timeout=SOON))
    assert [list(range(max(0, number - 4), number + 1)) for number in range(40)] == kept


def test_a_value_that_no_pickle_takes_is_an_error_of_the_unit_that_gave_it():
    process = sp.Process("locks").add("numbers", elsewhere.numbers).add("lock", elsewhere.lock, from_="numbers", **OWN)
    with pytest.raises(sp.UnitFailed, match=r"'lock'.*cannot pickle '_thread.lock' object"), sp.run(process) as running:
        list(running.stream("lock", timeout=SOON))


def test_when_an_os_process_is_killed_all_ends_and_it_is_named_with_its_last_words(tmp_path):
    process = sp.Process("killed").add("numbers", elsewhere.numbers, until=1000)
    process.add("falls", elsewhere.Falls, from_="numbers", file=str(tmp_path / "fallen"), **OWN)
    with pytest.raises(sp.WorkerDied, match="was killed by SIGKILL") as died, sp.run(process) as running:
        list(running.stream("falls", timeout=SOON))
    assert ("falls", "falls") == (died.value.unit, died.value.worker)
    assert "here it ends" in str(died.value)


def test_what_an_os_process_had_in_its_hands_when_it_was_killed_goes_to_the_next_one_in_order(tmp_path):
    process = sp.Process("again").add("numbers", elsewhere.numbers, until=20)
    again = sp.OnCrash(then="restart", backoff="1ms")
    file = tmp_path / "fallen"
    process.add("falls", elsewhere.Falls, from_="numbers", file=str(file), on_crash=again, **OWN)
    with sp.run(process) as running:
        assert [2 * number for number in range(20)] == list(running.stream("falls", timeout=SOON))
    assert file.exists()


def test_an_os_process_that_does_not_come_back_is_killed_when_the_process_stops(tmp_path):
    file = tmp_path / "pid"
    process = sp.Process("hung").add("hangs", elsewhere.Hangs, file=str(file), timeout=0.2, **OWN)
    began = monotonic()
    with pytest.raises(sp.Hung, match="'hangs'"), sp.run(process) as running:
        running.call("hangs", 1, timeout=SOON)
    assert monotonic() - began < SOON
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)
