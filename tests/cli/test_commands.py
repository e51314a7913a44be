"""`check`, `show`, `schema`, `new`, and the command as such."""

import json
import subprocess
import sys
from importlib.metadata import version
from xml.etree import ElementTree as ET

import pytest

from streampy.cli.exits import Exit
from streampy.cli.main import VERBS, main

HEAVY = ("pydantic", "yaml", "rich", "numpy")


def test_help_names_every_verb_and_exit_code(streampy):
    done = streampy("--help")

    assert done.returncode == Exit.OK
    assert [verb for verb in VERBS if f"    {verb} " not in done.stdout] == []
    assert [code.name for code in Exit if f"{code.value:>3}  {code.name}" not in done.stdout] == []


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_its_help(verb, streampy):
    done = streampy(verb, "--help")

    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert f"usage: streampy {verb}" in done.stdout


def test_help_imports_nothing_that_takes_long(streampy):
    text = "import sys; from streampy.cli.main import main; main(['--help']); print(sorted(sys.modules))"
    done = streampy("--version")
    assert done.stdout == f"streampy {version('streampy')}\n"

    modules = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    assert [name for name in HEAVY if f"'{name}'" in modules] == []


def test_mistake_on_the_command_line_is_a_usage_error(streampy):
    done = streampy("chekc", "doubles.yaml")

    assert done.returncode == Exit.USAGE
    assert "invalid choice: 'chekc'" in done.stderr


def test_sound_process_is_said_to_be_sound(streampy):
    done = streampy("check", "doubles.yaml", "live.yaml")

    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert done.stdout == (
        "doubles.yaml: doubles is sound: 3 units, 2 links\nlive.yaml: live is sound: 2 units, 1 link\n"
    )


def test_check_tells_of_each_file_and_fails_if_one_is_wrong(streampy):
    done = streampy("check", "doubles.yaml", "nowhere.yaml")

    assert done.returncode == Exit.PROCESS
    assert "doubles.yaml: doubles is sound" in done.stdout
    assert "nowhere.yaml: there is no such file" in done.stdout


def test_check_tells_machines_in_json(streampy, folder):
    (folder / "wrong.yaml").write_text("process: wrong\nunits:\n  numbers: {use: 'units:nmbers'}\n")

    done = streampy("check", "--json", "wrong.yaml")

    assert json.loads(done.stdout) == {
        "exit": 3,
        "files": [
            {
                "file": "wrong.yaml",
                "process": "",
                "units": 0,
                "links": 0,
                "problems": [
                    {
                        "file": "wrong.yaml",
                        "line": 3,
                        "column": 13,
                        "path": "units.numbers.use",
                        "message": "'units' has no 'nmbers', did you mean 'numbers'?",
                    }
                ],
            }
        ],
    }


def test_setting_on_the_command_line_counts_more(streampy):
    assert streampy("check", "doubles.yaml", "--set", "numbers.until=3").returncode == Exit.OK

    done = streampy("check", "doubles.yaml", "--set", "numbers.until=many")

    assert done.returncode == Exit.PROCESS
    assert done.stdout.startswith("--set numbers.until: units.numbers.set.until: got 'many', expected int")


@pytest.mark.parametrize("word", ["numbers", "numbers=3", "numbers.=3", ".until=3"])
def test_set_that_names_no_setting_is_a_usage_error(word, streampy):
    done = streampy("check", "doubles.yaml", "--set", word)

    assert done.returncode == Exit.USAGE
    assert f"--set: got '{word}', expected UNIT.SETTING=VALUE" in done.stderr


def test_debug_shows_where_a_module_failed(streampy, folder):
    (folder / "bad.py").write_text("def half(number):\n    return number / 0\n\nhalf(1)\n")
    (folder / "bad.yaml").write_text("process: bad\nunits:\n  half: {use: 'bad:half'}\n")

    plain, whole = streampy("check", "bad.yaml"), streampy("check", "--debug", "bad.yaml")

    assert "importing 'bad' failed: ZeroDivisionError: division by zero (bad.py:2)" in plain.stdout
    assert "Traceback" not in plain.stdout + plain.stderr
    assert "return number / 0" in whole.stderr


def test_show_tells_how_it_will_run(streampy):
    done = streampy("show", "doubles.yaml")

    assert done.returncode == Exit.OK
    assert done.stdout == (
        "process doubles: 3 units, 2 links, 3 workers\n"
        "\n"
        "layer 1\n"
        "  numbers  units:numbers  (source)\n"
        "      out   int -> double.number, odd.number\n"
        "      runs  1 worker, place main\n"
        "\n"
        "layer 2\n"
        "  double  units:double\n"
        "      in    number: int <- numbers\n"
        "            pipe: 4 items\n"
        "      out   int -> nothing: read by running.stream\n"
        "      runs  1 worker, place main; not fused: its pipe is configured\n"
        "  odd  units:odd\n"
        "      in    number: int <- numbers\n"
        "            pipe: 64 items\n"
        "      out   int -> nothing: read by running.stream\n"
        "      runs  1 worker, place main; not fused: numbers has several links away\n"
    )


def test_show_names_the_unit_that_calls_a_fused_one(streampy):
    done = streampy("show", "stuck.yaml")

    assert done.stdout.startswith("process stuck: 2 units, 1 link, 1 worker, 1 fused\n")
    assert "fused: called directly by numbers, no pipe between" in done.stdout


def test_show_draws_for_mermaid(streampy):
    done = streampy("show", "--mermaid", "doubles.yaml")

    assert done.stdout == (
        'flowchart LR\n  u0(["numbers"])\n  u1["double"]\n  u2["odd"]\n  u0 -->|"4 items"| u1\n  u0 --> u2\n'
    )


def test_show_tells_a_program_how_it_will_run(streampy):
    done = streampy("show", "--json", "doubles.yaml")

    told = json.loads(done.stdout)
    assert told["process"] == "doubles"
    assert told["units"]["double"]["inputs"]["number"]["from"] == ["numbers.out"]
    assert told["units"]["double"]["inputs"]["number"]["pipe"]["capacity"] == 4
    assert told["units"]["odd"]["workers"] == {"min": 1, "max": 1}


def test_show_draws_svg_with_a_box_for_each_unit(streampy):
    done = streampy("show", "--svg", "doubles.yaml")

    drawing = ET.fromstring(done.stdout)  # noqa: S314 - our own
    texts = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"numbers", "double", "odd"} <= set(texts)
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}rect"))) == 3


USED = """
process: used
units:
  numbers: {use: "units:numbers"}
  pair: {use: inner.yaml, from: numbers, workers: 2}
"""
INNER = """
process: inner
units:
  double: {use: "units:double"}
  odd: {use: "units:odd", from: double}
"""


@pytest.fixture
def used(folder):
    """A process that uses another."""
    (folder / "used.yaml").write_text(USED)
    (folder / "inner.yaml").write_text(INNER)
    return "used.yaml"


def test_show_names_the_units_of_a_used_process_by_it(streampy, used):
    done = streampy("show", used)

    assert done.stdout.startswith(
        "process used: 3 units, 2 links, 3 workers, 1 fused\n  pair is inner.yaml: 2 units\n\nlayer 1\n"
    )
    assert "  pair/double  units:double\n      in    number: int <- numbers\n" in done.stdout
    assert "fused: called directly by pair/double, no pipe between" in done.stdout


def test_show_draws_a_used_process_as_a_part_of_the_whole(streampy, used):
    assert streampy("show", "--mermaid", used).stdout == (
        "flowchart LR\n"
        '  u0(["numbers"])\n'
        '  subgraph p0["pair · inner.yaml"]\n'
        '    u1["double x2"]\n'
        '    u2["odd x2"]\n'
        "  end\n"
        "  u0 --> u1\n"
        "  u1 ==> u2\n"
    )


def test_show_draws_a_frame_around_the_units_of_a_used_process(streampy, used):
    drawing = ET.fromstring(streampy("show", "--svg", used).stdout)  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"

    (frame,) = [path.get("d") for path in drawing.iter(f"{svg}path") if path.get("class") == "frame"]
    corners = [tuple(map(float, corner.split(","))) for corner in frame.strip("MZ ").split(" L")]
    boxes = {
        text.text: (float(rect.get("x")), float(rect.get("y")))
        for rect, text in zip(drawing.iter(f"{svg}rect"), drawing.iterfind(f"{svg}text[@class='name']"), strict=True)
    }
    texts = [text.text for text in drawing.iter(f"{svg}text")]
    assert "pair · inner.yaml" in texts
    assert all(min(x for x, _ in corners) < x < max(x for x, _ in corners) for x, _ in list(boxes.values())[1:])
    assert boxes["numbers"][0] < min(x for x, _ in corners)


def test_show_tells_machines_which_processes_are_used_and_how_their_units_are_called(streampy, used):
    told = json.loads(streampy("show", "--json", used).stdout)

    assert told["used"] == {"pair": "inner.yaml"}
    assert list(told["units"]) == ["numbers", "pair/double", "pair/odd"]
    assert "from_" not in told["units"]["pair/double"]["inputs"]["number"]["pipe"]


def test_setting_of_a_unit_inside_is_given_on_the_command_line_also_to_one_of_several_files(streampy, used):
    given = ["--set", "pair/double.fail_at=0", "--set", "numbers.until=3"]

    assert streampy("check", used, "doubles.yaml", *given).returncode == Exit.PROCESS
    done = streampy("run", used, "doubles.yaml", *given)

    assert done.returncode == Exit.FAILED
    assert "pair/double" in done.stderr


def test_show_of_a_broken_process_tells_what_is_wrong(streampy):
    done = streampy("show", "nowhere.yaml")

    assert (done.returncode, done.stdout) == (Exit.PROCESS, "")
    assert "there is no such file" in done.stderr


def test_schema_is_json(streampy):
    done = streampy("schema")

    assert json.loads(done.stdout)["properties"]["units"]["type"] == "object"


def test_new_process_is_sound_runs_and_passes_its_tests(streampy, folder):
    made = streampy("new", "room")
    checked = streampy("check", "room/process.yaml")
    ran = streampy("run", "room/process.yaml", env={"RATE": "5000"})

    assert (made.returncode, checked.returncode, ran.returncode) == (Exit.OK, Exit.OK, Exit.OK)
    assert "room is sound: 3 units, 3 links" in checked.stdout
    assert "too warm: " in ran.stdout

    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder / "room",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in tested.stdout


def test_new_touches_nothing_that_is_there(streampy, folder):
    (folder / "room").mkdir()
    (folder / "room" / "units.py").write_text("mine")

    done = streampy("new", "room")

    assert done.returncode == Exit.USAGE
    assert "room has units.py already: name a new folder" in done.stderr
    assert [file.name for file in (folder / "room").iterdir()] == ["units.py"]


def test_reader_that_has_seen_enough_is_no_error(folder):
    command = [sys.executable, "-m", "streampy", "schema"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()

        assert process.stderr.read() == b""
    assert process.returncode == Exit.OK


def test_mistake_of_ours_is_said_to_be_ours(monkeypatch, capsys):
    monkeypatch.setattr("streampy.cli.schema.run", lambda _: 1 / 0)

    assert main(["schema"]) == Exit.BUG
    assert "a mistake in StreamPy itself; please report it" in capsys.readouterr().err


def test_what_a_module_prints_when_it_is_imported_is_no_part_of_the_answer(streampy, folder):
    (folder / "talkative.py").write_text("print('hello')\ndef one() -> int:\n    return 1\n")
    (folder / "talk.yaml").write_text("process: talk\nunits: {one: {use: 'talkative:one'}}\n")

    done = streampy("check", "--json", "talk.yaml")

    assert json.loads(done.stdout)["files"][0]["process"] == "talk"
    assert done.stderr == "hello\n"
