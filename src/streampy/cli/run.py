"""`streampy run`: runs processes until they end, are told to, or fail."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from streampy.cli.exits import Exit
from streampy.cli.options import add_set, duration, read_settings
from streampy.cli.watching import add_watching, begin_log, metrics, traces

if TYPE_CHECKING:
    import argparse

    from streampy.cli.system import System
    from streampy.errors import Problem
    from streampy.model.plan import Plan
    from streampy.run.control.settings import ControlSettings
    from streampy.run.trouble import Letters

_PER_SECOND = 4
"""How often the progress is drawn."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    from argparse import SUPPRESS  # noqa: PLC0415 - there already when this is called

    parser.add_argument("files", nargs="+", metavar="FILE", help="a process; several run together, and stop together")
    add_set(parser)
    parser.add_argument("--for", type=duration, metavar="DURATION", dest="seconds", help="drain and stop after so long")
    parser.add_argument(
        "--stats", action="store_true", help="tell at the end what was measured, even where nobody looks"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="tell at the end where the time went: work, GIL, CPU and shared memory; then run it again with "
        "1, 2 and 4 workers of the slowest one; a process that does not end by itself needs --for",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on stdout at the end, in the last line, for machines"
    )
    parser.add_argument(
        "--drain-timeout", type=duration, default=30.0, metavar="DURATION", help="how long draining may take (30s)"
    )
    parser.add_argument(
        "--dead-letters",
        metavar="FOLDER",
        help="write each dead letter, with its error, to a file there, which `streampy replay` gives back",
    )
    parser.add_argument("--segment", default="", metavar="NAME", help="only this one of the segments of the process")
    parser.add_argument(
        "--replicas",
        action="append",
        default=[],
        metavar="NAME=N",
        help="how many OS processes of a segment are started, where all segments are; may be repeated",
    )
    parser.add_argument(
        "--listen", default="", metavar="tcp://HOST:PORT", help="with --segment: where others reach this segment"
    )
    parser.add_argument(
        "--dial",
        action="append",
        default=[],
        metavar="NAME=tcp://HOST:PORT",
        help="with --segment: where this segment reaches another one; may be repeated, for several addresses",
    )
    parser.add_argument("--expect", action="append", default=[], metavar="NAME=N", help=SUPPRESS)
    parser.add_argument(
        "--control",
        default="",
        metavar="WHERE",
        help="how it is seen and steered while it runs: `on`, by a unix socket that only you can reach (the default); "
        "`off`; or tcp://HOST:PORT beside that, off loopback with a token in STREAMPY_TOKEN",
    )
    parser.add_argument("--obey", type=int, metavar="FD", help=SUPPRESS)
    parser.add_argument("--of-run", type=int, default=0, metavar="PID", help=SUPPRESS)
    parser.add_argument("--replica", type=int, default=0, metavar="N", help=SUPPRESS)
    add_watching(parser)
    parser.add_argument("--debug", action="store_true", help="tracebacks with StreamPy's own lines, and more log")


def run(arguments: argparse.Namespace) -> int:
    """Run them all."""
    if len(set(arguments.files)) < len(arguments.files):
        sys.stderr.write("streampy: a file is named twice\n")
        return Exit.USAGE
    settings = read_settings(arguments.set)
    if settings is None:
        return Exit.USAGE
    from streampy.cli.signals import ending_at_once  # noqa: PLC0415 - what runs is imported when something runs

    with ending_at_once():
        plans = _plans(arguments, settings)
    if plans is None:
        return Exit.PROCESS
    if arguments.profile:
        return _profile(plans, arguments, settings)
    from streampy.cli.segments import read_where  # noqa: PLC0415 - as above
    from streampy.cli.system import System  # noqa: PLC0415
    from streampy.model.suggest import did_you_mean  # noqa: PLC0415

    begin_log(arguments)
    where, control, traced = read_where(arguments), _control(arguments), traces(arguments)
    letters = _letters(arguments, plans)
    if where is None or control is None or traced is None or letters is None:
        return Exit.USAGE
    cut = next((file for file, plan in plans.items() if plan.segments), "")
    if cut and (problem := _refused(arguments, cut, where.segment)):
        sys.stderr.write(f"streampy: {problem}\n")
        return Exit.USAGE
    if cut and not where.segment:
        from streampy.cli.run_fleet import run_fleet  # noqa: PLC0415 - few processes are cut

        return run_fleet(cut, plans[cut], arguments, where.counts)
    if where.segment and not all(where.segment in plan.segments for plan in plans.values()):
        there = [name for plan in plans.values() for name in plan.segments]
        hint = did_you_mean(where.segment, there) if there else ": the process has no `segments`"
        sys.stderr.write(f"streampy: --segment: there is no {where.segment!r}{hint}\n")
        return Exit.USAGE
    system = System(plans, {**where.as_options(), **traced, "control": control}, letters)
    return _end(_run_watched(system, arguments))


def _end(code: Exit) -> Exit:
    """Return the code; where a thread hangs, which would hold the OS process too, that ends here."""
    if code == Exit.HUNG:
        from streampy.memory.sweep import clear_mine  # noqa: PLC0415 - as above
        from streampy.run.control.folder import remove_mine  # noqa: PLC0415

        remove_mine()
        sys.stdout.flush()
        sys.stderr.flush()
        clear_mine()
        os._exit(code)
    return code


def _refused(arguments: argparse.Namespace, cut: str, segment: str) -> str:
    """What can't be had of a process that is cut into segments, and was asked for; "" where nothing was."""
    if len(arguments.files) > 1:
        return f"{cut} is cut into segments: run it by itself"
    if not segment and arguments.control.startswith("tcp://"):
        return f"--control {arguments.control} is of one segment: say which by --segment NAME"
    if not segment and arguments.metrics:
        return "--metrics is of one OS process: say which by --segment NAME, or use `streampy ui`"
    return ""


def _control(arguments: argparse.Namespace) -> ControlSettings | None:
    """How it is steered from outside; None, with a line on stderr, where that can't be understood."""
    from streampy.errors import StreamPyError  # noqa: PLC0415
    from streampy.run.control.settings import ControlSettings  # noqa: PLC0415

    if arguments.control.startswith("tcp://") and len(arguments.files) > 1:
        sys.stderr.write("streampy: --control: one address is for one process: run the files by several commands\n")
        return None
    try:
        return ControlSettings.of(arguments.control, run=arguments.of_run or os.getpid(), replica=arguments.replica)
    except StreamPyError as error:
        sys.stderr.write(f"streampy: --{error}\n")
        return None


def _plans(arguments: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Plan] | None:
    """The plan of each file; None where something is wrong with one, which is then told."""
    from streampy.cli.problems import show_problems  # noqa: PLC0415 - reads YAML
    from streampy.cli.settings import for_each  # noqa: PLC0415
    from streampy.errors import ProcessError  # noqa: PLC0415
    from streampy.model.load import load_plan  # noqa: PLC0415

    plans: dict[str, Plan] = {}
    problems: list[Problem] = []
    for file, of_file in for_each(arguments.files, settings).items():
        try:
            with redirect_stdout(sys.stderr):  # some modules are talkative when they are imported
                plans[file] = load_plan(file, set=of_file, set_by="--set")
        except ProcessError as error:
            show_problems(error.problems, file, sys.stderr)
            problems += error.problems
    if problems and arguments.json:
        from streampy.cli.facts import facts_of_problem  # noqa: PLC0415

        print(json.dumps({"exit": Exit.PROCESS, "problems": [facts_of_problem(problem) for problem in problems]}))
    return None if problems else plans


def _run_watched(system: System, arguments: argparse.Namespace) -> Exit:
    """Wait until all has come to its end, and tell how that was."""
    with metrics(arguments, system) as is_told:
        if not is_told:
            return Exit.USAGE
        signalled = _run(system, arguments)
    return _tell(system, arguments, signalled)


def _profile(plans: dict[str, Plan], arguments: argparse.Namespace, settings: dict[str, Any]) -> Exit:
    """Run one process to see where its time goes."""
    ((file, plan), *more) = plans.items()
    if more or plan.segments:
        what = "one file" if more else "a process that is not cut into segments"
        sys.stderr.write(f"streampy: --profile is for {what}\n")
        return Exit.USAGE
    from streampy.cli.profile import profile  # noqa: PLC0415 - only here anybody profiles

    begin_log(arguments)
    return _end(profile(file, plan, arguments, settings))


def _letters(arguments: argparse.Namespace, plans: dict[str, Plan]) -> dict[str, Letters] | None:
    """For each file who writes its dead letters, if somebody is to; None, with a line on stderr, where nobody can."""
    if arguments.dead_letters is None:
        return {}
    try:
        from streampy.recording import DeadLetterFile  # noqa: PLC0415 - needs msgpack

        return {file: DeadLetterFile(arguments.dead_letters, plan, arguments.segment) for file, plan in plans.items()}
    except (ImportError, OSError) as error:
        sys.stderr.write(f"streampy: --dead-letters: {error}\n")
        return None


def _run(system: System, arguments: argparse.Namespace) -> str:
    """Wait until all has come to its end; returns the signal that made it so, if one did."""
    from streampy.cli.progress import progress_of  # noqa: PLC0415 - after the plans, which may be wrong
    from streampy.cli.signals import heard_in  # noqa: PLC0415
    from streampy.cli.told import DRAIN, PUT_OUT, obey  # noqa: PLC0415

    until = monotonic() + arguments.seconds if arguments.seconds is not None else None
    signalled = ""
    with heard_in(system.events), progress_of(system) as progress:
        if arguments.obey is not None:
            obey(arguments.obey, system.events)
        system.start()
        while not system.is_over:
            event = _next(system, until, 1 / _PER_SECOND if progress else None)
            if event == PUT_OUT:
                system.put_out()
            elif event == DRAIN:
                system.drain(arguments.drain_timeout)
            elif isinstance(event, str) and event:
                signalled = event
                again = "; again to kill at once" if event == "Ctrl-C" else ""
                sys.stderr.write(f"streampy: {event}: draining, for {arguments.drain_timeout:g} s at most{again}\n")
                system.drain(arguments.drain_timeout)
            elif until is not None and monotonic() >= until:
                until = None
                system.drain(arguments.drain_timeout)
            elif system.errors:
                system.put_out()
            if progress:
                progress.show()
    return signalled


def _next(system: System, until: float | None, tick: float | None) -> object:
    """The next event; "" when it is time to look at the progress, or the time is up."""
    from queue import Empty  # noqa: PLC0415

    from streampy.pipes.base import patience  # noqa: PLC0415

    waits = [tick] if tick is not None else []
    if until is not None:
        waits.append(max(0.0, until - monotonic()))
    try:
        return system.events.get(timeout=patience(monotonic() + min(waits, default=inf)))
    except Empty:
        return ""


def _tell(system: System, arguments: argparse.Namespace, signalled: str) -> Exit:
    """What was measured, what went wrong, and the code that says it."""
    from streampy.cli.failure import exit_code, show_failure  # noqa: PLC0415
    from streampy.cli.signals import INTERRUPTED  # noqa: PLC0415

    sys.stdout.flush()  # what the units printed comes before what is told of them, also where both go into one file
    if arguments.stats or sys.stderr.isatty():
        from streampy.cli.summary import show_summary  # noqa: PLC0415 - rich

        for process in system.processes:
            if process.running is not None:
                show_summary(process.plan, process.running.stats())
    for process in system.processes:
        for error in process.errors:
            show_failure(error, process.file, whole=arguments.debug)
    code = exit_code(system.errors) if system.errors else Exit.INTERRUPTED if signalled == INTERRUPTED else Exit.OK
    if arguments.json:
        from streampy.cli.facts import facts_of_run  # noqa: PLC0415

        json.dump({"exit": code, "processes": [facts_of_run(process) for process in system.processes]}, sys.stdout)
        print()
    return code
