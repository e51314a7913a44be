"""A process as a unit of another: its open ports are its ports, and its units stand in its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import streampy as sp
from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.pipe import Overflow
from streampy.model.plan import Plan


class Found(sp.Outputs):
    """Two outputs."""

    boxes: int
    scores: int


def camera() -> Iterator[int]: ...
def resize(frame: int, *, width: int = 640) -> int: ...
def detect(frame: int, *, threshold: float = 0.5) -> Found: ...
def join(frame: int, boxes: int) -> int: ...
def stream(frame: Iterator[int]) -> Iterator[int]: ...
def show(frame: int) -> None: ...


def finder(name: str = "finder") -> sp.Process:
    """One open input, `resize`; the open outputs `detect`, which is its scores, and `join`."""
    process = sp.Process(name).add("resize", resize).add("detect", detect, from_="resize")
    return process.add("join", join, from_={"frame": "resize", "boxes": "detect.boxes"})


def using(inner: sp.Process, **options: object) -> sp.Process:
    return sp.Process("p").add("camera", camera).add("other", inner, **{"from_": "camera", **options})


def problems(process: sp.Process, *, may_be_open: bool = True) -> list[tuple[str, str]]:
    with pytest.raises(ProcessError) as refused:
        make_plan(process, may_be_open=may_be_open)
    return [(problem.path, problem.message) for problem in refused.value.problems]


def links(plan: Plan) -> list[str]:
    return sorted(map(str, plan.links))


def test_its_units_stand_in_its_place():
    plan = make_plan(using(finder()).add("show", show, from_="other.join"))

    assert list(plan.units) == ["camera", "other/resize", "other/detect", "other/join", "show"]
    assert plan.units["other/detect"].open_outputs == ("scores",)
    assert links(plan) == [
        "camera.out -> other/resize.frame",
        "other/detect.boxes -> other/join.boxes",
        "other/join.out -> show.frame",
        "other/resize.out -> other/detect.frame",
        "other/resize.out -> other/join.frame",
    ]


ENDS = [
    ("from_", "camera", "other/resize.frame", None),
    ("from_", {"resize": "camera"}, "other/resize.frame", None),
    ("from_", {"resize.frame": "camera"}, "other/resize.frame", None),
    ("show", "other.join", None, "other/join.out"),
    ("show", "other.join.out", None, "other/join.out"),
    ("show", "other.detect", None, "other/detect.scores"),
    ("show", "other.detect.scores", None, "other/detect.scores"),
]


@pytest.mark.parametrize(("which", "from_", "receives", "sends"), ENDS)
def test_its_open_ports_are_called_by_their_unit_or_by_unit_and_port(which, from_, receives, sends):
    process = using(finder(), **({"from_": from_} if which == "from_" else {}))
    if which == "show":
        process.add("show", show, from_=from_)
    assert (f"camera.out -> {receives}" if receives else f"{sends} -> show.frame") in links(make_plan(process))


def test_unit_with_several_open_ports_gives_each_its_own_name():
    inner = sp.Process("inner").add("join", join).add("detect", detect, from_="join")
    process = (
        sp.Process("p").add("camera", camera).add("o", inner, from_={"join.frame": "camera", "join.boxes": "camera"})
    )
    process.add("show", show, from_=["o.detect.boxes", "o.detect.scores"])
    assert links(make_plan(process)) == [
        "camera.out -> o/join.boxes",
        "camera.out -> o/join.frame",
        "o/detect.boxes -> show.frame",
        "o/detect.scores -> show.frame",
        "o/join.out -> o/detect.frame",
    ]


def test_unit_of_which_one_input_is_linked_inside_has_the_other_one_open():
    inner = sp.Process("inner").add("camera", camera).add("join", join, from_={"frame": "camera"}, join={"key": "seq"})
    plan = make_plan(using(inner))
    assert "camera.out -> other/join.boxes" in links(plan)
    ((path, message),) = problems(inner)
    assert path == "units.join.from"
    assert message.startswith("the input 'boxes' is linked to nothing: add `from: {boxes: UNIT}` (it may be left open")


def test_processes_are_nested_without_limit():
    inner = sp.Process("p0").add("resize", resize)
    for depth in range(1, 30):
        inner = sp.Process(f"p{depth}").add("in", inner)
    plan = make_plan(sp.Process("p").add("camera", camera).add("o", inner, from_="camera").add("show", show, from_="o"))
    name = "o/" + "in/" * 29 + "resize"
    assert list(plan.units) == ["camera", name, "show"]
    assert links(plan) == [f"camera.out -> {name}.frame", f"{name}.out -> show.frame"]
    assert len(plan.groups) == 30


def test_used_twice_it_is_there_twice():
    one = finder()
    plan = make_plan(using(one).add("more", one, from_="other.join"))
    assert {"other/join", "more/join"} <= set(plan.units)
    assert "other/join.out -> more/resize.frame" in links(plan)


def test_sources_and_sinks_may_lie_inside():
    ends = sp.Process("ends").add("camera", camera).add("show", show)
    process = sp.Process("p").add("ends", ends, from_="small").add("small", resize, from_="ends")
    assert links(make_plan(process)) == ["ends/camera.out -> small.frame", "small.out -> ends/show.frame"]


def test_items_meet_across_its_border_as_they_would_inside():
    inner = sp.Process("inner").add("detect", detect)
    process = using(inner).add("join", join, from_={"frame": "camera", "boxes": "other.detect.boxes"})
    assert make_plan(process).units["join"].join.depths == {"camera": 0}


@pytest.mark.parametrize("depth", [1, 2])
def test_settings_are_given_to_its_units(depth):
    inner, settings = finder(), {"detect": {"threshold": "0.25"}, "resize": {"width": 8}}
    for _ in range(depth - 1):
        inner, settings = sp.Process("mid").add("low", inner), {"low": settings}
    plan = make_plan(using(inner, set=settings))
    name = "other/" + "low/" * (depth - 1)
    assert plan.units[f"{name}detect"].settings == {"threshold": 0.25}
    assert plan.units[f"{name}resize"].settings == {"width": 8}


def test_workers_of_a_process_are_those_of_each_of_its_units_times_its_own():
    inner = sp.Process("inner").add("a", resize, workers=3).add("b", resize, from_="a", ordered=False)
    mid = sp.Process("mid").add("low", inner, workers=2)
    plan = make_plan(using(mid, workers=2))
    assert {name: unit.spec.workers for name, unit in plan.units.items()} == {
        "camera": 1,
        "other/low/a": 12,
        "other/low/b": 4,
    }
    assert (plan.units["other/low/a"].spec.ordered, plan.units["other/low/b"].spec.ordered) == (True, False)


def test_workers_of_a_process_may_follow_the_load():
    inner = sp.Process("inner").add("a", resize, workers=2).add("b", resize, from_="a", workers={"min": 1, "max": 3})
    plan = make_plan(using(inner, workers={"min": 2, "max": 4}))
    a, b = (plan.units[f"other/{name}"].spec for name in "ab")
    assert (a.workers - a.spare, a.workers) == (4, 8)
    assert (b.workers - b.spare, b.workers) == (2, 12)


def test_process_whose_order_does_not_matter_has_units_whose_order_does_not():
    plan = make_plan(using(finder(), workers=2, ordered=False))
    assert not any(unit.spec.ordered for name, unit in plan.units.items() if name != "camera")


def test_pipe_of_a_process_is_that_of_its_open_inputs():
    inner = sp.Process("inner").add("a", resize, pipe={"capacity": 8, "batch": 2}).add("b", resize, from_="a")
    inner.add("c", resize)
    options = {"from_": {"a": "camera", "c": "camera"}, "pipe": {"capacity": 16, "c": {"overflow": "latest"}}}
    plan = make_plan(using(inner, **options))
    a, b, c = (plan.units[f"other/{name}"].inputs["frame"] for name in "abc")
    assert (a.pipe.capacity, a.pipe.batch, a.configured) == (16, 2, True)
    assert (c.pipe.capacity, c.pipe.overflow, c.configured) == (16, Overflow.LATEST, True)
    assert not b.configured


def test_units_of_a_process_are_fused_with_each_other_and_with_those_around_it():
    inner = sp.Process("inner").add("a", resize).add("b", resize, from_="a")
    plan = make_plan(using(inner).add("show", show, from_="other"))
    assert plan.chains == (("camera", "other/a", "other/b", "show"),)


def test_copies_of_a_process_run_its_chain_whole():
    inner = sp.Process("inner").add("a", resize).add("b", resize, from_="a").add("c", resize, from_="b", workers=2)
    plan = make_plan(using(sp.Process("mid").add("low", inner), workers=3).add("show", show, from_="other"))
    assert plan.chains == (("camera",), ("other/low/a", "other/low/b"), ("other/low/c",), ("show",))
    assert plan.units["other/low/c"].not_fused == "has 6 workers"


def test_neighbours_that_are_scaled_each_by_itself_are_not_fused():
    inner = sp.Process("inner").add("a", resize)
    plan = make_plan(using(inner, workers=2).add("more", inner, from_="other", workers=2))
    assert plan.units["more/a"].not_fused == "has 2 workers"


def test_from_python_its_open_inputs_may_be_fed_by_hand_and_on_the_command_line_not():
    process = sp.Process("p").add("other", finder())
    assert make_plan(process).units["other/resize"].is_open
    ((path, message),) = problems(process, may_be_open=False)
    assert path == "units.other.from"
    assert message.startswith("the input 'resize' is linked to nothing: add `from: UNIT`")


def test_all_inputs_of_a_unit_inside_are_fed_by_hand_or_none():
    inner = sp.Process("inner").add("join", join).add("resize", resize)
    ((path, message),) = problems(using(inner, from_={"join.boxes": "camera"}))
    assert path == "units.other.from"
    assert message.startswith("the input 'join.frame' is linked to nothing: add `from: {join.frame: UNIT}`")


WRONG = [
    ({"from_": {"resiz": "camera"}}, "from.resiz", "finder has no input 'resiz', did you mean 'resize'?"),
    ({"join": {"wait": 1.0}}, "join", "finder is a process, and 'join' is said of single units: write it at them"),
    ({"timeout": 1.0}, "timeout", "finder is a process, and 'timeout' is said of single units: write it at them"),
    ({"each": [{}]}, "each", "finder is a process, and 'each' is said of single units: write it at them"),
    ({"on_error": "skip"}, "on_error", "finder is a process, and 'on_error' is said of single units: write it at them"),
    ({"pipe": {"detect": {"batch": 2}}}, "pipe.detect", "'other' has no input 'detect'; known: resize"),
    ({"pipe": {"bach": 2}}, "pipe.bach", "unknown key 'bach', did you mean 'batch'?"),
    ({"pipe": {"resize": {"batch": 0}}}, "pipe.resize.batch", "got 0, expected at least 1 item"),
    ({"workers": 0}, "workers", "got 0, expected at least 1 worker"),
    ({"width": 8}, "set.width", "finder has no unit 'width'; known: resize, detect, join"),
    ({"resize": 8}, "set.resize", "got 8, expected the settings of the unit 'resize', `resize: {SETTING: VALUE}`"),
    ({"resize": {"widht": 8}}, "set.resize.widht", "takes no setting 'widht', did you mean 'width'?"),
    ({"resize": {"width": "wide"}}, "set.resize.width", "got 'wide', expected int"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "path", "message"), WRONG, ids=[row[1] for row in WRONG])
def test_what_is_wrong_is_told_where_the_process_is_used(options, path, message):
    ((got_path, got_message),) = problems(using(finder(), **options))
    assert got_path == f"units.other.{path}"
    assert message in got_message


def test_what_is_linked_inside_of_it_is_no_output_of_it():
    process = using(finder()).add("show", show, from_="other.resize")
    assert problems(process) == [
        ("units.show.from", "'resize' of 'other' is linked to 'detect' inside of it; open outputs: detect, join"),
    ]


def test_process_that_uses_itself_is_told_with_the_circle():
    one, two = sp.Process("one"), sp.Process("two")
    one.add("two", two)
    two.add("one", one)
    assert problems(one) == [("units.one.use", "a process can't be a unit of itself: one -> two -> one")]


def test_problem_inside_is_told_once_in_its_own_words():
    wrong = sp.Process("wrong").add("a", resize, from_="nobody").add("c", resize, from_="a")
    both = sp.Process("p").add("one", wrong).add("two", wrong).add("show", show, from_="one.c")
    assert problems(both) == [("units.a.from", "there is no unit 'nobody'; known: a, c")]


def test_units_inside_are_called_as_they_are_there_also_by_what_follows_from_the_whole_graph():
    inner = sp.Process("inner").add("a", resize, from_="b").add("b", resize, from_="a")
    both = sp.Process("p").add("one", inner).add("two", inner)
    ((path, message),) = problems(both)
    assert path == "units.a.from"
    assert message.startswith("the cycle a -> b -> a could deadlock")


def test_cycle_that_is_closed_outside_is_told_outside():
    inner = sp.Process("inner").add("a", resize).add("b", resize, from_="a")
    ((path, message),) = problems(sp.Process("p").add("one", inner, from_={"a": "c"}).add("c", resize, from_="one"))
    assert path == "units.one.from.a"
    assert message.startswith("the cycle one/a -> one/b -> c -> one/a could deadlock")
