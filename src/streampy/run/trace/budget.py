"""How many items a second are traced, at most.

Pure: `now` is an argument.
"""

from __future__ import annotations

from typing import final


@final
class Budget:
    """A second's worth may be spent at once. One thread uses it."""

    def __init__(self, most: float) -> None:
        """Most: a second."""
        self._most = most
        self._left = most
        self._since = 0.0

    def spend(self, now: float) -> bool:
        """Whether one more may be traced, which is then counted."""
        self._left = min(max(1.0, self._most), self._left + (now - self._since) * self._most)
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
