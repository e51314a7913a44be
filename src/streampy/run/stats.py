"""What a running process tells of itself: immutable, with fixed names.

Knows nothing of how it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streampy.flow.ledger import Account
from streampy.flow.meter import Summary


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
    seconds: float
    """Since the start."""
