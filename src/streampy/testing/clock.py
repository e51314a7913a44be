"""A clock that is moved by hand.

Knows nothing of who looks at it.
"""

from __future__ import annotations


class Clock:
    """Stands still until it is moved. Give it to `feed`, or its `now` to whatever asks for the time.

    >>> clock = Clock()
    >>> clock.move(0.5)
    >>> clock.now()
    0.5
    """

    def __init__(self, start: float = 0.0) -> None:
        """Start at so many seconds."""
        self._seconds = start

    def __repr__(self) -> str:
        return f"<Clock at {self._seconds:g} s>"

    def now(self) -> float:
        """Seconds."""
        return self._seconds

    def move(self, seconds: float) -> None:
        """Let so many seconds pass. Raises ValueError for less than none: time does not go back."""
        if seconds < 0:
            raise ValueError(f"got {seconds:g} s, expected 0 or more: time does not go back")
        self._seconds += seconds

    def move_to(self, seconds: float) -> None:
        """Let time pass until then; none where it is later already."""
        self._seconds = max(self._seconds, seconds)
