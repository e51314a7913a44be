"""Since when a unit is being called, in a page of memory that the main OS process looks at: a hung one can't tell.

Knows nothing of what becomes of it. There is one writer, the worker; whoever looks may see it a little late.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from mmap import mmap
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from streampy.run.call import Call
    from streampy.run.watchdog import Look

_SIZE: Final = 4096
_TIME: Final = 8
_NONE: Final = 0.0
_NO_ANSWER: Final = 1.0
"""Seconds without an answer, after which it counts, however short the `timeout` is: a busy machine takes its time."""


@final
class Pulse:
    """One worker's."""

    def __init__(self, file: int, now: Callable[[], float], ask: Callable[[Future[Any]], object] | None = None) -> None:
        """File: what `new_pulse` gave; it stays the caller's. ask: of who looks, has its OS process say anything."""
        self._memory = mmap(file, _SIZE)
        self._time = memoryview(self._memory)[:_TIME].cast("d")  # a store of 8 aligned bytes is never seen half done
        self._now = now
        self._ask = ask
        self._asked_at = 0.0
        self._answer: Future[Any] | None = None

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
        """Since when (seconds, as in `item.born`) it is being called, and what it has not done yet; None: it is not.

        Where it is not, its OS process may stand still: that is asked, and told here when there is no answer.
        """
        since = self._time[0]
        if since == _NONE:
            return self._look_for_life()
        self._answer = None
        return since, self._memory[_TIME:].partition(b"\0")[0].decode(errors="replace")

    def _look_for_life(self) -> tuple[float, str] | None:
        if self._ask is None:
            return None
        if self._answer is None or self._answer.done():
            self._answer, self._asked_at = Future(), self._now()
            self._ask(self._answer)
        elif self._now() - self._asked_at > _NO_ANSWER:
            return self._asked_at, "did not answer, as if its OS process were stopped,"
        return None

    def close(self) -> None:
        """Let go of the page."""
        self._time.release()
        self._memory.close()


def new_pulse() -> int:
    """A file descriptor of an empty page."""
    file = os.memfd_create("streampy-pulse", os.MFD_CLOEXEC)
    os.ftruncate(file, _SIZE)
    return file
