"""The lock behind bells, and where threads sleep until a bell rings.

Knows nothing of what is waited for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import Lock, get_ident, local, main_thread
from typing import Final, final

_MOST_FILES: Final = 512
"""Of the 1024 that an OS process may usually open; the rest is for the units."""
_ONE: Final = (1).to_bytes(8, sys.byteorder)


@final
class Guard:
    """A lock that wakes whoever was rung for when it is given back, for they need it at once."""

    __slots__ = ("_lock", "_woken", "acquire")

    def __init__(self) -> None:
        self._lock = Lock()
        self.acquire = self._lock.acquire
        self._woken: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Guard {'held' if self._lock.locked() else 'free'}>"

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give it back, then wake."""
        woken = self._woken
        if not woken:
            self._lock.release()
            return
        self._woken = []
        self._lock.release()
        for wake in woken:
            wake()

    def afterwards(self, wake: Callable[[], None]) -> None:
        """Have this done when the lock is given back. The lock is held."""
        self._woken.append(wake)


@final
class Sleeper:
    """Where one thread sleeps until it is woken, however long that takes: at a file descriptor of its own.

    Writing to that wakes the thread while the GIL is free. Releasing a `threading.Lock` does not, and whoever it wakes
    goes to sleep again at the GIL, which makes a change of threads three times as dear.
    """

    __slots__ = ("_file", "guard")

    def __init__(self, guard: Guard, file: int) -> None:
        self.guard = guard
        self._file = file

    def __del__(self) -> None:
        os.close(self._file)

    def sleep(self) -> None:
        """Until it is released. The lock is not held."""
        os.read(self._file, len(_ONE))

    def release(self) -> None:
        """Wake whoever sleeps, when the lock is given back. The lock is held."""
        self.guard.afterwards(self._wake)

    def _wake(self) -> None:
        os.write(self._file, _ONE)


_here: Final = local()
"""The sleeper of each thread; its file is closed when the thread ends."""


def sleeper_here(guard: Guard) -> Sleeper | None:
    """Where this thread may sleep.

    None where there are no such files (they are Linux's), where too many are open, and in the main thread, which must
    look up now and then.
    """
    found: Sleeper | None = getattr(_here, "sleeper", None)
    if found is not None:
        found.guard = guard
    elif get_ident() != main_thread().ident:
        found = _here.sleeper = _new(guard)
    return found


def _new(guard: Guard) -> Sleeper | None:
    try:
        file = os.eventfd(0)
    except (AttributeError, OSError):
        return None
    if file <= _MOST_FILES:
        return Sleeper(guard, file)
    os.close(file)
    return None
