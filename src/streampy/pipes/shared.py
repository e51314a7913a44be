"""A pipe between two OS processes: its two ends, and how they come to where they are used.

Knows nothing of units. What travels is told in `frames`; what each end does, in `sending` and `receiving`:

- The receiver grants room for as many items (and bytes) as the settings of the pipe say, once and for all at the start;
  what it has handed over it gives back. Within this room the sender sends and goes on.
- What has no room is decided by the same code as in a pipe inside one OS process, and there: a sender that blocks waits
  for room; any other one asks, and is answered with the headers of what was dropped.
- End of stream, errors and news travel in the same channel, behind the data.
- When an OS process dies, the kernel closes its end. The sender gets PeerDied at once; the receiver gets all that was
  sent, and then PeerDied. Nothing is held that a dead OS process would have to give back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from streampy.model.pipe import Pipe
from streampy.pipes.channel import Channel, PeerDied, channel_pair
from streampy.pipes.codec import Codec
from streampy.pipes.receiving import SharedReceiver
from streampy.pipes.sending import SharedSender

__all__ = ["Channel", "PeerDied", "SharedPipe", "SharedReceiver", "SharedSender", "channel_pair"]


@final
@dataclass(frozen=True, slots=True)
class SharedPipe:
    """Both ends in one OS process, as the tests of its rules have them."""

    sender: SharedSender
    receiver: SharedReceiver

    @classmethod
    def of(cls, settings: Pipe, codecs: tuple[Codec | None, Codec | None] = (None, None)) -> Self:
        """A pipe with these settings, open. codecs: of its sender and its receiver."""
        one, other = channel_pair()
        pipe = cls(SharedSender(one, settings, codecs[0]), SharedReceiver(other, settings, codecs[1]))
        pipe.receiver.open()
        return pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cancel(self) -> None:
        """The process is being stopped."""
        self.sender.cancel()
        self.receiver.cancel()

    def close(self) -> None:
        """Both ends."""
        self.receiver.close()
        self.sender.close()
