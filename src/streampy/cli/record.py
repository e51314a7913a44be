"""`streampy record`: runs a process, and writes all that comes into one of its pipes to a file."""

from __future__ import annotations

import sys
from math import inf
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit
from streampy.cli.options import add_set, duration, read_settings

if TYPE_CHECKING:
    import argparse

    from streampy.model.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.description = (
        "Run a process, and write all that comes into one of its pipes to a file, which `streampy replay` gives back."
    )
    parser.add_argument("file", metavar="FILE", help="a process: YAML, JSON or TOML")
    parser.add_argument(
        "where",
        metavar="UNIT[.PORT]",
        help="the pipe of an input, with what it then drops; or an output: what the unit gives there",
    )
    parser.add_argument(
        "--to", required=True, metavar="ITEMS.rec", help="the file; a recording that is there is overwritten"
    )
    add_set(parser)
    parser.add_argument("--for", type=duration, metavar="DURATION", dest="seconds", help="drain and stop after so long")
    parser.add_argument("--count", type=_count, default=inf, metavar="N", help="drain and stop after so many items")
    add_ending(parser)


def add_ending(parser: argparse.ArgumentParser) -> None:
    """How it ends, and what is then told: as of `run`."""
    parser.add_argument(
        "--stats", action="store_true", help="tell at the end what was measured, even where nobody looks"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on stdout at the end, in the last line, for machines"
    )
    parser.add_argument(
        "--drain-timeout", type=duration, default=30.0, metavar="DURATION", help="how long draining may take (30s)"
    )
    parser.add_argument("--debug", action="store_true", help="tracebacks with StreamPy's own lines, and more log")
    parser.set_defaults(control=None, obey=None)  # nobody has started it who could tell it anything


def run(arguments: argparse.Namespace) -> int:
    """Run it until its end, or until enough was recorded."""
    plan = plan_of(arguments)
    if not isinstance(plan, Exit):
        from streampy.cli.system import System  # noqa: PLC0415 - what runs is imported when something runs
        from streampy.cli.told import DRAIN  # noqa: PLC0415
        from streampy.errors import StreamPyError  # noqa: PLC0415

        system = System({})
        try:
            from streampy.recording import record  # noqa: PLC0415 - needs msgpack

            tapped = record(
                plan, arguments.where, arguments.to, count=arguments.count, done=lambda: system.events.put(DRAIN)
            )
        except (ImportError, OSError, StreamPyError) as error:
            return refused(error)
        code = run_plan(system, tapped, arguments)
        _tell(arguments)
        return code
    return plan


def plan_of(arguments: argparse.Namespace) -> Plan | Exit:
    """The plan of the process; or the exit code, where something is wrong, which is then told."""
    settings = read_settings(arguments.set)
    if settings is None:
        return Exit.USAGE
    from streampy.cli.run import _plans  # noqa: PLC0415 - reads YAML
    from streampy.cli.signals import ending_at_once  # noqa: PLC0415

    arguments.files = [arguments.file]
    with ending_at_once():
        plans = _plans(arguments, settings)
    return Exit.PROCESS if plans is None else plans[arguments.file]


def refused(error: Exception) -> Exit:
    """Say why it can't be done."""
    sys.stderr.write(f"streampy: {error}\n")
    return Exit.USAGE


def run_plan(system: object, plan: Plan, arguments: argparse.Namespace) -> int:
    """Run this one until its end, and tell what became of it."""
    from streampy.cli.log import log_to_stderr  # noqa: PLC0415 - as above
    from streampy.cli.run import _end, _run, _tell  # noqa: PLC0415
    from streampy.cli.system import System, Watched  # noqa: PLC0415

    assert isinstance(system, System)  # noqa: S101 - narrows the type, which is imported late
    log_to_stderr(whole=arguments.debug)
    system.processes.append(Watched(arguments.file, plan, system.events))
    signalled = _run(system, arguments)
    return _end(_tell(system, arguments, signalled))


def _tell(arguments: argparse.Namespace) -> None:
    """What is in the file now."""
    from streampy.recording import Reader, RecordingError  # noqa: PLC0415 - as above

    try:
        with Reader(arguments.to) as reader:
            where, items = f"{reader.about['unit']}.{reader.about['port']}", reader.count()
    except (OSError, RecordingError, KeyError):  # it did not come to that
        return
    sys.stderr.write(f"streampy: {arguments.to}: {items} items of {where}\n")


def _count(text: str) -> int:
    """How many; for argparse."""
    import argparse  # noqa: PLC0415 - there already when this is called

    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of items, 1 or more")
    return int(text)
