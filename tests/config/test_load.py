"""A process from a file or a dict is the one that Python would build."""

import json
from pathlib import Path

import pytest

import streampy as sp
from streampy.model.load import load_plan
from streampy.model.pipe import OnError, Then

TEXT = """
process: doubles
units:
  numbers:
    use: units:numbers
    set: {until: 5}
  double:
    use: units:double
    from: numbers
    workers: 2
    ordered: false
    pipe: {batch: 2, number: {capacity: 32, wait: 5ms, overflow: drop_oldest, bytes: 64MB}}
    on_error: {retry: 2, then: skip, backoff: 10ms}
    timeout: 2s
  add:
    use: units:add
    from: {left: numbers, right: double.out}
    join: {wait: 60ms, late: drop}
"""
VALUE = {
    "process": "doubles",
    "units": {
        "numbers": {"use": "units:numbers", "set": {"until": 5}},
        "double": {
            "use": "units:double",
            "from": "numbers",
            "workers": 2,
            "ordered": False,
            "pipe": {"batch": 2, "number": {"capacity": 32, "wait": "5ms", "overflow": "drop_oldest", "bytes": "64MB"}},
            "on_error": {"retry": 2, "then": "skip", "backoff": "10ms"},
            "timeout": "2s",
        },
        "add": {
            "use": "units:add",
            "from": {"left": "numbers", "right": "double.out"},
            "join": {"wait": "60ms", "late": "drop"},
        },
    },
}
TOML = """
process = "doubles"
units.numbers = {use = "units:numbers", set = {until = 5}}
[units.double]
use = "units:double"
from = "numbers"
workers = 2
ordered = false
pipe = {batch = 2, number = {capacity = 32, wait = "5ms", overflow = "drop_oldest", bytes = "64MB"}}
on_error = {retry = 2, then = "skip", backoff = "10ms"}
timeout = "2s"
[units.add]
use = "units:add"
from = {left = "numbers", right = "double.out"}
join = {wait = "60ms", late = "drop"}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("p.yaml", TEXT), ("p.yml", TEXT), ("p.json", json.dumps(VALUE)), ("p.toml", TOML), ("", "")],
    ids=["yaml", "yml", "json", "toml", "dict"],
)
def test_all_forms_describe_the_same_process(name, text, write):
    process = sp.load(write(name, text) if name else VALUE)

    double, add = process.units["double"], process.units["add"]
    assert process.name == "doubles"
    assert list(process.units) == ["numbers", "double", "add"]
    assert process.units["numbers"].settings == {"until": 5}
    assert (double.workers, double.ordered, double.timeout) == (2, False, 2.0)
    assert double.pipe == {"batch": 2}
    assert double.pipes == {"number": {"capacity": 32, "wait": 0.005, "overflow": "drop_oldest", "bytes": 64e6}}
    assert OnError(retry=2, then=Then.SKIP, backoff=0.01) == double.on_error
    assert add.links == {"left": ("numbers",), "right": ("double.out",)}
    assert add.join == {"wait": 0.06, "late": "drop"}


def test_process_runs(write):
    name = write("p.yaml", "process: p\nunits:\n  n: {use: 'units:numbers'}\n  d: {use: 'units:double', from: n}\n")

    with sp.run(sp.load(name)) as running:
        assert list(running.stream("d")) == [0, 2, 4]


def test_units_beside_the_file_are_found_from_anywhere(write):
    write("inner/more_units.py", "def half(number: int) -> int:\n    return number // 2\n")
    name = write("inner/p.yaml", "process: p\nunits: {half: {use: 'more_units:half'}}\n")

    assert "half" in sp.load(name).units


def test_same_module_name_in_two_folders_is_told(write):
    text = "process: p\nunits: {half: {use: 'same_name:half'}}\n"
    for inner in ("a", "b"):
        write(f"{inner}/same_name.py", "def half(number: int) -> int:\n    return number // 2\n")
        write(f"{inner}/p.yaml", text)
    sp.load("a/p.yaml")

    with pytest.raises(
        sp.ProcessError, match=r"a module .same_name. was loaded from a/same_name\.py before: rename one"
    ):
        sp.load("b/p.yaml")


def test_settings_given_beside_the_file_count_more(write, monkeypatch):
    monkeypatch.delenv("UNTIL", raising=False)
    name = write("p.yaml", "process: p\nunits: {numbers: {use: 'units:numbers', set: {until: '${UNTIL}'}}}\n")

    plan = load_plan(name, set={"numbers.until": "7"})

    assert plan.units["numbers"].settings == {"until": 7}


def test_setting_given_beside_the_file_is_told_as_such(write):
    name = write("p.yaml", "process: p\nunits: {numbers: {use: 'units:numbers'}}\n")

    with pytest.raises(sp.ProcessError) as caught:
        load_plan(name, set={"numbers.untill": 7, "nmbers.until": 7}, set_by="--set")

    unit, setting = map(str, caught.value.problems)
    assert unit == "--set nmbers.until: there is no unit 'nmbers', did you mean 'numbers'?"
    assert setting.startswith("--set numbers.untill: units.numbers.set.untill: units:numbers takes no setting 'untill'")


def test_variable_is_text_for_text_and_a_number_for_a_number(write, monkeypatch):
    monkeypatch.setenv("DIGITS", "12")
    name = write(
        "p.yaml",
        "process: p\nunits: {numbers: {use: 'units:numbers', set: {until: '${DIGITS}', label: '${DIGITS}'}}}\n",
    )

    assert load_plan(name).units["numbers"].settings == {"until": 12, "label": "12"}


def test_problem_of_a_dict_is_told_at_the_line_that_loaded_it(folder):
    with pytest.raises(sp.ProcessError) as caught:
        sp.load({"process": "p", "units": {"n": {"use": "units:nmbers"}}})

    problem = caught.value.problems[0]
    assert Path(__file__).name == Path(problem.file).name
    assert "sp.load({" in Path(__file__).read_text().splitlines()[problem.line - 1]
    assert problem.path == "units.n.use"


def test_dict_may_hold_the_function_itself(folder):
    def numbers() -> int:
        return 1

    assert numbers is sp.load({"process": "p", "units": {"n": {"use": numbers}}}).units["n"].use


def test_from_python_an_input_may_be_open_and_on_the_command_line_not(write):
    name = write("p.yaml", "process: p\nunits: {double: {use: 'units:double'}}\n")

    assert "double" in sp.load(name).units
    with pytest.raises(sp.ProcessError, match="the input 'number' is linked to nothing"):
        load_plan(name)


def test_exception_of_a_module_is_the_cause(write):
    write("bad_units.py", "raise KeyError('secret')\n")
    name = write("p.yaml", "process: p\nunits: {n: {use: 'bad_units:n'}}\n")

    with pytest.raises(sp.ProcessError) as caught:
        sp.load(name)

    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.__cause__.__traceback__ is not None


def test_syntax_error_of_a_module_is_told_with_its_line(write):
    write("unfinished_units.py", "\n\ndef n(:\n")
    name = write("p.yaml", "process: p\nunits: {n: {use: 'unfinished_units:n'}}\n")

    with pytest.raises(sp.ProcessError, match=r"SyntaxError: .* \(unfinished_units.py:3\)"):
        sp.load(name)


def test_plug_in_gives_its_unit_a_short_name(write, folder, monkeypatch):
    write("lens.py", "def focus(number: int) -> int:\n    return number\n")
    info = folder / "lens-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lens\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[streampy.units]\nfocus = lens:focus\n")
    monkeypatch.syspath_prepend(folder)
    sound = write("p.yaml", "process: p\nunits: {f: {use: focus}}\n")
    wrong = write("q.yaml", "process: p\nunits: {f: {use: fokus}}\n")

    assert sp.load(sound).units["f"].use.__name__ == "focus"
    with pytest.raises(sp.ProcessError, match=r"the short name of a unit that is installed, did you mean .focus.\?"):
        sp.load(wrong)


def test_keys_that_begin_with_x_are_left_for_anchors(write):
    text = """
    process: p
    x-fast: &fast {capacity: 8, batch: 4}
    units:
      numbers: {use: "units:numbers"}
      double: {use: "units:double", from: numbers, pipe: {<<: *fast, batch: 2}}
    """

    assert sp.load(write("p.yaml", text)).units["double"].pipe == {"capacity": 8, "batch": 2}


def test_key_whose_lines_are_commented_out_asks_for_nothing(write):
    name = write(
        "p.yaml", "process: p\nunits:\n  numbers:\n    use: units:numbers\n    set:\n    #  until: 3\n    pipe:\n"
    )

    assert sp.load(name).units["numbers"].settings == {}
