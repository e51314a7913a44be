"""A bell that also rings when a channel has something: one who waits looks at the channel, and rings for the others.

Knows nothing of what comes.
"""

from __future__ import annotations

import asyncio
from typing import final

from streampy.pipes.base import Bell
from streampy.pipes.channel import Channel
from streampy.pipes.guard import Guard


@final
class Doorbell(Bell):
    """As a bell; who wakes looks what there is to take, and waits again where it was nothing for it.

    Whoever takes something from the channel rings, for those who look for it there do not find it any more.

    Threads and the tasks of one event loop may wait at once. A deadline may be missed by a thousandth of a second.
    """

    __slots__ = ("_channel", "_is_mute", "_is_watched", "_loop", "_tasks")

    def __init__(self, lock: Guard, channel: Channel) -> None:
        super().__init__(lock)
        self._channel = channel
        self._is_watched = False
        """Whether a thread looks at the channel."""
        self._is_mute = False
        self._loop: asyncio.AbstractEventLoop | None = None
        """Of the tasks that wait; how many these are is in the next."""
        self._tasks = 0

    def twin(self) -> Bell:
        """A plain bell under the same lock."""
        return Bell(self.lock)

    def ring(self) -> None:
        """See `Bell.ring`."""
        super().ring()
        if self._is_watched:
            self._channel.wake()

    def wait(self, until: float) -> None:
        """See `Bell.wait`."""
        if self._is_watched or (self._is_mute and not self._channel.has_outbox):
            if self._channel.has_outbox:
                self._channel.wake()  # whoever looks does not know yet that there is something to be sent
            super().wait(until)
            return
        self._is_watched = True
        self.lock.release()
        try:
            self._channel.wait(until)
        finally:
            self.lock.acquire()
            self._is_watched = False
            super().ring()  # what came may be another one's, and one of them is to look from now on

    def mute(self) -> None:
        """The channel has nothing more to say: from now on it is a plain bell. The lock is held."""
        self._is_mute = True

    def ringing(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """See `Bell.ringing`."""
        future = super().ringing(loop)
        if self._is_mute:
            return future
        if self._loop is None:
            self._loop = loop
            for file in self._channel.files:
                loop.add_reader(file, self._came)
        if self._channel.has_outbox:
            loop.add_writer(self._channel.fileno(), self._came)
        self._tasks += 1
        future.add_done_callback(self._leave)
        return future

    def _came(self) -> None:
        """The channel has something, or can send. In the thread of the loop."""
        with self.lock:
            if not self._is_watched:
                self._channel.calm()
            if self._loop is not None and not self._channel.has_outbox:
                self._loop.remove_writer(self._channel.fileno())
            super().ring()

    def _leave(self, _: object) -> None:
        """A task waits no more. In the thread of the loop."""
        with self.lock:
            self._tasks -= 1
            if not self._tasks and self._loop is not None:
                loop, self._loop = self._loop, None
                loop.remove_writer(self._channel.fileno())
                for file in self._channel.files:
                    loop.remove_reader(file)
