"""Sends what a worker on its own has held back, where it gives nothing more for a moment: it may think for long.

Knows nothing of what is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final, final

from streampy.pipes.base import Cancelled
from streampy.pipes.channel import PeerDied

_A_MOMENT: Final = 0.001
"""Seconds."""


@final
class Prompter:
    """A thread beside that of one worker."""

    def __init__(self, send: Callable[[], None], name: str) -> None:
        self._send = send
        self._held, self._over = Event(), Event()
        self._thread = Thread(target=self._main, name=f"streampy {name} prompter", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something is held back. For the worker."""
        if not self._held.is_set():
            self._held.set()

    def close(self) -> None:
        """From now on the worker sends everything itself. For the worker; waits until that is so."""
        self._over.set()
        self._held.set()
        self._thread.join()

    def _main(self) -> None:
        try:
            while self._held.wait():
                self._held.clear()
                if self._over.wait(_A_MOMENT):
                    return
                self._send()
        except (PeerDied, Cancelled):  # the worker finds it out too
            return
