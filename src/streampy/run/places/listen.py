"""The thread that listens to all OS processes that a nursery bore, and says again here what they print and log.

Knows nothing of how they are borne, nor of what they say. It reads no faster than it can say it: whoever says more
waits in its own `print`. Asleep while nobody speaks.
"""

from __future__ import annotations

import os
from contextlib import suppress
from select import POLLIN, poll
from typing import TYPE_CHECKING, final

from streampy.run.places.voice import Ear, Voice

if TYPE_CHECKING:
    from streampy.run.backend import Backend


@final
class Listener:
    """Any thread may call it. The order between prints and log records of one OS process is not kept."""

    def __init__(self, name: str, backend: Backend) -> None:
        self.over = backend.flag()
        """All voices are over, all is said, and none will be added."""
        self._name = name
        self._backend = backend
        self._lock = backend.lock()
        self._voices: list[Voice] = []
        self._ears: dict[int, Ear] = {}
        self._poll = poll()
        self._wake = -1
        self._is_closing = False

    def __repr__(self) -> str:
        return f"<Listener to {len(self._voices)} OS processes{', over' if self.over.is_set() else ''}>"

    def add(self, voice: Voice) -> None:
        """Listen to it until it is over; the first one starts the thread."""
        with self._lock:
            for ear in voice.ears:
                self._ears[ear.file] = ear
                self._poll.register(ear.file, POLLIN)
            self._voices.append(voice)
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)
                return
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._poll.register(self._wake, POLLIN)
        self._backend.launch(self._listen, f"{self._name} listener")

    def finish(self, voice: Voice) -> None:
        """Its OS process has ended: when this returns, `voice.last_words` are; what is heard is said soon after."""
        voice.finish()
        self._rouse()

    def close(self) -> None:
        """No voice is added any more; `over` is set once those that are there are over."""
        with self._lock:
            self._is_closing = True
            if self._wake < 0:
                self.over.set()
        self._rouse()

    def _rouse(self) -> None:
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _listen(self) -> None:
        while self._goes_on():
            heard = [self._ears[file] for file, _ in self._poll.poll() if file in self._ears]
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            for ear in heard:
                ear.hear()
                ear.say()
                if ear.is_over:
                    self._forget(ear)
            for voice in [voice for voice in self._voices if voice.is_over]:
                self._part_with(voice)
        self.over.set()

    def _goes_on(self) -> bool:
        with self._lock:
            if self._voices or not self._is_closing:
                return True
            os.close(self._wake)
            self._wake = -1
            return False

    def _part_with(self, voice: Voice) -> None:
        for ear in voice.ears:
            ear.say()
            self._forget(ear)
        with self._lock:
            self._voices.remove(voice)
        voice.close()

    def _forget(self, ear: Ear) -> None:
        with self._lock:
            if self._ears.get(ear.file) is ear:  # else it was closed, and its number is that of another one already
                del self._ears[ear.file]
                self._poll.unregister(ear.file)
