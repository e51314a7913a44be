"""How a connection is made and kept.

Knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streampy.pipes.net.frames import Allocate
from streampy.pipes.net.handshake import Terms
from streampy.pipes.net.recycled import Recycled
from streampy.pipes.net.tls import Tls


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Of one end; the other one may have others. Times in seconds."""

    terms: Terms
    tls: Tls | None = None
    """None: nothing is encrypted; both ends must have it, or none."""
    greet_within: float = 5.0
    """From the connection to the end of the handshake."""
    heartbeat: float = 0.5
    """The other end is asked so often whether it is there."""
    lost_after: float = 2.0
    """When nothing was heard for so long, it is given up; at least twice the other one's answer takes to come."""
    outbox: int = 32 << 20
    """Bytes that wait to be sent, from which on `send` waits, too; one frame more may be there."""
    greetings: int = 64
    """Handshakes under way at a port at once: more are turned away, so strangers can't take all there is."""
    allocate: Callable[[], Allocate] = Recycled
    """Makes, for each connection, what gives the memory that buffers are received in."""

    def __post_init__(self) -> None:
        if not 0 < self.heartbeat < self.lost_after:
            raise ValueError(
                f"heartbeat {self.heartbeat}, lost_after {self.lost_after}: expected 0 < heartbeat < lost_after"
            )
