"""What the command line says of segments: which one runs here, and where the others are.

Knows nothing of how they run.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_FILE: Final = "fd:"
"""Before the number of a socket that listens, which this OS process has inherited."""


@dataclass(frozen=True, slots=True)
class Where:
    """Of one command."""

    segment: str
    """"" for all."""
    listen: str
    dial: dict[str, list[str]]
    counts: dict[str, int]
    """By segment, how many OS processes there are, or are to be."""

    def as_options(self) -> dict[str, Any]:
        """As `streampy.run` takes it."""
        if not self.segment:
            return {}
        return {"segment": self.segment, "listen": _port(self.listen), "dial": self.dial, "expect": self.counts}


def read_where(arguments: argparse.Namespace) -> Where | None:
    """What was said; None, with a line on stderr, where it can't be understood."""
    dial: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    try:
        for name, address in _pairs("--dial", arguments.dial, "core=tcp://core.example:7400"):
            dial.setdefault(name, []).append(address)
        for option, given in (("--replicas", arguments.replicas), ("--expect", arguments.expect)):
            for name, count in _pairs(option, given, "core=2"):
                counts[name] = _count(option, count)
        _check(arguments)
    except ValueError as error:
        sys.stderr.write(f"streampy: {error}\n")
        return None
    return Where(arguments.segment, arguments.listen, dial, counts)


def _check(arguments: argparse.Namespace) -> None:
    """Whether these options go together. Raises ValueError."""
    if not arguments.segment and (arguments.dial or arguments.listen):
        raise ValueError("--listen and --dial are of one segment: say which by --segment NAME")
    if arguments.segment and arguments.replicas:
        raise ValueError("--replicas is for all segments together; start the same command several times instead")


def _pairs(option: str, given: Sequence[str], such_as: str) -> list[tuple[str, str]]:
    pairs = [one.partition("=") for one in given]
    wrong = next(("".join(pair) for pair in pairs if not all(pair)), None)
    if wrong is not None:
        raise ValueError(f"{option}: got {wrong!r}, expected NAME=..., such as {option} {such_as}")
    return [(name, value) for name, _, value in pairs]


def _count(option: str, text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError(f"{option}: got {text!r}, expected a whole number, at least 1")
    return int(text)


def _port(listen: str) -> str | socket.socket:
    return socket.socket(fileno=int(listen.removeprefix(_FILE))) if listen.startswith(_FILE) else listen
