"""`streampy bench`: runs a process for a while, and tells how fast each hop of it is, and what limits it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from streampy.cli.exits import Exit
from streampy.cli.options import add_set, duration, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streampy.cli.benched import Benched, Measured
    from streampy.model.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.description = (
        "Run a process for a while, and tell its rate, the latency of each hop, how each unit spent its time, and "
        "what the limit is. It is run for real: its files are written, its messages sent."
    )
    parser.add_argument("files", nargs=1, metavar="FILE", help="a process: YAML, JSON or TOML")
    add_set(parser)
    parser.add_argument(
        "--for",
        type=duration,
        default=10.0,
        metavar="DURATION",
        dest="seconds",
        help="how long to measure, counted from when all units have started (10s); less if the process ends before",
    )
    parser.add_argument("--runs", type=_several, default=1, metavar="N", help="run N times, one after another (1)")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on stdout at the end, in the last line, for machines"
    )
    parser.add_argument(
        "--drain-timeout", type=duration, default=30.0, metavar="DURATION", help="how long draining may take (30s)"
    )
    parser.add_argument("--debug", action="store_true", help="tracebacks with StreamPy's own lines, and more log")


def run(arguments: argparse.Namespace) -> Exit:
    """Run it as often as asked for, then tell."""
    from streampy.cli.bench_text import write_report  # noqa: PLC0415 - what runs is imported when something runs

    return measure(arguments, write_report)


def measure(arguments: argparse.Namespace, write: Callable[[Sequence[Measured]], str]) -> Exit:
    """As `run`; what was measured is told as `write` writes it."""
    settings = read_settings(arguments.set)
    if settings is None:
        return Exit.USAGE
    from streampy.cli.run import _plans  # noqa: PLC0415 - reads YAML

    plans = _plans(arguments, settings)
    if plans is None:
        return Exit.PROCESS
    ((file, plan),) = plans.items()
    from streampy.cli.log import log_to_stderr  # noqa: PLC0415 - as above

    log_to_stderr(whole=arguments.debug)
    benched, signalled = _bench(file, plan, arguments)
    code = _tell(benched, arguments, signalled, write)
    if code == Exit.HUNG:  # a thread that hangs would hold the OS process too
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _several(text: str) -> int:
    """How often; for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of runs, 1 or more")
    return int(text)


def _bench(file: str, plan: Plan, arguments: argparse.Namespace) -> tuple[list[Benched], str]:
    """The runs, up to the first that fails or is interrupted; and the signal that did."""
    from streampy.cli.benched import Bench  # noqa: PLC0415 - as above
    from streampy.cli.run import _run  # noqa: PLC0415

    # The time is the bench's affair, and nobody has started it who could tell it anything.
    watching = argparse.Namespace(seconds=None, drain_timeout=arguments.drain_timeout, obey=None)
    found: list[Benched] = []
    for _ in range(arguments.runs):
        bench = Bench(file, plan, seconds=arguments.seconds, drain_timeout=arguments.drain_timeout)
        signalled = _run(bench, watching)
        found.append(bench.benched)
        if signalled or bench.errors:
            return found, signalled
    return found, ""


def _tell(
    benched: list[Benched],
    arguments: argparse.Namespace,
    signalled: str,
    write: Callable[[Sequence[Measured]], str],
) -> Exit:
    """What was measured, or what went wrong; and the code that says it."""
    from streampy.cli.failure import exit_code, show_failure  # noqa: PLC0415
    from streampy.cli.signals import INTERRUPTED  # noqa: PLC0415

    errors = [error for one in benched for error in one.errors]
    for error in errors:
        show_failure(error, benched[0].file, whole=arguments.debug)
    code = exit_code(errors) if errors else Exit.INTERRUPTED if signalled == INTERRUPTED else Exit.OK
    if arguments.json:
        print(json.dumps({"exit": code, "runs": [_facts(one) for one in benched]}))
    elif not errors:
        sys.stdout.write(write([one.measured for one in benched if one.measured is not None]))
    return code


def _facts(benched: Benched) -> dict[str, Any]:
    """The whole run with the names of `stats()`, and what was measured before it drained."""
    from dataclasses import asdict  # noqa: PLC0415 - only with --json

    from streampy.cli.facts import facts_of_run  # noqa: PLC0415

    found = facts_of_run(benched)
    measured = benched.measured
    if measured is not None:
        found["measured"] = {
            "seconds": measured.seconds,
            "cores": measured.cores,
            "born": measured.born,
            "items": measured.ends,
            "shares": {unit: asdict(share) for unit, share in measured.shares.items()},
            "hogs": [asdict(hog) for hog in measured.hogs],
            "limit": {**asdict(measured.finding), "limit": measured.finding.limit.value},
        }
    return found
