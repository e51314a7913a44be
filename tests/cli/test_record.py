"""`streampy record`, `streampy replay` and `run --dead-letters`, as a user types them."""

import json
import signal
import subprocess
import sys


def test_a_pipe_is_recorded_and_replayed_with_all_before_it_left_out(streampy, folder):
    done = streampy("record", "doubles.yaml", "double", "--to", "items.rec")
    assert (0, "streampy: items.rec: 10 items of double.number\n") == (done.returncode, done.stderr)
    again = streampy("replay", "items.rec", "doubles.yaml", "--json")
    (told,) = json.loads(again.stdout.splitlines()[-1])["processes"]
    assert (0, 10, ["replay", "double"]) == (
        again.returncode,
        told["ledger"]["delivered"],
        [*told["units"]],
    )


def test_so_many_items_are_enough(streampy, folder):
    done = streampy("record", "live.yaml", "last", "--to", "items.rec", "--count", "5")
    assert (0, "streampy: items.rec: 5 items of last.numbers\n") == (done.returncode, done.stderr)
    again = streampy("replay", "items.rec", "live.yaml", "--speed", "max")
    assert (0, "ready\ndrained\n") == (again.returncode, again.stdout)


def test_a_recorder_that_is_killed_leaves_all_that_was_recorded_before(streampy, folder):
    command = [sys.executable, "-m", "streampy", "record", "live.yaml", "last", "--to", "items.rec"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        while (folder / "items.rec").stat().st_size < 4096:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    again = streampy("replay", "items.rec", "live.yaml", "--speed", "max")
    assert (0, "ready\ndrained\n") == (again.returncode, again.stdout)


def test_what_cannot_be_done_is_said_in_a_line(streampy, folder):
    assert streampy("record", "doubles.yaml", "dobule", "--to", "a.rec").stderr == (
        "streampy: 'doubles' has no unit 'dobule', did you mean 'double'?\n"
    )
    told = streampy("replay", "doubles.yaml", "doubles.yaml")
    assert told.returncode == 2
    assert "doubles.yaml, byte 0: got b'\\nprocess', expected" in told.stderr
    assert "got '0', expected a number above 0" in streampy("replay", "a.rec", "doubles.yaml", "--speed", "0").stderr


def test_dead_letters_are_written_to_a_folder_and_replayed_once_the_mistake_is_mended(streampy, folder):
    done = streampy("run", "doubles.yaml", "--dead-letters", "dead", "--set", "double.fail_at=3")
    assert done.returncode == 1, "on_error says stop"
    text = (
        (folder / "doubles.yaml")
        .read_text()
        .replace("from: numbers, pipe", "from: numbers, on_error: dead_letter, pipe")
    )
    (folder / "doubles.yaml").write_text(text)
    assert streampy("run", "doubles.yaml", "--dead-letters", "dead", "--set", "double.fail_at=3").returncode == 0
    (letters,) = (folder / "dead").iterdir()
    again = streampy("replay", str(letters), "doubles.yaml", "--json")
    (told,) = json.loads(again.stdout.splitlines()[-1])["processes"]
    assert (1, 0) == (told["ledger"]["delivered"], told["ledger"]["failed"])
