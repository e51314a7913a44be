"""`streampy run --profile`, as a user types it."""

import json

import pytest


def test_it_tells_where_the_time_went_and_what_more_workers_bring(streampy, folder):
    done = streampy("run", "doubles.yaml", "--profile", "--set", "numbers.until=300")
    assert (0, "") == (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("doubles: ")
    assert any(line.split()[:5] == ["unit", "items/s", "work", "busy", "worked"] for line in lines)
    assert ["main"] == [line.split()[0] for line in lines if line.endswith("numbers, double, odd")]
    assert any(line.startswith("scaling of ") for line in lines)
    assert ["1", "2", "4"] == [line.split()[0] for line in lines[-3:]]


@pytest.mark.long
def test_the_same_for_machines(streampy, folder):
    done = streampy(
        "run", "doubles.yaml", "--profile", "--json", "--set", "numbers.until=20000", "--set", "double.place=own"
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert (0, [1, 2, 4]) == (told["exit"], [point["workers"] for point in told["curve"]])
    assert {"numbers", "double", "odd"} == told["profile"]["cpu"].keys()
    assert {"main", "double"} == told["profile"]["places"].keys()
    assert told["profile"]["places"]["double"]["cpu"] > 0


def test_a_live_process_is_profiled_for_a_while(streampy, folder):
    done = streampy("run", "live.yaml", "--profile", "--for", "300ms")
    assert done.returncode == 0
    assert done.stdout.endswith(
        "no scaling curve: last takes the whole stream, so several workers would each see a part of it\n"
    )


def test_what_fails_is_told_as_ever_and_no_curve_is_drawn(streampy, folder):
    done = streampy("run", "doubles.yaml", "--profile", "--set", "double.fail_at=5")
    assert done.returncode == 1
    assert "unit 'double' failed on item numbers #5" in done.stderr
    assert "scaling" not in done.stdout


def test_several_files_can_be_run_but_not_profiled_together(streampy, folder):
    done = streampy("run", "doubles.yaml", "live.yaml", "--profile")
    assert (2, "streampy: --profile is for one file\n") == (done.returncode, done.stderr)
