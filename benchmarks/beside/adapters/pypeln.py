"""pypeln: a stage for each unit, of threads (`pl.thread`) or OS processes (`pl.process`), or in turn (`pl.sync`)."""

from __future__ import annotations

from typing import Any

import pypeln as pl

from beside.asked import main
from beside.job import Job


def run(job: Job) -> None:
    """The sink iterates over the last stage, as its docs do."""
    kind: Any = {"threads": pl.thread, "processes": pl.process, "sync": pl.sync}[job.way]
    held = {} if job.defaults else {"maxsize": job.capacity}
    stage: Any = job.items()
    for number in range(job.units):
        stage = kind.map(job.unit(number), stage, workers=job.workers, **held)
    sink = job.sink()
    for item in stage:
        sink(item)


if __name__ == "__main__":
    main(run)
