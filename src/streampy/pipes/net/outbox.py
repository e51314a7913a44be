"""What waits to be sent, in its order.

Knows nothing of sockets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, final

from streampy.pipes.net.frames import Buffer

_AT_ONCE: Final = 64


@final
class Outbox:
    """Buffers, uncopied. Who uses it holds a lock."""

    __slots__ = ("_buffers", "size")

    def __init__(self) -> None:
        self._buffers: deque[Buffer] = deque()
        self.size = 0
        """Bytes."""

    def __bool__(self) -> bool:
        return self.size > 0

    def add(self, buffers: Iterable[Buffer]) -> None:
        """Behind all others; none of them is empty."""
        for buffer in buffers:
            self._buffers.append(buffer)
            self.size += len(buffer)

    def first(self) -> Sequence[Buffer]:
        """What is to be sent next."""
        return list(islice(self._buffers, _AT_ONCE))

    def sent(self, count: int) -> None:
        """So many bytes are on their way."""
        self.size -= count
        while count:
            buffer = self._buffers.popleft()
            if len(buffer) > count:
                self._buffers.appendleft(memoryview(buffer)[count:])
                return
            count -= len(buffer)

    def clear(self) -> None:
        """Nobody will get it."""
        self._buffers.clear()
        self.size = 0
