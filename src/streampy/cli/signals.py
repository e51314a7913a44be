"""Ctrl-C and SIGTERM while processes run: the first drains, a second Ctrl-C kills.

Knows nothing of the processes: it puts a word where they are listened to.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from streampy.cli.exits import Exit
from streampy.memory.sweep import clear_mine
from streampy.run.control.folder import remove_mine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from queue import SimpleQueue

INTERRUPTED = "Ctrl-C"
TERMINATED = "SIGTERM"
_ONE_PRESS = 0.25
"""Seconds: a wrapper such as `timeout` passes on what the terminal has sent already, and that is no second Ctrl-C."""


@contextmanager
def ending_at_once() -> Iterator[None]:
    """While this lasts Ctrl-C ends the OS process: for imports, which turn an exception amid them into another one."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def heard_in(events: SimpleQueue[Any]) -> Iterator[None]:
    """While this lasts, signals come as words in `events`; only in the main thread.

    A SimpleQueue may be put to inside of a signal handler, a Queue may not.
    """
    first = inf

    def interrupt(*_: object) -> None:
        nonlocal first
        now = monotonic()
        if now > first + _ONE_PRESS:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # more of them must not keep it from what is left to do
            os.write(2, b"\nstreampy: Ctrl-C again: killed\n")
            clear_mine()
            remove_mine()
            os._exit(Exit.INTERRUPTED)
        if first == inf:
            first = now
            events.put(INTERRUPTED)

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, interrupt),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: events.put(TERMINATED)),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
