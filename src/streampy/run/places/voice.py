"""What one other OS process prints and logs: two pipes and a socket, and whether anything more will come.

Knows nothing of who waits for it, nor of what is said of it.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final, final

from streampy.run.places.say import Lines, say_record
from streampy.run.places.talk import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_RECORDS: Final = 1000
"""More than the kernel keeps at once for one socket."""


@final
class Voice:
    """Has an ear for stdout, one for stderr and one for the log. One thread listens; `finish` is for any."""

    def __init__(self, name: str) -> None:
        """Raises OSError where there are no file descriptors left."""
        self.name = name
        self.is_over = False
        """Whether all that was said is heard."""
        self._err = Lines(name, "stderr")
        out, out_mouth, err, err_mouth, log, log_mouth = _open()
        self.mouths: tuple[int, ...] = (out_mouth, err_mouth, log_mouth)
        """Where it writes: file descriptors to be handed over; then `close_mouths`."""
        self.ears = (
            Ear(out, Lines(name, "stdout").feed),
            Ear(err, self._err.feed, keeps_on=True),
            Ear(log, say_record, most_reads=_MOST_RECORDS),
        )

    def __repr__(self) -> str:
        return f"<Voice of {self.name!r}{', over' if self.is_over else ''}>"

    @property
    def last_words(self) -> list[str]:
        """The last lines on stderr."""
        return list(self._err.last)

    def close_mouths(self) -> None:
        """The other OS process has them now: it alone may hold them, so that their end is heard."""
        mouths, self.mouths = self.mouths, ()
        for mouth in mouths:
            os.close(mouth)

    def finish(self) -> None:
        """Its OS process has ended: hear all that it said before. Whoever else speaks there is not waited for."""
        for ear in self.ears:
            ear.hear_rest()
        self.is_over = True

    def close(self) -> None:
        """Nothing is heard any more."""
        self.close_mouths()
        for ear in self.ears:
            ear.close()


def _open() -> list[int]:
    files: list[int] = []
    try:
        files += os.pipe2(os.O_CLOEXEC)
        files += os.pipe2(os.O_CLOEXEC)
        files += (end.detach() for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    except OSError:
        for file in files:
            os.close(file)
        raise
    return files


@final
class Ear:
    """Where bytes come in, and what is to be said of them, in their order."""

    def __init__(
        self,
        file: int,
        feed: Callable[[bytes], Iterator[Callable[[], None]]],
        *,
        keeps_on: bool = False,
        most_reads: int = 1,
    ) -> None:
        """keeps_on: also when nothing can be said any more.

        most_reads: how many give all that the kernel holds; of a pipe, one gives twice as much.
        """
        os.set_blocking(file, False)
        self.file = file
        self.is_over = False
        """Whether nothing more comes in."""
        self._feed = feed
        self._keeps_on = keeps_on
        self._most_reads = most_reads
        self._is_mute = False
        self._is_closed = False
        self._to_say: deque[Callable[[], None]] = deque()
        self._lock = Lock()

    def hear(self) -> None:
        """Read once; never waits."""
        with self._lock:
            self._hear()

    def _hear(self) -> None:
        if self.is_over:
            return
        with suppress(BlockingIOError):
            try:
                data = os.read(self.file, MOST)
            except ConnectionResetError:  # told before what is still there
                data = os.read(self.file, MOST)
            self.is_over = not data
            self._to_say.extend(self._feed(data))

    def hear_rest(self) -> None:
        """Read what is there now, and nothing after it."""
        with self._lock:
            for _ in range(self._most_reads):
                self._hear()
            if not self.is_over:
                self.is_over = True
                self._to_say.extend(self._feed(b""))

    def say(self) -> None:
        """Say what was heard.

        Where that fails, as a `print` in this OS process would, nothing more is said, and whoever speaks is told.
        """
        while self._to_say:
            say = self._to_say.popleft()
            if self._is_mute:
                continue
            try:
                say()
            except (OSError, ValueError):
                self._is_mute = True
                if not self._keeps_on:
                    self.close()

    def close(self) -> None:
        """Whoever still writes there gets an error."""
        with self._lock:
            self.is_over = True
            if not self._is_closed:
                self._is_closed = True
                os.close(self.file)
