"""`streampy show`: a process and how it will run, as text, as an SVG drawing, as JSON, or for Mermaid."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit
from streampy.cli.options import add_set, read_settings
from streampy.cli.show_measured import add_measured, show_measured

if TYPE_CHECKING:
    import argparse

    from streampy.model.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("file", metavar="FILE", help="a process: YAML, JSON or TOML")
    add_set(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--svg", action="store_true", help="a drawing, for a page or a README")
    forms.add_argument("--json", action="store_true", help="units, ports, pipes and links, for a program")
    forms.add_argument("--mermaid", action="store_true", help="text from which Mermaid draws")
    add_measured(parser, forms)


def run(arguments: argparse.Namespace) -> Exit:
    """Print it to stdout."""
    if arguments.measured:
        return show_measured(arguments)
    settings = read_settings(arguments.set)
    if settings is None:
        return Exit.USAGE
    from streampy.errors import ProcessError  # noqa: PLC0415 - reading takes a while to import
    from streampy.model.load import read  # noqa: PLC0415

    try:
        with redirect_stdout(sys.stderr):  # some modules are talkative when they are imported
            plan = read(arguments.file, set=settings, set_by="--set").plan(may_be_open=True)
    except ProcessError as error:
        from streampy.cli.problems import show_problems  # noqa: PLC0415 - only where there are some

        show_problems(error.problems, arguments.file, sys.stderr)
        return Exit.PROCESS
    sys.stdout.write(_draw(plan, arguments))
    return Exit.OK


def _draw(plan: Plan, arguments: argparse.Namespace) -> str:
    if arguments.svg:
        from streampy.cli.svg import draw_svg  # noqa: PLC0415 - one of four

        return draw_svg(plan)
    if arguments.json:
        from streampy.cli.show_json import write_json  # noqa: PLC0415

        return write_json(plan)
    if arguments.mermaid:
        from streampy.cli.mermaid import write_mermaid  # noqa: PLC0415

        return write_mermaid(plan)
    from streampy.cli.show_text import write_text  # noqa: PLC0415

    return write_text(plan)
