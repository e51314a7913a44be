"""`streampy top`: all that runs, live in the terminal; see and steer it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit
from streampy.cli.options import duration

if TYPE_CHECKING:
    import argparse

    from streampy.cli.top_watch import Watching


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument(
        "which",
        nargs="?",
        default="",
        metavar="PROCESS",
        help="only this one: its name, PROCESS/SEGMENT, PROCESS/SEGMENT#REPLICA, or a pid",
    )
    parser.add_argument(
        "--connect",
        action="append",
        default=[],
        metavar="tcp://HOST:PORT",
        help="look there too, with the token in STREAMPY_TOKEN; may be repeated",
    )
    parser.add_argument("--every", type=duration, default=1.0, metavar="DURATION", help="how often to look (1s)")
    parser.add_argument("--plain", action="store_true", help="print a table each time, as where stdout is no terminal")
    parser.add_argument("--once", action="store_true", help="print it once")
    parser.add_argument("--json", action="store_true", help="print what was told as JSON, a line each time")


def run(arguments: argparse.Namespace) -> int:
    """Look until it is enough."""
    from streampy.cli.top_watch import Watching  # noqa: PLC0415 - what is not needed for `--help`
    from streampy.errors import StreamPyError  # noqa: PLC0415

    token = os.environ.get("STREAMPY_TOKEN", "")
    watching = Watching(arguments.which, arguments.connect, token, every=min(max(arguments.every, 0.1), 10.0))
    try:
        with watching:
            is_seen = sys.stdout.isatty() and sys.stderr.isatty()  # textual draws on stderr
            if arguments.once or arguments.json or arguments.plain or not is_seen:
                return _print(watching, arguments)
            return _show(watching, arguments)
    except StreamPyError as error:
        sys.stderr.write(f"streampy: {error}\n")
        return Exit.FAILED


def _show(watching: Watching, arguments: argparse.Namespace) -> int:
    try:
        from streampy.cli.top_app import Top  # noqa: PLC0415 - textual takes a while
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"streampy: keys and colours need {error.name}, which is not installed: pip install 'streampy[tui]'; "
            "until then a table each time, Ctrl-C to end\n"
        )
        return _print(watching, arguments)
    Top(watching).run()
    return Exit.OK


def _print(watching: Watching, arguments: argparse.Namespace) -> int:
    """A table, or a line of JSON, each time; exit code 1 where it was to be told once, and nothing runs."""
    from streampy.cli.top_rows import NOTHING  # noqa: PLC0415
    from streampy.cli.top_text import write_all  # noqa: PLC0415

    while True:
        watching.wait_for_news()
        segments = watching.segments()
        if arguments.json:
            print(json.dumps({"segments": segments}), flush=True)
        elif segments:
            print(write_all(segments), flush=True)
        else:
            sys.stderr.write(f"streampy: {NOTHING}\n")
        if arguments.once:
            return Exit.OK if segments else Exit.FAILED
