"""What settings name is found before the start, and what is missing is told with what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

import streampy as sp
from streampy.units.functions import function_of, key_of


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sqrt", "got 'sqrt', expected a function, or `module:name` such as math:sqrt"),
        ("math:sqr", "'math' has no 'sqr', did you mean 'sqrt'?"),
        ("no_such_module:f", "there is no module 'no_such_module'"),
        ("math:pi", "'math:pi' is float, expected a function"),
    ],
)
def test_a_name_that_is_wrong_is_told_with_what_is_there(given: str, said: str) -> None:
    with pytest.raises(ValueError) as told:
        function_of(given)
    assert said in str(told.value)


def test_a_failure_inside_of_the_module_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module_that_fails.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="importing 'module_that_fails' failed: ZeroDivisionError") as told:
        function_of("module_that_fails:f")
    assert isinstance(told.value.__cause__, ZeroDivisionError)


def test_a_key_is_no_list() -> None:
    with pytest.raises(ValueError, match=r"got \['a'\], expected a path such as user\.name, or `module:name`"):
        key_of(["a"])  # type: ignore[arg-type]


def test_a_wrong_function_in_a_file_is_told_before_the_start_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "process.yaml"
    file.write_text(
        "process: roots\nunits:\n  root:\n    use: map\n    set: {function: 'math:sqr'}\n"
        "  big:\n    use: filter\n    set: {condition: 'no_module:f'}\n    from: root\n"
    )
    with pytest.raises(sp.ProcessError) as told:
        sp.load(file)
    assert [
        (
            5,
            "units.root.set.function",
            "got 'math:sqr', expected Callable[..., Any] | str: 'math' has no 'sqr', did you mean 'sqrt'?",
        ),
        (8, "units.big.set.condition"),
    ] == [
        (problem.line, problem.path, problem.message) if problem.line == 5 else (problem.line, problem.path)
        for problem in told.value.problems
    ]


LACKING = """
import subprocess
import sys
import streampy as sp

uses = dict(pair.split("=") for pair in sys.argv[1:])
sys.modules.update(dict.fromkeys(uses))  # None there: not installed, as far as Python is concerned
try:
    sp.load({"process": "lacking", "units": {library: {"use": use} for library, use in uses.items()}})
except sp.ProcessError as error:
    print(*(problem.message for problem in error.problems), sep="\\n")
"""


def test_libraries_that_are_missing_are_told_before_the_start_with_what_to_install() -> None:
    uses = {
        "sqlalchemy": "sql",
        "httpx": "http_poll",
        "pyarrow": "parquet",
        "cv2": "images",
        "av": "streampy.units.video:Camera",
    }
    extras = ["sql", "http", "parquet", "video", "video"]
    command = [sys.executable, "-c", LACKING, *(f"{library}={use}" for library, use in uses.items())]
    said = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True).stdout.splitlines()

    assert len(uses) == len(said)
    for library, extra, line in zip(uses, extras, said, strict=True):
        assert f"the library '{library}' is not installed: pip install 'streampy[{extra}]'" in line


def test_a_unit_that_is_imported_when_it_is_asked_for_is_suggested_too() -> None:
    with pytest.raises(sp.ProcessError, match="has no 'Camrea', did you mean 'Camera'"):
        sp.load({"process": "camera", "units": {"camera": {"use": "streampy.units.video:Camrea"}}})
