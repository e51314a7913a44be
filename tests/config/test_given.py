"""What is given beside a file is a setting of a unit, or one of its keys: it counts more than what the file says."""

import pytest

import streampy as sp
from streampy.model.load import load_plan

TEXT = """
process: p
units:
  numbers: {use: 'units:numbers'}
  double: {use: 'units:double', from: numbers, workers: 3, ordered: false, timeout: 1s}
  hall: {use: inner/hall.yaml, from: numbers, place: gpu, workers: 2}
"""
HALL = """
process: hall
units:
  low: {use: low.yaml}
  half: {use: 'halves:half', from: low}
"""
LOW = "process: low\nunits: {half: {use: 'halves:half', device: 'cpu:1'}}\n"
HALVES = """
def half(number: int) -> int:
    return number // 2

def tune(number: int, *, device: str = "", workers: int = 0) -> int:
    return number
"""


@pytest.fixture
def name(write):
    """A process that uses another, which uses a third."""
    write("inner/halves.py", HALVES)
    write("inner/hall.yaml", HALL)
    write("inner/low.yaml", LOW)
    return write("p.yaml", TEXT)


def problems(name, given):
    with pytest.raises(sp.ProcessError) as caught:
        load_plan(name, set=given, set_by="--set")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("key", "text", "field", "value"),
    [
        ("place", "own", "place", "own"),
        ("workers", "2", "workers", 2),
        ("workers", {"min": 1, "max": 4}, "spare", 3),
        ("device", "cuda:{index}", "device", "cuda:{index}"),
        ("timeout", "2s", "timeout", 2.0),
        ("ordered", "true", "ordered", True),
        ("on_crash", "restart", "on_crash", sp.OnCrash.of("restart")),
        ("on_error", {"retry": 2}, "on_error", sp.OnError(retry=2)),
        ("each", [{}, {}, {}], "each", ({}, {}, {})),
    ],
)
def test_keys_are_given_as_text_or_as_they_stand_in_a_file(name, key, text, field, value):
    spec = load_plan(name, set={f"double.{key}": text}).units["double"].spec

    assert getattr(spec, field) == value


def test_keys_that_need_each_other_are_given_together(name):
    given = {"double.place": "own", "double.workers": "2", "double.cpus": "0-1", "double.env": {"A": 1}}

    plan = load_plan(name, set=given)

    assert [(place.name, place.env, place.cpus) for place in plan.places if "double" in place.units] == [
        ("double#0", {"A": "1"}, (0, 1)),
        ("double#1", {"A": "1"}, (0, 1)),
    ]


def test_a_key_of_a_unit_inside_counts_more_than_what_is_said_at_the_use_of_its_process(name):
    before = load_plan(name)
    plan = load_plan(name, set={"hall/low/half.place": "own", "hall/half.device": "cuda:0", "hall.workers": 1})

    assert [place.name for place in before.places] == ["main", "gpu"]
    assert [place.name for place in plan.places] == ["main", "hall/low/half", "gpu"]
    assert plan.units["hall/half"].device_of(0) == "cuda:0"
    assert plan.units["hall/low/half"].device_of(0) == "cpu:1"


def test_a_process_that_is_used_twice_is_given_a_key_in_one_place(write):
    write("halves.py", HALVES)
    write("low.yaml", LOW)
    name = write("p.yaml", "process: p\nunits:\n  one: {use: low.yaml}\n  other: {use: low.yaml, from: one}\n")

    plan = sp.load(name, set={"other/half.workers": 2})

    assert plan.units["one"].use.units["half"].workers == 1
    assert plan.units["other"].use.units["half"].workers == 2


def test_where_the_unit_has_a_setting_of_that_name_this_is_meant(write):
    write("halves.py", HALVES)
    write("low.yaml", "process: low\nunits: {tune: {use: 'halves:tune', set: {device: 'cuda:0'}}}\n")
    name = write("p.yaml", "process: p\nunits: {tune: {use: 'halves:tune'}, low: {use: low.yaml, from: tune}}\n")

    process = sp.load(name, set={"tune.device": "cuda:1", "low/tune.device": "cuda:2", "low/tune.workers": "3"})

    assert (process.units["tune"].settings, process.units["tune"].device) == ({"device": "cuda:1"}, "cpu")
    assert process.units["low"].settings == {"tune": {"device": "cuda:2", "workers": "3"}}
    assert process.units["low"].use.units["tune"].workers == 1


def test_what_was_wrong_in_the_file_is_no_problem_any_more(write):
    name = write("p.yaml", "process: p\nunits: {n: {use: 'units:numbers', workers: many, on_crash: {attempts: 0}}}\n")

    with pytest.raises(sp.ProcessError):
        load_plan(name)

    assert load_plan(name, set={"n.workers": 2, "n.on_crash": "stop"}).units["n"].spec.workers == 2


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("double.workers", "0", "units.double.workers: got '0', expected a whole number, at least 1"),
        ("double.place", "thread", "units.double.place: got 'thread', did you mean 'main'?"),
        (
            "double.wrokers",
            "2",
            "units.double.set.wrokers: units:double takes no setting 'wrokers', did you mean the k",
        ),
        ("hall/half.timeout", "x", "units.hall/half.timeout: got 'x', expected a duration"),
        ("hall/hlaf.place", "own", "inner/hall.yaml has no unit 'hlaf', did you mean 'half'?"),
        ("double/half.place", "own", "units:double has no unit 'half'; it is no process"),
        ("duble.place", "own", "there is no unit 'duble', did you mean 'double'?"),
        ("hall.timeout", "1s", "units.hall.timeout: inner/hall.yaml is a process, and 'timeout' is said of single"),
        ("numbers.device", "{i}", "units.numbers.device: got {i} in '{i}', expected {index} or {count}"),
    ],
)
def test_what_is_wrong_is_told_as_given(name, key, value, said):
    (problem,) = problems(name, {key: value})

    assert problem.startswith(f"--set {key}: {said}")
