"""`streampy certs`: makes certificates with which segments make sure of each other, for tests and a few machines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from streampy.pipes.net.certs import Certificates

_FILES = tuple(f"{name}.{kind}" for name in ("ca", "server", "client") for kind in ("pem", "key"))
_HOSTS = ("localhost", "127.0.0.1")
_MOST_DAYS = 36500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("folder", metavar="FOLDER", help="where the files go; it is made where it is missing")
    parser.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="a name or an IP address under which the segment that listens is dialled; may be repeated "
        f"({', '.join(_HOSTS)})",
    )
    parser.add_argument("--days", type=_days, default=365, metavar="N", help="for how long they are valid (365)")
    parser.add_argument("--force", action="store_true", help="replace files that are there already")


def _days(text: str) -> int:
    import argparse  # noqa: PLC0415 - there already when this is called

    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected days: a whole number from 1 to {_MOST_DAYS}")
    return int(text)


def run(arguments: argparse.Namespace) -> Exit:
    """Write the files, and say where each of them belongs."""
    folder = Path(arguments.folder)
    there = [file for file in _FILES if (folder / file).exists()]
    if there and not arguments.force:
        sys.stderr.write(
            f"streampy: {folder} has {', '.join(there)} already: name a new folder, or replace them with --force\n"
        )
        return Exit.USAGE
    try:
        from datetime import timedelta  # noqa: PLC0415 - only here

        from streampy.pipes.net.certs import make_certificates  # noqa: PLC0415 - needs an extra

        made = make_certificates(folder, arguments.host or _HOSTS, timedelta(days=arguments.days))
    except ImportError:
        sys.stderr.write('streampy: certs needs cryptography: pip install "streampy[certs]"\n')
        return Exit.USAGE
    except (OSError, ValueError) as error:
        sys.stderr.write(f"streampy: no certificates in {folder}: {error}\n")
        return Exit.USAGE
    print("\n".join(_told(made)))
    return Exit.OK


def _told(made: Certificates) -> Iterator[str]:
    yield "at the segment that listens:"
    yield f"  tls: {{ca: {made.ca}, cert: {made.server}, key: {made.server_key}}}"
    yield "at the link, for the segment that dials:"
    yield f"  tls: {{ca: {made.ca}, cert: {made.client}, key: {made.client_key}}}"
    yield f"{made.ca_key} signs further ones: it belongs on no machine that runs segments"
