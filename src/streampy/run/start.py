"""Starts a process: the one way in.

Knows nothing of how it runs; it does not even import that before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streampy.model.process import Process
from streampy.run.places.script import refuse_in_import

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.running import Running

_PATIENCE = 120.0
"""Seconds that the units may take to start: models are loaded then."""


def run(process: Process | Plan, *, start_within: float = _PATIENCE) -> Running:
    """Start a process; returns when all its units have started. Leaving the `with` block stops it.

    >>> from collections.abc import Iterator
    >>> import streampy as sp
    >>> def numbers(*, until: int) -> Iterator[int]:
    ...     yield from range(until)
    >>> def double(number: int) -> int:
    ...     return 2 * number
    >>> process = sp.Process("doubles").add("numbers", numbers, until=4).add("double", double, from_="numbers")
    >>> with sp.run(process) as running:
    ...     print(list(running.stream("double")))
    [0, 2, 4, 6]

    start_within: seconds. Raises ProcessError where the process can't be started as it is described, UnitFailed where
    a unit raises while it is made or started, Hung where one does not start in time; RunError where a script that is
    imported for its units in another OS process comes here, for want of `if __name__ == "__main__":`.
    """
    refuse_in_import()
    # Imported only now: half of what `import streampy` and `streampy --help` would cost.
    from streampy.model.check import make_plan  # noqa: PLC0415
    from streampy.run.backend import Backend  # noqa: PLC0415
    from streampy.run.running import Running  # noqa: PLC0415
    from streampy.run.segment import Segment  # noqa: PLC0415

    running = Running(Segment(make_plan(process) if isinstance(process, Process) else process, Backend()))
    running.start(start_within)
    return running
