"""`streampy run`: what it says, how it ends, and with which code."""

import json
import signal

import pytest

from streampy.cli.exits import Exit


def test_process_of_finite_sources_ends_by_itself_and_says_nothing_when_nobody_looks(streampy):
    done = streampy("run", "doubles.yaml")

    assert (done.returncode, done.stdout, done.stderr) == (Exit.OK, "", "")


def test_stats_tell_how_every_item_ended_and_how_long_each_hop_took(streampy):
    done = streampy("run", "doubles.yaml", "--stats")

    lines = done.stderr.splitlines()
    assert done.returncode == Exit.OK
    assert lines[0].startswith("doubles: 10 items in ")
    assert lines[1] == "  born 10 + split 10 = delivered 15 + filtered 5"
    assert lines[2].split()[:5] == ["unit", "in", "out", "lost", "waited"]
    assert [line.split()[0] for line in lines[3:6]] == ["numbers", "double", "odd"]
    assert [line.split(":")[0].strip() for line in lines[6:]] == ["born to double", "born to odd"]


def test_stats_tell_of_a_unit_elsewhere_all_but_who_holds_the_gil_there(streampy):
    done = streampy("run", "doubles.yaml", "--stats", "--set", "double.place=own")

    lines = done.stderr.splitlines()
    assert lines[1] == "  born 10 + split 10 = delivered 15 + filtered 5"
    numbers, double, odd = (line.split() for line in lines[3:6])
    assert double[:2] == ["double", "10"]
    assert [line[-1].count("%") + line[-2].count("%") for line in (numbers, double, odd)] == [2, 1, 2]


def test_json_is_one_object_with_the_names_of_stats(streampy):
    done = streampy("run", "doubles.yaml", "--json")

    told = json.loads(done.stdout)
    process = told["processes"][0]
    assert told["exit"] == 0
    assert (process["process"], process["expected"], process["errors"]) == ("doubles", 10, [])
    assert process["ledger"]["born"] == 10
    assert process["ledger"]["balanced"] is True
    assert process["units"]["odd"]["filtered"] == 5
    assert process["pipes"]["double.number"]["received"] == 10


def test_failure_shows_the_users_lines_then_names_unit_item_and_worker(streampy, folder):
    done = streampy("run", "doubles.yaml", "--set", "double.fail_at=3")

    assert done.returncode == Exit.FAILED
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line for line in lines if line.startswith("  File ")] == [
        f'  File "{folder}/units.py", line 23, in double',
        f'  File "{folder}/units.py", line 28, in divide',
    ]
    error = "ZeroDivisionError: integer division or modulo by zero"
    assert lines[-2:] == [
        error,
        f"streampy: doubles.yaml: unit 'double' failed on item numbers #3 (worker double): {error}",
    ]


def test_debug_shows_our_lines_too(streampy):
    done = streampy("run", "doubles.yaml", "--set", "double.fail_at=3", "--debug")

    assert done.returncode == Exit.FAILED
    assert "streampy/run/" in done.stderr


def test_failure_is_told_to_machines(streampy):
    done = streampy("run", "doubles.yaml", "--set", "double.fail_at=3", "--json")

    told = json.loads(done.stdout)
    error = told["processes"][0]["errors"][0]
    assert (done.returncode, told["exit"]) == (Exit.FAILED, Exit.FAILED)
    assert (error["kind"], error["exception"]) == ("UnitFailed", "ZeroDivisionError")
    assert (error["unit"], error["item"], error["worker"]) == ("double", "numbers #3", "double")


def test_broken_process_does_not_start(streampy):
    done = streampy("run", "doubles.yaml", "--set", "double.fail_on=3")

    assert done.returncode == Exit.PROCESS
    assert done.stderr == (
        "--set double.fail_on: units.double.set.fail_on: units:double takes no setting 'fail_on', "
        "did you mean 'fail_at'?\ndoubles.yaml: 1 problem\n"
    )


def test_broken_process_is_told_to_machines(streampy):
    done = streampy("run", "nowhere.yaml", "--json")

    assert json.loads(done.stdout)["problems"][0]["message"].startswith("there is no such file")


def test_live_process_ends_after_the_time_that_it_was_given(streampy):
    done = streampy("run", "live.yaml", "--for", "300ms", "--json")

    process = json.loads(done.stdout.splitlines()[-1])["processes"][0]
    assert done.returncode == Exit.OK
    assert process["ledger"]["balanced"] is True
    assert process["ledger"]["delivered"] == process["ledger"]["born"] > 0


def test_time_that_is_none_is_a_usage_error(streampy):
    done = streampy("run", "live.yaml", "--for", "soon")

    assert done.returncode == Exit.USAGE
    assert "got 'soon', expected a duration" in done.stderr


@pytest.mark.parametrize(
    ("number", "name", "code"),
    [(signal.SIGINT, "Ctrl-C", Exit.INTERRUPTED), (signal.SIGTERM, "SIGTERM", Exit.OK)],
)
def test_signal_drains(number, name, code, started):
    process = started("live.yaml", "--stats")

    process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert process.returncode == code
    assert out == "drained\n"
    assert err.startswith(f"streampy: {name}: draining, for 30 s at most")
    assert "delivered" in err
    assert "in flight" not in err


@pytest.mark.parametrize("way", ["fused", "threads", "async"])
def test_f14_sigterm_drains_what_is_under_way(way, started, folder):
    last = {"fused": "last", "threads": "last", "async": "last_async"}[way]
    pipe = ", pipe: {capacity: 8}" if way == "threads" else ""
    text = f"process: live\nunits:\n  n: {{use: 'units:forever'}}\n  d: {{use: 'units:double', from: n{pipe}}}\n"
    (folder / "way.yaml").write_text(f"{text}  l: {{use: 'units:{last}', from: d{pipe}}}\n")
    process = started("way.yaml", "--json")

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)

    ledger = json.loads(out.splitlines()[-1])["processes"][0]["ledger"]
    assert process.returncode == Exit.OK
    assert ledger["born"] == ledger["delivered"] > 0
    assert "drained" in out


def test_second_ctrl_c_kills_at_once(started):
    process = started("stuck.yaml")

    process.send_signal(signal.SIGINT)
    assert process.stderr.readline().endswith("again to kill at once\n")
    while process.poll() is None:  # a press within a quarter of a second is the same press
        process.send_signal(signal.SIGINT)
        process.stderr.flush()
    assert process.returncode == Exit.INTERRUPTED
    assert "Ctrl-C again: killed" in process.stderr.read()


def test_unit_that_never_comes_back_is_named(started):
    process = started("stuck.yaml", "--drain-timeout", "100ms")

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)

    assert process.returncode == Exit.HUNG
    assert "'stuck' did not come" in err


def test_several_processes_run_together(streampy, folder):
    (folder / "other.yaml").write_text("process: other\nunits: {n: {use: 'units:numbers'}}\n")

    done = streampy("run", "doubles.yaml", "other.yaml", "--json", "--set", "n.until=3")

    born = {one["process"]: one["ledger"]["born"] for one in json.loads(done.stdout)["processes"]}
    assert done.returncode == Exit.OK
    assert born == {"doubles": 10, "other": 3}


def test_when_one_process_fails_all_are_put_out(streampy):
    done = streampy("run", "live.yaml", "doubles.yaml", "--set", "double.fail_at=0")

    assert done.returncode == Exit.FAILED
    assert "streampy: doubles.yaml: unit 'double' failed on item numbers #0" in done.stderr
    assert "live.yaml" not in done.stderr


def test_file_that_is_named_twice_is_a_usage_error(streampy):
    assert streampy("run", "live.yaml", "live.yaml").returncode == Exit.USAGE
