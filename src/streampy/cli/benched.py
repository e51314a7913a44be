"""A process that is run to be measured: from when all its units have started until the time is up, or it ends.

Knows nothing of the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from queue import SimpleQueue
from typing import TYPE_CHECKING

from streampy.cli.cpu import cpu_seconds
from streampy.cli.system import System, Watched
from streampy.run.bottleneck import Finding, find_limit
from streampy.run.hogs import find_hogs
from streampy.run.shares import Share, shares
from streampy.run.start import run

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.stats import Hog, Stats


@dataclass(frozen=True)
class Measured:
    """Two looks at a process, and what follows from them."""

    plan: Plan
    before: Stats
    after: Stats
    cores: float
    """How many this OS process and those that it started kept busy."""

    @property
    def seconds(self) -> float:
        """From the one look to the other."""
        return max(self.after.seconds - self.before.seconds, 1e-9)

    @property
    def ends(self) -> dict[str, float]:
        """Items a second, for each unit at which items came to their end."""
        counts = {unit: latency.count - self.before.latency[unit].count for unit, latency in self.after.latency.items()}
        return {unit: count / self.seconds for unit, count in counts.items() if count}

    @property
    def rate(self) -> float:
        """Items a second at all ends together: more is better."""
        return sum(self.ends.values())

    @property
    def born(self) -> float:
        """Items a second, of all sources."""
        return (self.after.ledger.born - self.before.ledger.born) / self.seconds

    @cached_property
    def shares(self) -> dict[str, Share]:
        """What each unit did."""
        return shares(self.plan, self.before, self.after)

    @cached_property
    def finding(self) -> Finding:
        """What limits the rate."""
        return find_limit(self.plan, self.before, self.after)

    @cached_property
    def hogs(self) -> tuple[Hog, ...]:
        """Who keeps others waiting for the GIL."""
        return find_hogs(self.plan, self.before, self.after)


class Benched(Watched):
    """One process. Its thread starts it, and drains it when it was measured for `seconds`."""

    def __init__(
        self, file: str, plan: Plan, events: SimpleQueue[Watched | str], *, seconds: float, drain_timeout: float
    ) -> None:
        super().__init__(file, plan, events)
        self.measured: Measured | None = None
        """None until the time is up, or the process has ended."""
        self._seconds = seconds
        self._drain_timeout = drain_timeout
        self._before: Stats | None = None
        self._worked = 0.0

    def drain(self, timeout: float) -> None:
        """See `Watched.drain`. What comes afterwards is not measured: nothing is born any more."""
        self._look_again()
        super().drain(timeout)

    def _live(self) -> None:
        """See `Watched`; the time counts from when all units have started, for some load models first."""
        self.running = run(self.plan)
        self._worked, self._before = cpu_seconds(), self.running.stats()
        self._has_started.set()
        try:
            self.running.wait(self._seconds)
        except TimeoutError:
            self.drain(self._drain_timeout)
            self.running.wait()
        self._look_again()

    def _look_again(self) -> None:
        if self.running is None or self._before is None or self.measured is not None:
            return
        after = self.running.stats()
        seconds = max(after.seconds - self._before.seconds, 1e-9)
        self.measured = Measured(self.plan, self._before, after, (cpu_seconds() - self._worked) / seconds)

    def _watch(self) -> None:
        try:
            self._live()
        except BaseException as error:
            self.errors.append(error)
        finally:
            self._has_started.set()
            self._leave()


class Bench(System):
    """A system of one process that is measured."""

    def __init__(self, file: str, plan: Plan, *, seconds: float, drain_timeout: float) -> None:
        super().__init__({})
        self.benched = Benched(file, plan, self.events, seconds=seconds, drain_timeout=drain_timeout)
        self.processes.append(self.benched)
