"""Who holds the GIL, concluded from what is seen of the threads at one moment after another.

Pure. Knows nothing of how it is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from streampy.flow.meter import Distribution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOBODY: Final = ""
"""In place of a unit: a thread that is no worker, or a worker's between two units."""
_DOUBT: Final = 0.02
"""The least suspicion."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a thread did around a moment."""

    unit: str
    """That it calls, or NOBODY."""
    ran: float
    """Of the time since the moment before it had the CPU: 0..1."""
    runs_without: bool
    """Whether it ran on while the onlooker held the GIL, as NumPy does, or zlib: then it was not the holder."""


@final
class Suspicion:
    """How much of what each unit runs it runs with the GIL.

    One moment says little of a unit that was not seen to run without: it may have waited for the CPU just then.
    """

    def __init__(self) -> None:
        self._ran: dict[str, float] = {}
        self._without: dict[str, float] = {}

    def learn(self, threads: Sequence[Seen]) -> None:
        """At this moment it was seen who runs without the GIL."""
        for one in threads:
            self._ran[one.unit] = self._ran.get(one.unit, 0.0) + one.ran
            self._without[one.unit] = self._without.get(one.unit, 0.0) + one.runs_without

    def of(self, unit: str) -> float:
        """0..1, and never 0: it may have had the GIL just before it was looked at."""
        ran = self._ran.get(unit, 0.0)
        return max(_DOUBT, 1.0 - self._without[unit] / ran) if ran > 0 else 1.0


def blame(threads: Sequence[Seen], suspicion: Suspicion | None) -> dict[str, float]:
    """For each unit how likely it was the one that held the GIL, 0..1; together 1, or nothing where nobody ran.

    suspicion: None where there is nobody but one who can have been it.
    """
    weights = [one.ran * (1.0 if suspicion is None else suspicion.of(one.unit)) for one in threads]
    total = sum(weights)
    shares: dict[str, float] = {}
    for one, weight in zip(threads, weights, strict=True):
        if weight > 0:
            shares[one.unit] = shares.get(one.unit, 0.0) + weight / total
    return shares


@final
class Held:
    """How long each unit held the GIL, by samples. One writer; anyone may read."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._suspicion = Suspicion()
        self.waits = Distribution()
        """Seconds that a thread which needs the GIL waits for it; 0 where it was free."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """Of each unit."""
        return self._seconds.copy()

    def add(self, seconds: float, wait: float, threads: Sequence[Seen], *, is_close: bool) -> None:
        """At a random moment the GIL was held, and the onlooker waited for it.

        seconds: for which the moment stands. wait: seconds until the onlooker had it.
        is_close: whether it was looked who runs without the GIL.
        """
        self.waits.record(wait)
        if is_close:
            self._suspicion.learn(threads)
        for unit, share in blame(threads, self._suspicion if is_close else None).items():
            self._seconds[unit] = self._seconds.get(unit, 0.0) + share * seconds

    def add_free(self) -> None:
        """At a random moment the GIL was free."""
        self.waits.record(0.0)
