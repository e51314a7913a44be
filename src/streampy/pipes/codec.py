"""How the values of a batch become bytes and buffers, and come back: inline, as they are where there is no arena.

Knows nothing of channels, nor of the items' headers.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, Final, Protocol, final

from streampy.pipes.frames import MOST_PARTS, Buffer

_LARGE: Final = 1 << 14
"""Bytes from which on a buffer is worth a part of its own: it is then not copied into the pickle."""


class Codec(Protocol):
    """What both ends of a pipe have, each its own. It is called by one thread at a time, and must not wait."""

    def encode(self, what: Any) -> tuple[Buffer, Sequence[Buffer]] | None:
        """The headers and values of a batch as bytes, and buffers beside them, some hundreds at the most.

        These are not to be changed until they are sent. None where there is no room for them now: `put` waits then,
        and asks again when the receiver has released something, or `SharedSender.nudge` was called.
        What the codec raises comes out of `put`.
        """

    def decode(self, data: Buffer, buffers: Sequence[Buffer]) -> Any:
        """What was encoded. The buffers are the receiver's own, for as long as it holds them."""

    def released(self) -> Buffer:
        """At the receiver: what it needs no more since it was last asked, for `free` of the other; empty: nothing.

        It is asked whenever somebody gets, and after `SharedReceiver.nudge`.
        """

    def free(self, data: Buffer) -> None:
        """At the sender: what `released` gave at the receiver."""


@final
class Inline:
    """Values travel in the messages: pickled, their large buffers uncopied. What comes out is a copy of one's own."""

    def encode(self, what: Any) -> tuple[Buffer, Sequence[Buffer]]:
        """See `Codec`. Raises what pickle raises."""
        buffers: list[Buffer] = []

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            try:
                view = buffer.raw()
            except BufferError:  # it is not in one piece
                return True
            if view.nbytes < _LARGE or len(buffers) >= MOST_PARTS // 2:
                return True
            buffers.append(view)
            return False

        return pickle.dumps(what, pickle.HIGHEST_PROTOCOL, buffer_callback=is_small), buffers

    def decode(self, data: Buffer, buffers: Sequence[Buffer]) -> Any:
        """See `Codec`."""
        return pickle.loads(data, buffers=map(_own, buffers))  # noqa: S301 - the other end of our own pipe

    def released(self) -> Buffer:
        """See `Codec`: nothing is kept."""
        return b""

    def free(self, data: Buffer) -> None:
        """See `Codec`."""


def _own(buffer: Buffer) -> Buffer:
    """A buffer that may be written: what came in one packet is bytes, which may not."""
    return bytearray(buffer) if memoryview(buffer).readonly else buffer
