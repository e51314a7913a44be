"""The floor between OS processes: `placed/floor.py`, which is no framework at all.

It goes by counts, not by a clock, so there are as many items as fill about the time that a job asks for.
"""

from __future__ import annotations

import time
from pathlib import Path

from beside.asked import main
from beside.job import Job
from beside.notes import Notes
from placed import arrivals, floor
from placed.spins import spin

_SINGLY, _BATCHED, _FRAMES = 40_000, 1_500_000, 2_500
"""Items a second that it carries here, about."""


def run(job: Job) -> dict[str, float] | None:
    """Do the nearest thing to it that there is."""
    if job.does == "spin":
        begin = time.monotonic()
        spin(0, loops=job.loops)
        items = int(job.seconds / (time.monotonic() - begin)) * job.workers
        return {"rate": floor.pool(items=items, loops=job.loops, workers=job.workers)}
    file = str(Path(job.folder) / "floor")
    if job.item == "frame" and job.units == floor.UNITS:
        floor.latency(file, seconds=job.seconds, rate=job.rate)
    elif job.item == "frame":
        floor.throughput(file, count=int(job.seconds * _FRAMES), writes=False)
    else:
        a_second = _SINGLY if job.size == 1 else _BATCHED
        floor.small(file, items=int(job.seconds * a_second) // job.size * job.size, size=job.size)
    found = arrivals.read(file)
    notes = Notes(str(Path(job.folder) / "arrived"), len(found))
    for at, what in found:
        notes.note(what, at)
    return None


if __name__ == "__main__":
    main(run)
