"""PyPipeline: a cell for each unit, in a scalable cell of its own, cloned into a thread or into a Ray actor.

It pulls: the main thread asks the sink, which asks the cell before it, and so on to the source.
"""

from __future__ import annotations

import logging
from typing import Any

from pypipeline.cell import ASingleCell, Pipeline, RayCloneCell, ScalableCell, ThreadCloneCell
from pypipeline.cellio import Input, InputPort, Output, OutputPort
from pypipeline.connection import Connection

from beside.asked import main
from beside.job import Job

logging.getLogger("pypipeline").setLevel(logging.ERROR)


class Source(ASingleCell):
    """What the job says. StopIteration is its end of a stream."""

    def __init__(self, parent: Any, told: str) -> None:
        super().__init__(parent, "source")
        self.output: Output[Any] = Output(self, "output")
        self._told = told
        self._items: Any = None

    def _on_pull(self) -> None:
        if self._items is None:
            self._items = Job.of(self._told).items()
        self.output.set_value(next(self._items))


class Unit(ASingleCell):
    """A unit of the job."""

    def __init__(self, parent: Any, name: str, told: str, number: int) -> None:
        super().__init__(parent, name)
        self.input: Input[Any] = Input(self, "input")
        self.output: Output[Any] = Output(self, "output")
        self._told, self._number = told, number
        self._unit = Job.of(told).unit(number)

    def clone(self, new_parent: Any) -> Unit:
        return Unit(new_parent, self.get_name(), self._told, self._number)

    def _on_pull(self) -> None:
        self.output.set_value(self._unit(self.input.pull()))


class Scaled(ScalableCell):
    """Where one of them is cloned."""

    def __init__(self, parent: Any, job: Job, number: int) -> None:
        super().__init__(parent, f"scaled{number}")
        self.input: InputPort[Any] = InputPort(self, "input")
        self.output: OutputPort[Any] = OutputPort(self, "output")
        unit = Unit(self, f"unit{number}", job.told, number)
        Connection(self.input, unit.input)
        Connection(unit.output, self.output)
        if not job.defaults:
            self.config_queue_capacity.set_value(job.capacity)
        method = RayCloneCell if job.way == "processes" else ThreadCloneCell
        self.scale_up(times=job.workers, method=method)


class Sink(ASingleCell):
    """The sink of the job."""

    def __init__(self, parent: Any, job: Job) -> None:
        super().__init__(parent, "sink")
        self.input: Input[Any] = Input(self, "input")
        self._sink = job.sink()

    def _on_pull(self) -> None:
        self._sink(self.input.pull())


def run(job: Job) -> None:
    """Pull until the source has no more."""
    if job.way == "processes":
        import ray  # noqa: PLC0415 - threads need it not

        ray.init(
            num_cpus=job.units * job.workers + 1,
            include_dashboard=False,
            _temp_dir=f"{job.folder}/ray",
            log_to_driver=False,
        )
    pipeline = Pipeline(None, "pipeline")
    before = Source(pipeline, job.told).output
    for number in range(job.units):
        scaled = Scaled(pipeline, job, number)
        Connection(before, scaled.input)
        before = scaled.output
    Connection(before, Sink(pipeline, job).input)
    pipeline.deploy()
    try:
        while True:
            pipeline.pull()
    except StopIteration:
        pass
    finally:
        pipeline.undeploy()


if __name__ == "__main__":
    main(run)
