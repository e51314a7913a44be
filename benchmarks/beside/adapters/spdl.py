"""SPDL: a pipe for each unit; its functions run in a pool of threads, or of OS processes.

It is made to load data: units run in one OS process of their own each only where one insists, as here, and what they
give goes back to the main one each time. Failures are not tolerated (`max_failures=0`), where the default logs them.
"""

from __future__ import annotations

import multiprocessing as mp
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import Any

from spdl.pipeline import PipelineBuilder

from beside.asked import main
from beside.job import Job


def run(job: Job) -> None:
    """The sink iterates over the pipeline."""
    with ExitStack() as pools:
        builder: Any = PipelineBuilder().add_source(job.items())
        for number in range(job.units):
            pool = None
            if job.way == "processes":
                context = mp.get_context("forkserver")
                pool = pools.enter_context(ProcessPoolExecutor(job.workers, mp_context=context))
                pool.submit(os.getpid).result()  # it is there before the source begins
            builder.pipe(job.unit(number), concurrency=job.workers, executor=pool, output_order="input")
        builder.add_sink(*([] if job.defaults else [job.capacity]))
        pipeline = builder.build(num_threads=job.units * job.workers + 1, max_failures=0)
        sink = job.sink()
        with pipeline.auto_stop():
            for item in pipeline:
                sink(item)


if __name__ == "__main__":
    main(run)
