"""What the kernel tells of OS processes: CPU time, and whose memory is whose.

Knows nothing of what they do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

_PROC = Path("/proc")
_FIELD = re.compile(r"^(\w+): +(\d+) kB", re.MULTILINE)


class Cost(TypedDict):
    """Of all OS processes together."""

    cpu: float
    """Seconds."""
    wakings: int
    """How often any thread of theirs went to sleep."""
    count: int
    """Of OS processes."""


class Memory(TypedDict):
    """Of one OS process: bytes."""

    name: str
    rss: int
    """All that it has mapped in; what it shares with others is counted in each of them."""
    pss: int
    """As `rss`, what is shared divided by how many share it: the sum over all is what they take together."""
    uss: int
    """What nobody else has: so much would become free if it ended."""
    parts: dict[str, int]
    """The USS by what it is for."""


def family() -> list[int]:
    """This OS process, and all that descend from it."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cost_while(wait: Callable[[], object]) -> Cost:
    """What all OS processes of the family use meanwhile."""
    pids = family()
    before = [_used(pid) for pid in pids]
    wait()
    after = [_used(pid) for pid in pids]
    cpu, wakings = (sum(b[i] - a[i] for a, b in zip(before, after, strict=True)) for i in (0, 1))
    return Cost(cpu=cpu, wakings=int(wakings), count=len(pids))


def _used(pid: int) -> tuple[float, int]:
    nanoseconds, wakings = 0, 0
    for task in (_PROC / str(pid) / "task").iterdir():  # `stat` counts in hundredths of a second
        nanoseconds += int((task / "schedstat").read_text().split()[0])
        status = (task / "status").read_text()
        wakings += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return nanoseconds / 1e9, wakings


def pss_of(pid: int) -> int:
    """Bytes of one OS process, what it shares divided by how many share it; 0 where it has just ended."""
    try:
        return _fields((_PROC / str(pid) / "smaps_rollup").read_text())["Pss"]
    except (FileNotFoundError, ProcessLookupError, KeyError):
        return 0


def memory_of_all() -> dict[str, Memory]:
    """Of all OS processes of the family, by pid: this one first, then as they came."""
    return {str(pid): memory_of(pid) for pid in family()}


def memory_of(pid: int) -> Memory:
    """Of one."""
    place = _PROC / str(pid)
    whole = _fields((place / "smaps_rollup").read_text())
    return Memory(
        name=(place / "comm").read_text().strip(),
        rss=whole["Rss"],
        pss=whole["Pss"],
        uss=_own(whole),
        parts=_parts((place / "smaps").read_text()),
    )


def _parts(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for area in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", text)[1:]:
        line, _, rest = area.partition("\n")
        kind = _kind(line.split(maxsplit=5)[5:])
        found[kind] = found.get(kind, 0) + _own(_fields(rest))
    return {kind: size for kind, size in found.items() if size}


def _kind(name: list[str]) -> str:
    """What a mapping is for, by its name."""
    if not name:
        return "Python objects, stacks of threads"
    path = name[0]
    if path == "[heap]":
        return "heap of C"
    if path.startswith("["):
        return "stack"
    if "streampy" in path:
        return "shared memory"
    return "data of libraries" if ".so" in path or "python" in path else "other files"


def _fields(text: str) -> dict[str, int]:
    return {name: 1024 * int(size) for name, size in _FIELD.findall(text)}


def _own(fields: dict[str, int]) -> int:
    return fields["Private_Clean"] + fields["Private_Dirty"]
