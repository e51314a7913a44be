"""How far the monotonic clock of another machine is from this one's.

Knows nothing of how the times got here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, final

_DRIFT: Final = 1e-4
"""Seconds by which two clocks part in a second, at most: quartz does a tenth of it."""


class Trip(NamedTuple):
    """A question and its answer; all in seconds."""

    sent: float
    """By the clock here."""
    there: float
    """When it was answered, by the clock there."""
    back: float
    """By the clock here."""

    @property
    def took(self) -> float:
        """Seconds there and back."""
        return self.back - self.sent


class Offset(NamedTuple):
    """Their clock less ours; `theirs - seconds` is a time of theirs by the clock here."""

    seconds: float = 0.0
    error: float = 0.0
    """It is off by at most this: half the trip, however unevenly that was shared between the two ways."""

    @property
    def reversed(self) -> Offset:
        """As the other end sees it."""
        return Offset(-self.seconds, self.error)


def estimate(trips: Iterable[Trip]) -> Offset:
    """From the quickest of the trips: the slow ones waited somewhere, and nobody knows on which way."""
    best = min(trips, key=lambda trip: trip.took)
    return Offset(best.there - (best.sent + best.back) / 2, best.took / 2)


@final
class Clock:
    """The other end's clock, for as long as the two know each other: they part slowly, so it is measured again."""

    __slots__ = ("_since", "offset")

    def __init__(self, offset: Offset, now: float) -> None:
        self.offset = offset
        self._since = now

    def learn(self, trip: Trip) -> None:
        """Believe this trip where it says more than what is known, which is less with each second that has passed."""
        found = estimate([trip])
        if found.error <= self.offset.error + _DRIFT * (trip.back - self._since):
            self.offset, self._since = found, trip.back
