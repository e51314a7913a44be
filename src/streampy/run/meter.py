"""What one worker counts of one unit.

One writer, its worker; anyone may read.
"""

from __future__ import annotations

from typing import NamedTuple

from streampy.flow.meter import Distribution, Recorded


class Counted(NamedTuple):
    """What a meter has counted since it was last asked, on its way to another OS process."""

    received: int
    emitted: int
    filtered: int
    failed: int
    retried: int
    work: Recorded


class UnitMeter:
    """Items, and seconds spent.

    Where each call is for one item (`counts_calls`), the calls are measured anyway, and need not be counted once more.
    A sink takes and does not give.
    """

    def __init__(self, *, counts_calls: bool, gives: bool) -> None:
        self.filtered = 0
        self.failed = 0
        self.retried = 0
        self.idle = 0.0
        self.work = Distribution()
        self._counts_calls = counts_calls
        self._gives = gives
        self._received = 0
        self._emitted = 0

    @property
    def received(self) -> int:
        """Items that the unit was called with."""
        return self.work.count + self.failed if self._counts_calls else self._received

    @property
    def emitted(self) -> int:
        """Items that it gave."""
        return self.work.count - self.filtered if self._counts_calls and self._gives else self._emitted

    def receive(self, count: int) -> None:
        """Count what comes, where the calls don't."""
        self._received += count

    def emit(self, count: int) -> None:
        """Count what goes, where the calls don't."""
        self._emitted += count

    @property
    def counts(self) -> tuple[int, int]:
        """What was counted item by item: to be put back where an item is given to another worker."""
        return self._received, self._emitted

    @counts.setter
    def counts(self, counts: tuple[int, int]) -> None:
        self._received, self._emitted = counts

    def take(self) -> Counted:
        """All that was counted, which is then no longer here: for `add` of another one."""
        taken = Counted(self._received, self._emitted, self.filtered, self.failed, self.retried, self.work.take())
        self._received = self._emitted = self.filtered = self.failed = self.retried = 0
        return taken

    def copy(self) -> Counted:
        """All that was counted; it stays here too. For any thread."""
        return Counted(self._received, self._emitted, self.filtered, self.failed, self.retried, self.work.copy())

    def add(self, counted: Counted) -> None:
        """What another one counted."""
        self._received += counted.received
        self._emitted += counted.emitted
        self.filtered += counted.filtered
        self.failed += counted.failed
        self.retried += counted.retried
        self.work.add(counted.work)
