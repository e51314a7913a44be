"""What is made in another OS process can be imported there, and its settings can be sent; else it is told why not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.process import Process
from streampy.model.sendable import reference_of, resolve
from streampy.model.unit import Unit

SCRIPT = """
from typing import Any
import streampy as sp
from streampy.model.check import make_plan

def half(number: int, *, rule: Any = None) -> int:
    return number // 2

class Rule: pass

process = sp.Process("p").add("half", half, place="own").add("near", half)
process.add("far", half, place="gpu", rule=Rule())
try:
    print([(place.name, place.needs_script) for place in make_plan(process).places])
except sp.ProcessError as error:
    print(error)
"""


def numbers() -> Iterator[int]: ...
def half(number: int, *, rule: Any = None) -> int: ...


def lone(number: int) -> int: ...


renamed = lone
del lone
halve = lambda number: number // 2  # noqa: E731 - a function without a name of its own


class Halver(Unit):
    """A class."""

    def work(self, number: int) -> int: ...

    @classmethod
    def build(cls, number: int) -> int: ...

    def live(self, number: int) -> int: ...


class Outer:
    """Has a unit in it."""

    class Inner(Unit):
        """The unit."""

        def work(self, number: int) -> int: ...


class Unsendable:
    """Can't be pickled."""

    def __reduce__(self):
        raise TypeError("no copies of me")


def make():
    def inside(number: int) -> int: ...

    return inside


def problems(use: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(ProcessError) as refused:
        make_plan(Process("p").add("far", use, place="own", **more))
    return [(problem.path, problem.message) for problem in refused.value.problems]


@pytest.mark.parametrize("use", [half, Halver, Outer.Inner, Halver.build], ids=lambda use: use.__qualname__)
def test_what_a_module_has_is_found_again_by_its_name(use):
    spec = make_plan(Process("p").add("far", use, place="own")).units["far"].spec
    assert resolve(reference_of(spec)) == use


def test_a_file_may_name_what_has_another_name_of_its_own():
    process = {"process": "p", "units": {"far": {"use": f"{__name__}:halve", "place": "own"}}}
    from streampy.model.load import load  # noqa: PLC0415

    assert reference_of(load(process).units["far"]) == f"{__name__}:halve"


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (make(), "it was made inside of make(): move it to the top level of a module"),
        (halve, "it is a lambda: write a function with `def` at the top level of a module"),
        (renamed, "that name stands for nothing there, or for something else"),
        (Halver().live, "it is a method of an object that lives only here: write a class with `work`"),
    ],
    ids=["local", "lambda", "renamed", "method"],
)
def test_what_can_not_be_imported_elsewhere_is_told(use, why):
    ((path, message),) = problems(use)
    assert path == "units.far.use"
    assert message.startswith("with `place: own` it is made in another OS process, which can't import ")
    assert why in message
    assert make_plan(Process("p").add("near", use)).places[0].units == ("near",)


def test_a_setting_that_can_not_be_sent_is_told():
    ((path, message),) = problems(half, rule=Unsendable())
    assert path == "units.far.set.rule"
    assert "to which this Unsendable can't be sent: TypeError: no copies of me; give what it is made from" in message


def test_a_setting_of_a_single_worker_that_can_not_be_sent_is_told():
    ((path, _),) = problems(half, workers=2, each=[{"rule": 1}, {"rule": Unsendable()}])
    assert path == "units.far.each.1.rule"


def run(*words: str, text: str | None = None) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, *words], input=text, env=env, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def test_units_of_a_script_are_found_in_its_file(tmp_path: Path):
    (tmp_path / "script.py").write_text(SCRIPT)
    assert run(str(tmp_path / "script.py")) == "[('main', False), ('half', True), ('gpu', True)]\n"


@pytest.mark.parametrize("words", [("-c", SCRIPT), ("-",)], ids=["-c", "stdin"])
def test_units_that_no_file_has_are_told(words):
    said = run(*words, text=SCRIPT if words == ("-",) else None)
    assert "which can't import __main__:half: it was typed at a prompt, or came from `-c`, so no file has it" in said
    assert "units.far.set.rule" in said
