"""What one worker counts of one unit.

One writer, its worker; anyone may read.
"""

from __future__ import annotations

from streampy.flow.meter import Distribution


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
