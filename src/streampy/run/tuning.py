"""What segments set for the whole interpreter while they run: a short GIL switch interval, and less garbage to look at.

With Python's own 5 ms one busy thread holds a chain of 12 up for 49 ms; a full collection takes 20 to 300 ms where
models are loaded. Both settings belong to the OS process, so the segments in it share them.
"""

from __future__ import annotations

import gc
import sys
from threading import Lock
from typing import Final, final

INTERVAL: Final = 0.0005
"""Seconds. It costs a busy thread 3 %; a tenth of a millisecond would cost it 12."""


@final
class Tuning:
    """In force from the first segment that starts to the last one that ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._before = sys.getswitchinterval()

    def begin(self) -> None:
        """A segment has started: what exists now is there to stay."""
        with self._lock:
            if self._users == 0:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(INTERVAL, self._before))
                gc.freeze()
            self._users += 1

    def end(self) -> None:
        """A segment has ended."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                sys.setswitchinterval(self._before)
                gc.unfreeze()


TUNING: Final = Tuning()
