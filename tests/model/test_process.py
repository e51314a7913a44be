"""A process is described as it is written, and checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import pytest

from streampy.errors import Problem, ProcessError
from streampy.model.check import make_plan
from streampy.model.outputs import Outputs
from streampy.model.pipe import Join, OnError, Pipe, Then
from streampy.model.process import ONLY, Process, normalize_links


class Halves(Outputs):
    """Two outputs."""

    low: int
    high: int


def numbers(*, until: int = 3) -> Iterator[int]: ...
def words() -> Iterator[str]: ...
def double(number: int) -> int: ...
def add(left: int, right: int) -> int: ...
def halves(number: int) -> Halves: ...
def show(number: int) -> None: ...
def scale(number: int, *, factor: float) -> float: ...
def stream(number: Iterator[int]) -> Iterator[int]: ...
def named(number: int, *, workers: int, place: str) -> int: ...


@pytest.mark.parametrize(
    ("from_", "expected"),
    [
        (None, {}),
        ("camera", {ONLY: ("camera",)}),
        (["left", "right.out"], {ONLY: ("left", "right.out")}),
        ({"frame": "camera", "names": ["who.out", "guess"]}, {"frame": ("camera",), "names": ("who.out", "guess")}),
    ],
)
def test_every_short_form_of_from_has_the_same_long_one(from_, expected):
    assert normalize_links(from_) == expected


def test_a_unit_is_added_with_everything_that_a_file_could_say():
    process = Process("p").add("numbers", numbers)
    process.add(
        "double",
        double,
        from_="numbers",
        workers=2,
        ordered=False,
        pipe=Pipe(batch=4),
        on_error="skip",
        timeout="2s",
    )
    spec = process.units["double"]
    assert (spec.name, spec.use, spec.used_as) == ("double", double, f"{__name__}:double")
    assert (spec.links, spec.workers, spec.ordered, spec.timeout) == ({ONLY: ("numbers",)}, 2, False, 2.0)
    assert (spec.pipe["batch"], spec.on_error, spec.place) == (4, OnError(then=Then.SKIP), "main")


def test_a_unit_that_is_only_added_has_the_defaults():
    spec = Process("p").add("double", double).units["double"]
    assert (spec.links, spec.workers, spec.ordered, spec.timeout, spec.settings) == ({}, 1, True, inf, {})
    assert (spec.pipe, spec.pipes, spec.join, spec.on_error) == ({}, {}, {}, OnError())


def test_settings_that_bear_the_name_of_a_key_are_given_in_set():
    spec = Process("p").add("named", named, set={"workers": 4}, place="main").units["named"]
    assert (spec.settings, spec.workers) == ({"workers": 4}, 1)


def test_pipes_of_single_inputs_stand_beside_those_of_all():
    spec = (
        Process("p").add("add", add, pipe={"capacity": 8, "left": {"batch": 2}, "right": Pipe(capacity=3)}).units["add"]
    )
    assert spec.pipe == {"capacity": 8}
    assert (spec.pipes["left"], spec.pipes["right"]["capacity"]) == ({"batch": 2}, 3)


def test_a_process_says_what_is_in_it():
    assert repr(Process("p")) == "Process('p', empty)"
    assert repr(Process("p").add("numbers", numbers).add("show", show)) == "Process('p', numbers -> show)"


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="there is a unit 'numbers' in 'p' already"):
        Process("p").add("numbers", numbers).add("numbers", words)


def problems(process: Process, *, may_be_open: bool = True) -> list[tuple[str, str]]:
    with pytest.raises(ProcessError) as refused:
        make_plan(process, may_be_open=may_be_open)
    return [(problem.path, problem.message) for problem in refused.value.problems]


def process(**more: object) -> Process:
    return Process("p").add("numbers", numbers).add("words", words).add("double", double, from_="numbers")


LINKS = [
    ("show", show, "numbrs", "units.show.from", "there is no unit 'numbrs', did you mean 'numbers'?"),
    ("show", show, "double.put", "units.show.from", "'double' has no output 'put', did you mean 'out'?"),
    ("show", show, {"numbr": "double"}, "units.show.from.numbr", "has no input 'numbr', did you mean 'number'?"),
    ("add", add, "double", "units.add.from", "has 2 inputs, so say which: `from: {left: ..., right: ...}`"),
    ("more", numbers, "double", "units.more.from", "is a source, it has no inputs; remove `from`"),
    ("show", show, "words", "units.show.from", "words.out gives str, but 'number' expects int"),
    (
        "add",
        add,
        {"left": "double"},
        "units.add.from",
        "the input 'right' is linked to nothing: add `from: {right: UNIT}`",
    ),
]


@pytest.mark.parametrize(("name", "use", "from_", "path", "message"), LINKS, ids=[row[4][:30] for row in LINKS])
def test_a_link_that_can_not_be_is_told_at_its_place(name, use, from_, path, message):
    ((got_path, got_message),) = problems(process().add(name, use, from_=from_))
    assert got_path == path
    assert message in got_message


def test_one_of_several_outputs_must_be_named():
    one = process().add("halves", halves, from_="double").add("show", show, from_="halves")
    assert problems(one) == [
        ("units.show.from", "'halves' has 2 outputs, so say which: halves.low or halves.high"),
    ]


def test_nothing_comes_from_a_sink():
    one = process().add("show", show, from_="double").add("more", show, from_="show")
    assert problems(one) == [
        ("units.more.from", "'show' is a sink (it returns None), nothing comes from it"),
    ]


UNITS = [
    ({"workers": 0}, double, "units.one.workers", "got 0, expected at least 1 worker"),
    ({"workers": 2}, stream, "units.one.workers", "2 workers can't keep the order of a unit that takes an Iterator[T]"),
    ({"pipe": {"capacty": 3}}, double, "units.one.pipe.capacty", "unknown key 'capacty', did you mean 'capacity'?"),
    ({"pipe": {"batch": 0}}, double, "units.one.pipe.batch", "got 0, expected at least 1 item"),
    (
        {"pipe": {"numbr": {"batch": 2}}},
        double,
        "units.one.pipe.numbr",
        "'one' has no input 'numbr', did you mean 'number'?",
    ),
    ({"factr": 2}, scale, "units.one.set.factr", "takes no setting 'factr', did you mean 'factor'?"),
    ({}, scale, "units.one.set", "needs the setting 'factor' (float): add it"),
    ({"factor": "wide"}, scale, "units.one.set.factor", "got 'wide', expected float"),
]


@pytest.mark.parametrize(("options", "use", "path", "message"), UNITS, ids=[row[3][:30] for row in UNITS])
def test_what_is_wrong_with_a_unit_is_told_at_its_place(options, use, path, message):
    told = dict(problems(process().add("one", use, from_="numbers", **options)))
    assert message in told[path]


def test_all_problems_are_told_at_once_each_with_its_line():
    one = Process("p")
    one.add("show", show, from_="nobody")
    one.add("scale", scale, from_="nothing", factor=1.0)
    with pytest.raises(ProcessError) as refused:
        make_plan(one)
    first, second = refused.value.problems
    assert (first.file, second.file) == (__file__, __file__)
    assert second.line == first.line + 1
    assert str(refused.value).startswith("2 problems in the process\n  ")


def test_a_process_needs_a_unit():
    assert problems(Process("p")) == [("units", "the process has no units: add one")]


def test_a_unit_that_is_fed_by_hand_is_a_problem_only_where_nobody_can_feed_it():
    one = Process("p").add("double", double)
    assert make_plan(one).units["double"].is_open
    ((path, message),) = problems(one, may_be_open=False)
    assert path == "units.double.from"
    assert message.startswith("the input 'number' is linked to nothing: add `from: UNIT`")


@pytest.mark.parametrize(
    ("value", "factor"),
    [("2", 2.0), (3, 3.0), (0.5, 0.5)],
)
def test_settings_are_given_the_type_that_the_unit_asked_for(value, factor):
    plan = make_plan(process().add("scale", scale, from_="double", factor=value))
    assert plan.units["scale"].settings == {"factor": factor}


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("faces.yaml", 12, 5, "units.small", "wrong"), "faces.yaml:12:5: units.small: wrong"),
        (Problem("graph.py", 3, 0, "units.small", "wrong"), "graph.py:3: units.small: wrong"),
        (Problem("", 0, 0, "units", "wrong"), "units: wrong"),
    ],
)
def test_a_problem_says_where(problem, text):
    assert str(problem) == text


def test_defaults_of_a_unit_are_overridden_one_by_one():
    import streampy as sp  # noqa: PLC0415 - the decorator as users have it

    @sp.unit(left=Pipe(capacity=8, batch=4), join=Join(wait=1.0))
    def sum_up(left: int, right: int) -> int: ...

    one = process().add(
        "sum", sum_up, from_={"left": "numbers", "right": "double"}, pipe={"left": {"batch": 2}}, join={"late": "drop"}
    )
    unit = make_plan(one).units["sum"]
    assert unit.inputs["left"].pipe == Pipe(capacity=8, batch=2)
    assert unit.inputs["right"].pipe == Pipe()
    assert (unit.join.settings.wait, unit.join.settings.late) == (1.0, "drop")
