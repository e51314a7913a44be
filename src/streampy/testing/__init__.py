"""For tests: a unit without a run, a whole process without waiting, what is left behind. Part of the product."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streampy.testing.clock import Clock
    from streampy.testing.faults import with_faults
    from streampy.testing.feeding import feed
    from streampy.testing.pipe_contract import check_pipe
    from streampy.testing.simulation import Simulated, simulate
    from streampy.testing.stuck import Stuck
    from streampy.testing.tokens import Cancel, Lost, Wait

_HOMES = {
    "Cancel": "tokens",
    "Clock": "clock",
    "Lost": "tokens",
    "Simulated": "simulation",
    "Stuck": "stuck",
    "Wait": "tokens",
    "check_pipe": "pipe_contract",
    "feed": "feeding",
    "simulate": "simulation",
    "with_faults": "faults",
}
"""Imported when asked for: the pytest plug-in lies here too, and must not cost every test run the whole of StreamPy."""

__all__ = ["Cancel", "Clock", "Lost", "Simulated", "Stuck", "Wait", "check_pipe", "feed", "simulate", "with_faults"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"streampy.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'streampy.testing' has no attribute {name!r}")
