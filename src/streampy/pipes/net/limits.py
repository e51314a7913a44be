"""How much the other end may make this one hold in memory.

Knows nothing of how it is carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_PARTS: Final = 1000
"""They go into one system call, which takes 1024."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one frame, both ways. Two ends agree on the lower of what each can bear; checked before memory is taken.

    Decoded, the head may take seventy times its bytes (a million empty lists), the buffers take what they are.
    """

    frame: int = 256 << 20
    """Bytes of all parts together."""
    head: int = 8 << 20
    """Bytes of the first part: what is decoded value by value; arrays and large bytes lie in the others."""
    parts: int = _MOST_PARTS
    """1 to 1000."""

    def __post_init__(self) -> None:
        if not 1 <= self.parts <= _MOST_PARTS:
            raise ValueError(f"parts: got {self.parts}, expected 1 to {_MOST_PARTS}")
        if self.head < 1 or self.frame < self.head:
            raise ValueError(f"frame {self.frame}, head {self.head}: expected 1 <= head <= frame, in bytes")

    def lower(self, other: Limits) -> Limits:
        """What both can bear."""
        return Limits(
            min(self.frame, other.frame),
            min(self.head, other.head, self.frame, other.frame),
            min(self.parts, other.parts),
        )


GREETING: Final = Limits(frame=4096, head=4096, parts=1)
"""Until both know each other: nobody may make this end hold more than 4 kB."""
