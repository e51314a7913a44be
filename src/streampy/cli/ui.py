"""`streampy ui`: serves the web page and the HTTP API of all that this user runs on this machine."""

from __future__ import annotations

import os
import sys
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    import argparse

PORT: Final = 8420


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    from argparse import SUPPRESS  # noqa: PLC0415 - there already when this is called

    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen (127.0.0.1); off loopback everybody needs the token"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"({PORT}); 0: any that is free")
    parser.add_argument(
        "--token", default="", help="ask for it; else STREAMPY_TOKEN, and off loopback one is made up and told"
    )
    parser.add_argument(
        "--name", action="append", default=[], metavar="HOST", help="a further name of this server; may be repeated"
    )
    parser.add_argument(
        "--at", action="append", default=[], metavar="tcp://HOST:PORT", help="look here too; may be repeated"
    )
    parser.add_argument("--obey", type=int, metavar="FD", help=SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to end."""
    from streampy.run.control.settings import is_loopback  # noqa: PLC0415

    try:
        from streampy.web.serve import Server  # noqa: PLC0415 - a web framework
    except ModuleNotFoundError as error:
        sys.stderr.write(f"streampy: the page needs {error.name}, which is not installed: pip install 'streampy[ui]'\n")
        return Exit.USAGE
    token = arguments.token or os.environ.get("STREAMPY_TOKEN", "")
    if not token and not is_loopback(arguments.host):
        token = token_urlsafe()
    try:
        server = Server(arguments.host, arguments.port, token=token, names=arguments.name, also=arguments.at)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"streampy: can't listen at {arguments.host}:{arguments.port}: {error}\n")
        return Exit.USAGE
    sys.stderr.write(f"streampy: the page is at {server.url}{f'?token={token}' if token else ''}\n")
    sys.stderr.flush()
    if arguments.obey is not None:
        _obey(arguments.obey, server.close)
    try:
        server.run()
    except KeyboardInterrupt:
        return Exit.OK
    return Exit.OK


def _obey(file: int, end: object) -> None:
    """End when whoever started this one has."""
    from threading import Thread  # noqa: PLC0415

    def wait() -> None:
        with os.fdopen(file) as words:
            words.read()
        if callable(end):
            end()

    Thread(target=wait, name="told", daemon=True).start()
