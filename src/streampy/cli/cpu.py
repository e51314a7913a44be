"""How much the OS processes of a run have computed: this one, and all that came from it.

Knows nothing of who they are.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Final

_PARENT: Final = 1
_TIMES: Final = slice(11, 15)
"""In what stands behind the name in `/proc/PID/stat`: its own times, and those of its children that have ended."""


def cpu_seconds() -> float:
    """Of this OS process, and of all that it has started, whether they live or have ended, and what these started."""
    ended = sum(used.ru_utime + used.ru_stime for used in (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)))
    living = _living()
    ticks, found = 0, [os.getpid()]
    while found:
        parent = found.pop()
        for pid, (its_parent, its_ticks) in living.items():
            if its_parent == parent:
                ticks += its_ticks
                found.append(pid)
    return ended + ticks / os.sysconf("SC_CLK_TCK")


def _living() -> dict[int, tuple[int, int]]:
    """Of each OS process its parent, and the ticks that it has computed."""
    living = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended just now
            fields = path.read_text().rpartition(")")[2].split()
            living[int(path.parent.name)] = int(fields[_PARENT]), sum(map(int, fields[_TIMES]))
    return living
