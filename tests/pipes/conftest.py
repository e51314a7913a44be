"""Starts the other end of a pipe in an OS process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streampy.pipes.channel import Channel, channel_pair

OTHER_END = Path(__file__).parent / "other_end.py"
SOON = 10.0
"""Seconds in which what must happen has to happen."""


@contextmanager
def start_other_end(what: str, count: int = 0, **settings: Any) -> Iterator[tuple[Channel, subprocess.Popen[bytes]]]:
    """Our end of the channel, and the OS process that has the other one; it is ended and waited for afterwards."""
    ours, theirs = channel_pair()
    command = [sys.executable, str(OTHER_END), what, str(theirs.fileno()), json.dumps(settings), str(count)]
    with theirs:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[theirs.fileno()], bufsize=0
        )
    with ours, process:
        try:
            yield ours, process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(SOON)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="session")
def other_end() -> Callable[..., Any]:
    """See `start_other_end`."""
    return start_other_end
