"""An OS process that a nursery bore, as the main one sees it.

Knows nothing of the nursery but how to have the child killed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from streampy.run.backend import Backend
    from streampy.run.places.voice import Voice

_log: Final = logging.getLogger("streampy.run")


@final
class Child:
    """It lives until `ended` is set. Any thread may call it."""

    def __init__(
        self, voice: Voice, kill: Callable[[], None], on_end: Callable[[Child, int], None] | None, backend: Backend
    ) -> None:
        self.name = voice.name
        self.pid = 0
        """0 until it is born."""
        self.exit_code: int | None = None
        """None while it lives; negative where a signal ended it."""
        self.ended = backend.flag()
        self.settled = backend.flag()
        """It is known whether it was born; if not, `pid` is 0."""
        self.refusal = ""
        """Why it could not be born, as far as that is known."""
        self.kill = kill
        """Have it killed, at once and for sure (SIGKILL), unless it has ended."""
        self._voice = voice
        self._on_end = on_end
        self._backend = backend

    def __repr__(self) -> str:
        state = "lives" if self.exit_code is None else f"ended with {self.exit_code}"
        return f"<Child {self.name!r}: OS process {self.pid}, {state}>"

    @property
    def last_words(self) -> list[str]:
        """The last lines that it wrote to stderr; all of them are there once it has ended."""
        return self._voice.last_words

    def wait(self, until: float) -> int | None:
        """Wait for its end; returns the exit code, negative where a signal ended it, or None past `until`.

        until: `time.monotonic` seconds.
        """
        self._backend.wait_for(self.ended, until)
        return self.exit_code

    def born(self, pid: int) -> None:
        """It is there."""
        self.pid = pid
        self.settled.set()

    def refused(self, why: str) -> None:
        """It was not born, and will not be."""
        self.refusal = why
        self._on_end = None
        self.settled.set()

    def end(self, exit_code: int) -> None:
        """It is no more, and all its last words are heard."""
        self.exit_code = exit_code
        self.ended.set()
        if self._on_end is None:
            return
        try:
            self._on_end(self, exit_code)
        except Exception:  # the thread in which this happens tells of the ends of others, too
            _log.exception("what was to be done at the end of OS process %s failed", self.name)
