"""What a running process tells of itself: immutable, with fixed names.

Knows nothing of how it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streampy.flow.ledger import Account
from streampy.flow.meter import Summary
from streampy.model.measure import format_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStats:
    """One unit, all its workers together. Times are seconds, added up over the workers."""

    received: int
    emitted: int
    filtered: int
    failed: int
    retried: int
    busy: float
    """In the unit's own code."""
    idle: float
    """Waiting for items: near the running time = starved."""
    blocked: float
    """Waiting for room in the pipes that follow: near the running time = what follows is too slow."""
    gil: float
    """The share of the time since the start in which it held the GIL of its OS process: 0..1, by samples.

    Near 1 = all others had to wait for it. What runs without the GIL, as NumPy and zlib do, does not count. 0 in a
    simulation, where nobody waits for the GIL, and where the system does not tell (it must be Linux).
    """
    workers: int
    work: Summary
    """Seconds that one call took; for a unit that yields, all that it did for one item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeStats:
    """One pipe. Counts are items."""

    depth: int
    high_water: int
    received: int
    delivered: int
    dropped: int
    expired: int
    wait: Summary
    """Seconds that an item waited in it."""
    batch: Summary
    """Items in a batch."""
    overloaded: bool
    """Whether it is full now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hog:
    """A unit in `main` that keeps the others waiting for the GIL; as text, one sentence with the advice."""

    unit: str
    gil: float
    """The share of the time in which it held the GIL: 0..1."""
    others: tuple[str, ...]
    """The first units of the threads that had to wait."""
    wait: float
    """Seconds that these waited each time, on the average."""

    def __str__(self) -> str:
        held = f"{self.unit} holds the GIL {self.gil:.0%} of the time"
        threads = f"{len(self.others)} other thread{'' if len(self.others) == 1 else 's'}"
        return f"{held}, and {threads} in main waited for it, {format_duration(self.wait)} each time; {self.advice}"

    @property
    def advice(self) -> str:
        """What would help."""
        return f"an OS process of its own for {self.unit} (`place: own`) would help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """A process, as of now."""

    units: Mapping[str, UnitStats]
    pipes: Mapping[str, PipeStats]
    """By `unit.port`. A fused unit has none: nothing waits there."""
    latency: Mapping[str, Summary]
    """Seconds from birth to delivery, for each unit at which items come to their end."""
    ledger: Account
    expected: int | None
    """How many items the sources said they would emit; None where one didn't say."""
    gil_wait: Summary
    """Seconds that a thread which needs the GIL waits for it; 0 where it was free. By samples, as `UnitStats.gil`."""
    hogs: tuple[Hog, ...]
    """The units that should be placed `own`, since they held the GIL for most of the time so far; the worst first."""
    seconds: float
    """Since the start."""
