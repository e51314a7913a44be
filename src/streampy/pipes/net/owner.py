"""What whoever uses a connection has to offer, and is told.

Knows nothing of how the connection works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from streampy.pipes.net.errors import LinkError
from streampy.pipes.net.frames import Frame

if TYPE_CHECKING:
    from streampy.pipes.net.connection import Connection


class Owner(Protocol):
    """Who uses a connection. The I/O thread calls it, so it must not wait; what it raises ends that connection."""

    def on_open(self, connection: Connection) -> None:
        """The handshake is done: `peer`, `clock` and `limits` are known, and frames may be sent."""

    def on_message(self, connection: Connection, frame: Frame) -> None:
        """A frame of a kind from 32 on. Its parts belong to whoever holds them."""

    def on_pause(self, connection: Connection) -> None:
        """All frames that have come by now were given: after each burst of them."""

    def on_drained(self, connection: Connection) -> None:
        """There is room in the outbox again, which was full."""

    def on_going(self, connection: Connection) -> None:
        """The other end will leave soon: it wants no more work."""

    def on_down(self, connection: Connection, error: LinkError | None) -> None:
        """It is over, once for each connection, opened or not. None: both ends have taken their leave."""


class ConnectionStats(NamedTuple):
    """What went through since the beginning, in bytes of frames, without TLS."""

    sent: int
    """The kernel has taken them."""
    received: int
    waiting: int
    """In the outbox now: close to its limit means that the other end, or the network, is slower than the sender."""
