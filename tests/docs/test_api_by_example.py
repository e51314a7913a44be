"""The six snippets that show the whole API in one rule, each run word for word."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import streampy as sp

FUNCTION_AND_CLASS = '''
import streampy as sp

@sp.unit                                            # 1. a function unit; it stays a plain function, callable in a test
def resize(frame: Frame, *, width: int = 640) -> Frame: ...

class Annotate(sp.Unit):                            # 2. a class unit; two inputs, joined by key without user code
    """Draw names on frames; a frame whose names are late goes out bare."""
    frame = sp.Pipe(capacity=64)                    #    a unit's own defaults; configuration overrides them
    join = sp.Join(wait=0.060)
    def __init__(self, *, font: int = 14) -> None: ...
    def start(self) -> None: ...                    #    in the worker, before the first item: open models, devices
    def work(self, frame: Frame, names: list[Name] | None) -> Frame: ...
    def stop(self) -> None: ...                     #    always called once start() was entered, unless the OS process is killed
    @sp.event("font")                               #    a custom event from the control API
    def set_font(self, size: int) -> None: ...
'''  # fmt: skip  # noqa: E501

FROM_PYTHON = """
with sp.run(sp.load("faces.yaml")) as running:      # 3. from Python: an iterator over an output, errors come out here
    for frame in running.stream("annotate"):
        show(frame)
"""

BY_HAND = """
running.push("resize", frame)                       # 4. feeding an open input by hand; running.call(...) feeds and awaits the result
"""  # noqa: E501

NO_RUNTIME = """
out = sp.testing.feed(Annotate, frame=[F0, F1], names=[N0])   # 5. a unit tested with no runtime
"""

IN_PYTHON = """
proc = sp.Process("faces"); proc.add("small", resize, width=320, from_="camera")   # 6. the same graph in Python as in YAML
"""  # noqa: E501


@dataclass(frozen=True)
class Frame:
    number: int
    width: int = 1920
    names: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Name:
    text: str


def declared() -> dict[str, Any]:
    scope: dict[str, Any] = {"Frame": Frame, "Name": Name, "__name__": __name__}
    exec(FUNCTION_AND_CLASS, scope)  # noqa: S102 - the snippet, word for word
    return scope


UNITS = '''
from __future__ import annotations
from collections.abc import Iterator
from dataclasses import dataclass, replace
import streampy as sp

@dataclass(frozen=True)
class Frame:
    number: int
    width: int = 1920
    names: tuple[str, ...] | None = ()

@dataclass(frozen=True)
class Name:
    text: str

def camera(*, url: str) -> Iterator[Frame]:
    yield from map(Frame, range(3))

@sp.unit
def resize(frame: Frame, *, width: int = 640) -> Frame:
    return replace(frame, width=width)

def identify(frame: Frame) -> Iterator[Name]:
    for index in range(frame.number):
        yield Name(f"face {index} of {frame.number}")

class Annotate(sp.Unit):
    """Draw names on frames; a frame whose names are late goes out bare."""
    frame = sp.Pipe(capacity=64)
    join = sp.Join(wait=5)
    def __init__(self, *, font: int = 14) -> None:
        self.font = font
    def work(self, frame: Frame, names: list[Name] | None) -> Frame:
        return replace(frame, names=None if names is None else tuple(name.text for name in names))
'''

FACES = """
process: faces
units:
  camera: {use: facesapp:camera, set: {url: clip.mp4}}
  small: {use: facesapp:resize, set: {width: 320}, from: camera}
  identify: {use: facesapp:identify, from: small}
  annotate: {use: facesapp:Annotate, from: {frame: camera, names: identify}}
"""


@pytest.fixture
def faces(tmp_path, monkeypatch):
    (tmp_path / "facesapp.py").write_text(UNITS)
    (tmp_path / "faces.yaml").write_text(FACES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "facesapp", raising=False)
    return importlib.import_module("facesapp")


def test_snippets_1_and_2_declare_a_function_and_a_class_unit():
    scope = declared()
    resize, annotate = scope["resize"].ports(), scope["Annotate"].ports()
    assert scope["resize"](Frame(0), width=3) is None  # a plain function: its body is `...`
    assert (list(resize.inputs), list(resize.settings), list(resize.outputs)) == (["frame"], ["width"], ["out"])
    assert (list(annotate.inputs), list(annotate.settings)) == (["frame", "names"], ["font"])
    assert annotate.inputs["names"].optional
    assert annotate.inputs["frame"].pipe == sp.Pipe(capacity=64)
    assert annotate.join == sp.Join(wait=0.060)


def test_snippet_3_streams_from_a_file(faces):
    shown = []
    exec(FROM_PYTHON, {"sp": sp, "show": shown.append})  # noqa: S102 - the snippet, word for word
    assert [(frame.number, frame.names) for frame in shown] == [
        (0, ()),
        (1, ("face 0 of 1",)),
        (2, ("face 0 of 2", "face 1 of 2")),
    ]


def test_snippet_4_feeds_an_open_input_by_hand(faces):
    process = sp.Process("open").add("resize", faces.resize, width=320)
    with sp.run(process) as running:
        exec(BY_HAND, {"running": running, "frame": faces.Frame(7)})  # noqa: S102 - the snippet, word for word
        assert next(running.stream("resize", timeout=10)) == faces.Frame(7, 320)
        assert running.call("resize", faces.Frame(8)) == faces.Frame(8, 320)


def test_snippet_5_tries_a_unit_with_no_runtime(faces):
    scope = {"sp": sp, "Annotate": faces.Annotate, "F0": faces.Frame(0), "F1": faces.Frame(1), "N0": faces.Name("Ada")}
    exec(NO_RUNTIME, scope)  # noqa: S102 - the snippet, word for word
    assert scope["out"] == [faces.Frame(0, names=("Ada",)), faces.Frame(1, names=None)]


def test_snippet_6_builds_the_same_graph_in_python(faces):
    scope: dict[str, Any] = {"sp": sp, "resize": faces.resize}
    exec(IN_PYTHON, scope)  # noqa: S102 - the snippet, word for word
    process = scope["proc"]
    process.add("camera", faces.camera, url="clip.mp4").add("identify", faces.identify, from_="small")
    process.add("annotate", faces.Annotate, from_={"frame": "camera", "names": "identify"})

    def results(of: sp.Process) -> Iterator[Any]:
        with sp.run(of) as running:
            yield from running.stream("annotate", timeout=10)

    assert list(results(process)) == list(results(sp.load("faces.yaml")))
