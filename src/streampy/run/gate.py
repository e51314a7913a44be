"""Holds sources back: until all is ready, and while a process is paused.

Knows nothing of who passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from streampy.pipes.base import Bell

if TYPE_CHECKING:
    from streampy.run.mail import Mailbox


class Gate:
    """Closed at first."""

    def __init__(self, bell: Bell) -> None:
        self.is_free = False
        """Whether there is nothing to look at: the gate is open, and nobody was asked to stop."""
        self._is_open = False
        self._is_stopping = False
        self._bell = bell
        self._on_stop: list[Callable[[], None]] = []
        self._listeners: list[Callable[..., None]] = []

    def another(self) -> Gate:
        """A gate of its own, which is open, for those that wait under the same lock."""
        gate = Gate(self._bell.twin())
        gate.open()
        return gate

    def open(self) -> None:
        """Let everybody through from now on."""
        with self._bell.lock:
            self._is_open = True
            self.is_free = not self._is_stopping
            self._bell.ring()
        self._tell()

    def close(self) -> None:
        """Hold everybody back from now on."""
        with self._bell.lock:
            if not self._is_stopping:
                self._is_open = self.is_free = False
        self._tell()

    def stop(self) -> None:
        """Let everybody through for ever: they were asked to stop, and find out."""
        self._is_stopping = True
        self.open()
        with self._bell.lock:
            called = list(self._on_stop)
        for call in called:
            call()

    def on_stop(self, call: Callable[[], None]) -> None:
        """Call this when it is stopped; at once where it was."""
        with self._bell.lock:
            self._on_stop.append(call)
            if not self._is_stopping:
                return
        call()

    def listen(self, tell: Callable[..., None]) -> None:
        """Call this with `is_open` and `is_stopping`, now and whenever that changes."""
        self._listeners.append(tell)
        tell(is_open=self._is_open, is_stopping=self._is_stopping)

    def _tell(self) -> None:
        for tell in list(self._listeners):
            tell(is_open=self._is_open, is_stopping=self._is_stopping)

    def knock(self) -> None:
        """Wake those that wait, so that they read their mail."""
        with self._bell.lock:
            self._bell.ring()

    def wait(self, mail: Mailbox) -> bool:
        """Wait until it is open; False where there is mail to be read first."""
        with self._bell.lock:
            while not self._is_open:
                if mail:
                    return False
                self._bell.wait(inf)
        return True

    async def wait_async(self, mail: Mailbox) -> bool:
        """As `wait`, for a task of the event loop."""
        while True:
            with self._bell.lock:
                if self._is_open:
                    return True
                if mail:
                    return False
                ringing = self._bell.ringing(asyncio.get_running_loop())
            await ringing
