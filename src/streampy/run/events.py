"""Whether an event is there, wherever it is fired.

Knows nothing of who handles it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streampy.errors import StreamPyError
from streampy.model.suggest import did_you_mean


def check_event(unit: str, event: str, known: Mapping[str, Collection[str]]) -> None:
    """Raises StreamPyError where there is no such unit, or it has no such event. known: the events of units."""
    if unit not in known:
        raise StreamPyError(f"there is no unit {unit!r}{did_you_mean(unit, known)}")
    if event not in known[unit]:
        hint = did_you_mean(event, known[unit]) if known[unit] else "; it has none"
        raise StreamPyError(f"{unit!r} has no event {event!r}{hint}")
