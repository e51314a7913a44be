"""When to ask whether the other end is there, and when it is given up; its clock comes with the answers.

Knows nothing of sockets: it is told the time.
"""

from __future__ import annotations

import struct
from typing import Final, final

from streampy.pipes.net.clocks import Clock, Offset, Trip
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Frame, Kind

_CLOCK: Final = struct.Struct("<d")
_NANO: Final = 1_000_000_000


@final
class Heartbeat:
    """Of one connection. One thread. Times are `time.monotonic` seconds."""

    __slots__ = ("_asked", "_clock", "_every", "_heard", "_lost_after", "is_heard")

    def __init__(self, every: float, lost_after: float, offset: Offset, now: float) -> None:
        self.is_heard = False
        """Whether anything has come since `look`: set by whoever receives."""
        self._every = every
        self._lost_after = lost_after
        self._clock = Clock(offset, now)
        self._heard = now
        self._asked = 0
        """When the last question was sent: nanoseconds, its number."""

    @property
    def offset(self) -> Offset:
        """The other end's clock less the one here."""
        return self._clock.offset

    def look(self, now: float) -> float:
        """For how many seconds nothing was heard."""
        if self.is_heard:
            self.is_heard, self._heard = False, now
        return now - self._heard

    def is_lost(self, now: float) -> bool:
        """Whether it is given up."""
        return self.look(now) >= self._lost_after

    def ask(self, now: float) -> tuple[Frame, float]:
        """The question, and when to look again."""
        self._asked = int(now * _NANO)
        return Frame(Kind.PING, self._asked), min(now + self._every, self._heard + self._lost_after)

    def learn(self, frame: Frame, now: float) -> None:
        """The answer to the last question; another one says nothing. Raises ProtocolError."""
        if len(frame.parts) != 1 or len(frame.parts[0]) != _CLOCK.size:
            raise ProtocolError("PONG", "strange content", "seconds")
        (there,) = _CLOCK.unpack(frame.parts[0])
        if frame.number == self._asked and there - there == 0:  # neither infinite nor no number
            self._clock.learn(Trip(frame.number / _NANO, there, now))


def answer(frame: Frame, now: float) -> Frame:
    """What is said to a question."""
    return Frame(Kind.PONG, frame.number, parts=(_CLOCK.pack(now),))
