"""What units do that need no library: nothing, or hold the GIL for a while.

Knows nothing of who calls.
"""

from __future__ import annotations

import time


def same(number: int) -> int:
    """Do nothing."""
    return number


def spin(number: int, *, loops: int) -> int:
    """Hold the GIL, and one core, for so many turns of a loop."""
    for _ in range(loops):
        pass
    return number


def loops_of(seconds: float) -> int:
    """How many turns of the loop in `spin` take so long here: the quickest of some tries."""
    tried, best = 200_000, float("inf")
    for _ in range(9):
        start = time.perf_counter()
        spin(0, loops=tried)
        best = min(best, time.perf_counter() - start)
    return int(tried * seconds / best)
