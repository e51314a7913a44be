"""One end of the control line between the main OS process and another one: all that is not about items.

Knows nothing of what is said. Whoever says does not wait; one thread hears.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, final

from streampy.pipes.channel import Channel, PeerDied
from streampy.pipes.frames import Message


@final
class Control:
    """Any thread may say; words keep their order."""

    def __init__(self, channel: Channel) -> None:
        self.woken: Callable[[], None] = _nothing
        """Called by who hears, whenever `wake` was called."""
        self._channel = channel
        self._lock = Lock()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Control {self._channel!r}>"

    def say(self, word: str, *what: Any) -> None:
        """Say a word, and what goes with it (to be pickled). To who is gone it is said in vain."""
        self._post((word, *what))

    def hand_over(self, files: Sequence[int], word: str, *what: Any) -> None:
        """Say a word, with open files behind it: whoever hears it takes them over at once."""
        self._post((word, *what), files)

    def _post(self, what: tuple[Any, ...], files: Sequence[int] = ()) -> None:
        message = Message(0, len(files), parts=(pickle.dumps(what, pickle.HIGHEST_PROTOCOL),))
        with self._lock:
            if self._is_closed:
                return
            try:
                self._channel.post(message)
                if files:
                    self._channel.hand_over(files)
            except PeerDied:
                return
            if self._channel.has_outbox:
                self._channel.wake()  # who hears sends the rest

    def hear(self) -> tuple[Any, ...]:
        """The next word with what goes with it, files behind the rest.

        Raises PeerDied, and EOFError once this end is closed.
        """
        while True:
            with self._lock:
                if self._is_closed:
                    raise EOFError
                self._channel.flush()
            message = self._channel.take()
            if message is not None:
                what: tuple[Any, ...] = pickle.loads(message.parts[0])  # noqa: S301 - the other end is the same program
                return (*what, *self._channel.take_over(message.number)) if message.number else what
            self.woken()
            self._channel.wait(looks_up=False)  # in the main thread of a child, which is deaf to signals

    def wake(self) -> None:
        """For any thread at any moment, also amid a collection of garbage: takes no lock."""
        self._channel.wake()

    def close(self) -> None:
        """Nothing is said or heard any more. For who hears."""
        with self._lock:
            self._is_closed = True
            self._channel.close()


def _nothing() -> None:
    pass
