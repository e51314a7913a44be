"""`streampy replay`: runs what is behind a pipe of a process, and feeds it what was recorded there."""

from __future__ import annotations

import sys
from math import inf
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit
from streampy.cli.options import add_set, duration
from streampy.cli.record import add_ending, plan_of, refused, run_plan

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.description = (
        "Give recorded items back to a unit, and run it with all that is behind it; all before it is left out. "
        "Dead letters go to the units at which they failed."
    )
    parser.add_argument("recording", metavar="ITEMS.rec", help="what `record`, or `run --dead-letters`, has written")
    parser.add_argument("file", metavar="FILE", help="a process: YAML, JSON or TOML")
    parser.add_argument(
        "where",
        nargs="?",
        default="",
        metavar="UNIT[.PORT]",
        help="an input, or an output in whose place they come (where they were recorded); "
        "of dead letters: only those of this unit",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="1|2|max",
        help="as they came (1), so many times as fast, or each as soon as there is room (max)",
    )
    add_set(parser)
    parser.add_argument("--for", type=duration, metavar="DURATION", dest="seconds", help="drain and stop after so long")
    add_ending(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run it until the recording ends."""
    plan = plan_of(arguments)
    if isinstance(plan, Exit):
        return plan
    from streampy.cli.system import System  # noqa: PLC0415 - what runs is imported when something runs
    from streampy.errors import StreamPyError  # noqa: PLC0415

    try:
        from streampy.recording import replay  # noqa: PLC0415 - needs msgpack

        fed = replay(plan, arguments.recording, arguments.where, speed=arguments.speed)
    except (ImportError, OSError, StreamPyError) as error:
        return refused(error)
    left_out = [unit for unit in plan.units if unit not in fed.units]
    if left_out and sys.stderr.isatty():
        sys.stderr.write(f"streampy: left out: {', '.join(left_out)}\n")
    return run_plan(System({}), fed, arguments)


def _speed(text: str) -> float:
    """Of how many seconds each takes one; for argparse."""
    import argparse  # noqa: PLC0415 - there already when this is called

    try:
        speed = inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number above 0, such as 1, 2 or 0.5, or max")
    return speed
