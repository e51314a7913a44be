"""`use: other.yaml`: a file is found, read once, given its settings, and what is wrong is told where it was written."""

from __future__ import annotations

import json

import pytest

import streampy as sp
from streampy.model.load import load_plan

HALVER = """
process: halver
units:
  double: {use: "units:double"}
  scale: {use: "units:scale", from: double, set: {factor: 2}}
"""
SCALE = """
def scale(number: int, *, factor: int, label: str = "") -> int:
    return factor * number
"""
OUTER = """
process: outer
units:
  numbers: {use: "units:numbers"}
  halver: {use: HALVER, from: numbers}
"""


@pytest.fixture
def halver(write, folder):
    """`halver.yaml`, in which `double` is open, and `scale` has a setting."""
    with (folder / "units.py").open("a") as units:
        units.write(SCALE)
    return write("halver.yaml", HALVER)


def outer(write, use="halver.yaml", more=""):
    return write("outer.yaml", OUTER.replace("HALVER}", f"{use}}}").replace("HALVER", use) + more)


def problems(load):
    with pytest.raises(sp.ProcessError) as caught:
        load()
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.usefixtures("halver")
def test_its_units_bear_its_name(write):
    plan = load_plan(outer(write))

    assert list(plan.units) == ["numbers", "halver/double", "halver/scale"]
    assert plan.groups == {"halver": "halver.yaml"}
    assert list(map(str, plan.links)) == [
        "numbers.out -> halver/double.number",
        "halver/double.out -> halver/scale.number",
    ]


@pytest.mark.usefixtures("halver")
def test_it_runs(write):
    with sp.run(sp.load(outer(write))) as running:
        assert list(running.stream("halver")) == [0, 4, 8]


@pytest.mark.usefixtures("halver")
@pytest.mark.parametrize("name", ["h.yml", "h.json", "h.toml"])
def test_it_may_be_written_in_any_format(name, write):
    units = {"double": {"use": "units:double"}, "scale": {"use": "units:scale", "from": "double", "set": {"factor": 2}}}
    scale = 'units.scale = {use = "units:scale", from = "double", set.factor = 2}'
    toml = f'process = "h"\nunits.double.use = "units:double"\n{scale}'
    text = toml if name.endswith("toml") else json.dumps({"process": "h", "units": units})
    write(name, text)

    assert load_plan(outer(write, name)).units["halver/scale"].settings == {"factor": 2}


@pytest.mark.usefixtures("halver")
def test_it_is_found_beside_the_file_that_names_it_and_so_are_its_units(write, monkeypatch, folder):
    write("inner/more_units.py", "def half(number: int) -> int:\n    return number // 2\n")
    write("inner/half.yaml", "process: half\nunits: {half: {use: 'more_units:half'}}\n")
    write("inner/both.yaml", "process: both\nunits: {h: {use: half.yaml}, d: {use: ../halver.yaml, from: h}}\n")
    name = outer(write, "inner/both.yaml")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")

    assert list(load_plan(f"../{name}").units)[1:] == ["halver/h/half", "halver/d/double", "halver/d/scale"]


@pytest.mark.usefixtures("halver")
def test_settings_are_given_to_its_units_and_count_more_than_those_in_it(write, monkeypatch):
    monkeypatch.setenv("FACTOR", "7")
    name = outer(write, "halver.yaml, set: {scale: {factor: '${FACTOR}', label: '${LABEL:-seven}'}}")

    assert load_plan(name).units["halver/scale"].settings == {"factor": 7, "label": "seven"}


@pytest.mark.usefixtures("halver")
def test_settings_reach_any_depth_each_counting_more_than_those_below_it(write):
    write("mid.yaml", "process: mid\nunits: {low: {use: halver.yaml, set: {scale: {factor: 3, label: mid}}}}\n")
    name = outer(write, "mid.yaml, set: {low: {scale: {factor: 5}}}")

    assert load_plan(name).units["halver/low/scale"].settings == {"factor": 5, "label": "mid"}
    plan = load_plan(name, set={"halver/low/scale.factor": 9})
    assert plan.units["halver/low/scale"].settings == {"factor": 9, "label": "mid"}


@pytest.mark.usefixtures("halver")
def test_settings_given_beside_the_file_are_told_as_such(write):
    name = outer(write)
    given = {"halver/scale.factr": 1, "halver/scael.factor": 1, "halver/scale.factor": "wide"}

    unit, setting, value = problems(lambda: load_plan(name, set=given, set_by="--set"))

    assert (
        unit
        == "--set halver/scael.factor: units.halver.set.scael: halver.yaml has no unit 'scael', did you mean 'scale'?"
    )
    assert setting.startswith("--set halver/scale.factor: units.halver.set.scale.factor: got 'wide', expected int")
    assert value.startswith(
        "--set halver/scale.factr: units.halver.set.scale.factr: units:scale takes no setting 'factr'"
    )


@pytest.mark.usefixtures("halver")
def test_setting_that_its_file_leaves_out_may_be_given_where_it_is_used(write):
    write("open.yaml", "process: open\nunits: {scale: {use: 'units:scale'}}\n")

    assert load_plan(outer(write, "open.yaml, set: {scale: {factor: 3}}")).units["halver/scale"].settings == {
        "factor": 3
    }
    (missing,) = problems(lambda: load_plan(outer(write, "open.yaml")))
    assert missing == "open.yaml:2:9: units.scale.set: units:scale needs the setting 'factor' (int): add it"


@pytest.mark.usefixtures("halver")
def test_variable_that_is_missing_is_the_only_problem_of_its_setting(write):
    write("open.yaml", "process: open\nunits: {scale: {use: 'units:scale'}}\n")

    (missing,) = problems(lambda: load_plan(outer(write, "open.yaml, set: {scale: {factor: '${NOBODY_SETS_THIS}'}}")))

    assert "units.halver.set.scale.factor: the environment variable NOBODY_SETS_THIS is not set" in missing


def test_what_is_wrong_in_it_is_told_once_however_often_it_is_used(write):
    write("wrong.yaml", "process: wrong\nunits:\n  a: {use: 'units:doubl'}\n  b: {use: 'units:double', from: c}\n")
    again = "  again: {use: wrong.yaml, from: numbers}\n"

    assert problems(lambda: load_plan(outer(write, "wrong.yaml", again))) == [
        "wrong.yaml:3:7: units.a.use: 'units' has no 'doubl', did you mean 'double'?",
        "wrong.yaml:4:28: units.b.from: there is no unit 'c'; known: a, b",
    ]


def test_exception_of_a_module_of_its_units_is_the_cause(write):
    write("bad_units.py", "raise KeyError('secret')\n")
    write("bad.yaml", "process: bad\nunits: {n: {use: 'bad_units:n'}}\n")

    with pytest.raises(sp.ProcessError) as caught:
        sp.load(outer(write, "bad.yaml"))

    assert isinstance(caught.value.__cause__, KeyError)


def test_file_that_is_not_there_is_told_where_it_is_named_each_time(write):
    again = "  again: {use: nowhere/gone.yaml, from: numbers}\n"

    assert problems(lambda: load_plan(outer(write, "nowhere/gone.yaml", again))) == [
        "outer.yaml:5:12: units.halver.use: nowhere/gone.yaml: there is no such file",
        "outer.yaml:6:11: units.again.use: nowhere/gone.yaml: there is no such file",
    ]


def test_folder_is_no_process(write, folder):
    (folder / "inner.yaml").mkdir()

    (told,) = problems(lambda: load_plan(outer(write, "inner.yaml")))

    assert told == "outer.yaml:5:12: units.halver.use: inner.yaml: this is a folder: name a file in it"


def test_process_that_uses_itself_round_about_is_told_with_the_circle(write):
    write("a.yaml", "process: a\nunits: {b: {use: b.yaml}}\n")
    write("b.yaml", "process: b\nunits: {c: {use: c.yaml}}\n")
    write("c.yaml", "process: c\nunits: {a: {use: ./a.yaml}}\n")

    (circle,) = problems(lambda: sp.load("a.yaml"))

    assert circle == (
        "c.yaml:2:13: units.a.use: a process can't be a unit of itself: a.yaml -> b.yaml -> c.yaml -> a.yaml"
    )


@pytest.mark.usefixtures("halver")
def test_dict_may_hold_the_process_itself_or_the_name_of_its_file(folder):
    inner = sp.Process("inner").add("same", lambda number: number)

    process = sp.load({"process": "p", "units": {"one": {"use": inner}, "two": {"use": str(folder / "halver.yaml")}}})

    assert process.units["one"].use is inner
    assert process.units["one"].used_as == "inner"
    assert [unit.name for unit in process.units["two"].use.units.values()] == ["double", "scale"]
