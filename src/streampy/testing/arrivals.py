"""Turns the inputs of a test into what arrives, and when: each input has a time line of its own.

Pure. Knows nothing of units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streampy.model.item import Header
from streampy.testing.tokens import Wait


class Arrival(NamedTuple):
    """A value, or `Lost()` or `Cancel()`, at an input."""

    time: float
    """Seconds since the start."""
    port: str
    header: Header
    value: Any


def arrivals(inputs: Mapping[str, Iterable[Any]], start: float) -> list[Arrival]:
    """All that arrives, in the order of time; of what comes at once, the n-th values of the inputs before the next."""
    found: list[tuple[float, int, int, str, Any]] = []
    born: dict[int, float] = {}
    for place, (port, values) in enumerate(inputs.items()):
        time, seq = start, 0
        for value in values:
            if isinstance(value, Wait):
                time += value.seconds
                continue
            found.append((time, seq, place, port, value))
            born[seq] = min(time, born.get(seq, time))
            seq += 1
    found.sort(key=lambda one: one[:3])
    return [Arrival(time, port, Header("feed", seq, born[seq]), value) for time, seq, _, port, value in found]
