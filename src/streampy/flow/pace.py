"""Spaces what is handed over, so that no more than so many items a second pass.

Pure: `now` is an argument. Knows nothing of what passes.
"""

from __future__ import annotations

from math import inf

_LATENESS = 0.1
"""The share of an item's time by which it may be late without those behind it being later too: whoever waits is woken a
little after the time, and without this a rate would never be reached."""


class Pace:
    """When the next items may pass."""

    __slots__ = ("_each", "next_at")

    def __init__(self, rate: float) -> None:
        self._each = 1 / rate
        """Seconds that an item takes; 0 without a bound."""
        self.next_at = -inf
        """Seconds, the clock of `pass_by`."""

    def pass_by(self, count: int, now: float) -> None:
        """So many items pass."""
        if self._each:
            is_on_time = now - self.next_at <= _LATENESS * self._each
            self.next_at = (self.next_at if is_on_time else now) + count * self._each
