"""Holds sources back: until all is ready, and while a process is paused.

Knows nothing of who passes.
"""

from __future__ import annotations

import asyncio
from threading import Event, Lock

from streampy.pipes.base import Bell


class Gate:
    """Closed at first."""

    def __init__(self) -> None:
        self.is_free = False
        """Whether there is nothing to look at: the gate is open, and nobody was asked to stop."""
        self._is_stopping = False
        self._open = Event()
        self._bell = Bell(Lock())

    @property
    def is_open(self) -> bool:
        """Whether one may pass."""
        return self._open.is_set()

    def open(self) -> None:
        """Let everybody through from now on."""
        with self._bell.lock:
            self._open.set()
            self.is_free = not self._is_stopping
            self._bell.ring()

    def close(self) -> None:
        """Hold everybody back from now on."""
        if not self._is_stopping:
            self.is_free = False
            self._open.clear()

    def stop(self) -> None:
        """Let everybody through for ever: they were asked to stop, and find out."""
        self._is_stopping = True
        self.open()

    def wait(self) -> None:
        """Pass when it is open."""
        if not self._open.is_set():
            self._open.wait()

    async def wait_async(self) -> None:
        """As `wait`, for a task of the event loop."""
        while not self._open.is_set():
            with self._bell.lock:
                if self._open.is_set():
                    return
                ringing = self._bell.ringing(asyncio.get_running_loop())
            await ringing
