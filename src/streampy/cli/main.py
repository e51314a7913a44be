"""The command `streampy`: finds the verb, and imports only that one.

Knows nothing of what the verbs do.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit, exit_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = {
    "new": "write a small process to begin with",
    "check": "find everything that is wrong with a process, without running it",
    "show": "draw a process and tell how it will run",
    "run": "run processes until they end",
    "ctl": "see and steer what runs: list, stats, pause, stop, scale, set, fire, peek, profile",
    "ui": "serve the web page and the HTTP API of all that runs here",
    "bench": "measure a process, and find what limits it",
    "grafana": "print the Grafana dashboard of what is told to Prometheus",
    "record": "run a process, and write the items of one of its pipes to a file",
    "replay": "give recorded items, or dead letters, back to a unit, and run all that is behind it",
    "top": "see and steer what runs, live in the terminal",
    "schema": "print the JSON Schema of a process file, for editors",
    "certs": "make certificates for TLS between segments, for tests and a few machines",
}
"""Each is a file beside this one, with `add_arguments` and `run`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        parsed = _parser(words).parse_args(words)
    except SystemExit as left:  # --help, --version, or a mistake, which argparse has told
        return int(left.code or 0)
    try:
        code: int = import_module(f"streampy.cli.{parsed.verb}").run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception:  # whatever gets here is ours
        import traceback  # noqa: PLC0415 - takes a while, and is not needed as a rule

        traceback.print_exc()
        sys.stderr.write("streampy: this is a mistake in StreamPy itself; please report it with the lines above\n")
        return Exit.BUG
    return code


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="streampy",
        description="Near-realtime dataflow: processes of small units, described in YAML.",
        epilog=exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, text in VERBS.items():
        formatter = argparse.RawDescriptionHelpFormatter
        of_verb = verbs.add_parser(
            verb,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=exit_codes(),
            formatter_class=formatter,
        )
        if verb in words:
            import_module(f"streampy.cli.{verb}").add_arguments(of_verb)
    return parser


class _Version(argparse.Action):
    def __call__(self, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - reads the package's metadata, slow and rarely asked

        sys.stdout.write(f"streampy {version('streampy')}\n")
        raise SystemExit(Exit.OK)
