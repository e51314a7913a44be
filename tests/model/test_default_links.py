"""`frame = Pipe(from_="camera")` in a class: the link that its unit has where the process does not say another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import streampy as sp
from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.pipe import Pipe


def camera() -> Iterator[int]: ...
def words() -> Iterator[str]: ...
def same(frame: int) -> int: ...


class Annotate(sp.Unit):
    """One input that is linked by default, one that is not."""

    frame = Pipe(from_="camera")

    def work(self, frame: int, names: int) -> int: ...


class Follow(sp.Unit):
    """One input, linked by default, with a pipe of its own."""

    frame = Pipe(from_="camera", capacity=8)

    def work(self, frame: int) -> int: ...


@sp.unit(frame=Pipe(from_=["camera", "other"]))
def both(frame: int) -> int: ...


def process() -> sp.Process:
    return sp.Process("p").add("camera", camera).add("other", same, from_="camera")


def links(one: sp.Process) -> list[str]:
    return sorted(str(link) for link in make_plan(one).links if link.receiver == "unit")


def problems(one: sp.Process) -> list[tuple[str, str]]:
    with pytest.raises(ProcessError) as refused:
        make_plan(one)
    return [(problem.path, problem.message) for problem in refused.value.problems]


LINKS = [
    (Annotate, {"names": "other"}, ["camera.out -> unit.frame", "other.out -> unit.names"]),
    (Annotate, {"names": "other", "frame": "other"}, ["other.out -> unit.frame", "other.out -> unit.names"]),
    (Follow, None, ["camera.out -> unit.frame"]),
    (Follow, "other", ["other.out -> unit.frame"]),
    (both, None, ["camera.out -> unit.frame", "other.out -> unit.frame"]),
]


@pytest.mark.parametrize(("use", "from_", "expected"), LINKS)
def test_configured_link_counts_more_than_that_of_the_class(use, from_, expected):
    assert links(process().add("unit", use, from_=from_)) == expected


def test_link_of_a_class_asks_for_no_pipe_so_the_unit_is_still_fused():
    @sp.unit(frame=Pipe(from_="camera"))
    def follow(frame: int) -> int: ...

    one = sp.Process("p").add("camera", camera)
    assert make_plan(one.add("unit", follow)).chains == (("camera", "unit"),)
    assert make_plan(one.add("more", Follow)).units["more"].inputs["frame"].pipe == Pipe(capacity=8)


OVERRIDE = "; this link is the default of {}, override it with `from: {{frame: UNIT}}`"
WRONG = [
    (sp.Process("p").add("cam", camera), "there is no unit 'camera'"),
    (sp.Process("p").add("camera", words), "camera.out gives str, but 'frame' expects int"),
]


@pytest.mark.parametrize(("one", "message"), WRONG, ids=["no such unit", "another type"])
def test_wrong_link_of_a_class_is_told_with_how_to_override_it(one, message):
    one.add("unit", Follow)
    assert problems(one) == [("units.unit.from", message + OVERRIDE.format(f"{__name__}:Follow"))]


def test_input_that_is_misspelled_is_the_only_problem():
    one = sp.Process("p").add("cam", camera).add("unit", Annotate, from_={"frmae": "cam", "names": "cam"})
    ((path, message),) = problems(one)
    assert path == "units.unit.from.frmae"
    assert "has no input 'frmae', did you mean 'frame'?" in message


def test_link_of_a_class_is_one_of_the_process_that_the_unit_is_in():
    inner = sp.Process("inner").add("camera", same).add("unit", Follow)
    plan = make_plan(sp.Process("p").add("camera", camera).add("other", inner, from_="camera"))
    assert [str(link) for link in plan.units["other/unit"].inputs["frame"].links] == [
        "other/camera.out -> other/unit.frame"
    ]


@pytest.mark.parametrize("pipe", [Pipe(from_="camera"), {"frame": Pipe(from_="camera")}], ids=["all", "one"])
def test_link_in_a_pipe_is_for_classes_only(pipe):
    ((path, message),) = problems(process().add("unit", same, from_="camera", pipe=pipe))
    assert path.startswith("units.unit.pipe")
    assert message == "`from_` in a Pipe is for the class of a unit: here the link is said beside `pipe`, as `from`"
