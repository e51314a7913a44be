"""Signals that go to all OS processes of a terminal or a service at once: the main one decides what comes of them.

Knows nothing of what it decides.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Final

_DEAF_TO: Final[Mapping[signal.Signals, Callable[[int, FrameType | None], object] | signal.Handlers]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}
"""And what Python does with them by itself."""


@contextmanager
def hushed() -> Iterator[None]:
    """Hold them back in this thread, so that what it starts meanwhile is deaf from its first moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _DEAF_TO)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore() -> None:
    """From now on they do nothing to this OS process, nor to the programs that it becomes and starts."""
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # they were held back before: see `hushed`


def ignore_alone() -> None:
    """From now on they do nothing to this OS process; what it starts hears them, or it could not be terminated.

    A program inherits which signals are ignored, but no handler; a forked OS process inherits both.
    """
    for number in _DEAF_TO:
        signal.signal(number, _do_nothing)
        signal.siginterrupt(number, False)
    os.register_at_fork(before=_hold_back, after_in_parent=_let_through, after_in_child=_hear_again)


def _do_nothing(*_: object) -> None:
    pass


def _hold_back() -> None:
    """Or one that comes before `_hear_again` would be lost, and who sent it would wait for ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _DEAF_TO)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEAF_TO)


def _hear_again() -> None:
    for number, usual in _DEAF_TO.items():
        if signal.getsignal(number) is _do_nothing:
            signal.signal(number, usual)
    _let_through()
