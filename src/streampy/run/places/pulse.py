"""Since when a unit is being called, in a page of memory that the main OS process looks at: a hung one can't tell.

Knows nothing of what becomes of it. There is one writer, the worker; whoever looks may see it a little late.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from mmap import mmap
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from streampy.run.call import Call
    from streampy.run.watchdog import Look

_SIZE: Final = 4096
_TIME: Final = 8
_NONE: Final = 0.0


@final
class Pulse:
    """One worker's."""

    def __init__(self, file: int, now: Callable[[], float]) -> None:
        """File: what `new_pulse` gave; it stays the caller's."""
        self._memory = mmap(file, _SIZE)
        self._time = memoryview(self._memory)[:_TIME].cast("d")  # a store of 8 aligned bytes is never seen half done
        self._now = now

    @contextmanager
    def watching(self, call: Call, what: str) -> Iterator[None]:
        """While this lasts, the worker calls its unit; see `Watchdog.watching`."""
        del call
        text = what.encode()[: _SIZE - _TIME - 1]
        self._memory[_TIME : _TIME + len(text) + 1] = text + b"\0"
        self._time[0] = self._now()
        try:
            yield
        finally:
            self._time[0] = _NONE

    def guarding(self, call: Call, look: Look) -> AbstractContextManager[None]:
        """Nothing is guarded here that is called elsewhere."""
        del call, look
        return nullcontext()

    def look(self) -> tuple[float, str] | None:
        """Since when (seconds, as in `item.born`) it is being called, and what it has not done yet; None: it is not."""
        since = self._time[0]
        if since == _NONE:
            return None
        return since, self._memory[_TIME:].partition(b"\0")[0].decode(errors="replace")

    def close(self) -> None:
        """Let go of the page."""
        self._time.release()
        self._memory.close()


def new_pulse() -> int:
    """A file descriptor of an empty page."""
    file = os.memfd_create("streampy-pulse", os.MFD_CLOEXEC)
    os.ftruncate(file, _SIZE)
    return file
