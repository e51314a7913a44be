"""What one worker counts of one unit.

One writer, its worker; anyone may read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from streampy.flow.meter import Distribution


@dataclass(slots=True)
class UnitMeter:
    """Items, and seconds spent."""

    received: int = 0
    emitted: int = 0
    filtered: int = 0
    failed: int = 0
    retried: int = 0
    idle: float = 0.0
    in_hand: int = 0
    """Items that were taken and are not yet done."""
    work: Distribution = field(default_factory=Distribution)
