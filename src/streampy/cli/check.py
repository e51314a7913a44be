"""`streampy check`: everything that is wrong with processes, without running them."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from streampy.cli.exits import Exit
from streampy.cli.options import add_set, read_settings

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a process: YAML, JSON or TOML")
    add_set(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, for machines")
    parser.add_argument("--debug", action="store_true", help="also the tracebacks of modules that can't be imported")


def run(arguments: argparse.Namespace) -> Exit:
    """Check one file after the other."""
    settings = read_settings(arguments.set)
    if settings is None:
        return Exit.USAGE
    found = [_check(file, settings, arguments) for file in arguments.files]
    is_sound = not any(one["problems"] for one in found)
    code = Exit.OK if is_sound else Exit.PROCESS
    if arguments.json:
        json.dump({"exit": code, "files": found}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    return code


def _check(file: str, settings: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    from streampy.cli.facts import facts_of_problem  # noqa: PLC0415 - as below
    from streampy.cli.problems import show_problems  # noqa: PLC0415
    from streampy.cli.words import count  # noqa: PLC0415
    from streampy.errors import ProcessError  # noqa: PLC0415
    from streampy.model.load import load_plan  # noqa: PLC0415 - reads YAML, which takes a while to import

    try:
        with redirect_stdout(sys.stderr):  # some modules are talkative when they are imported
            plan = load_plan(file, set=settings, set_by="--set")
    except ProcessError as error:
        if not arguments.json:
            show_problems(error.problems, file, sys.stdout)
        if arguments.debug and error.__cause__ is not None:
            from streampy.cli.failure import show_exception  # noqa: PLC0415 - only with --debug

            show_exception(error.__cause__, whole=True)
        problems = [facts_of_problem(problem) for problem in error.problems]
        return {"file": file, "process": "", "units": 0, "links": 0, "problems": problems}
    if not arguments.json:
        size = f"{count(len(plan.units), 'unit')}, {count(len(plan.links), 'link')}"
        sys.stdout.write(f"{file}: {plan.name} is sound: {size}\n")
    return {"file": file, "process": plan.name, "units": len(plan.units), "links": len(plan.links), "problems": []}
