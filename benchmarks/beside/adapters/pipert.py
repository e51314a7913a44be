"""PipeRT2: a routine for each unit, all in one flow (threads), or each in a flow of its own (an OS process).

Its queues drop what does not fit; they are told to block here (`put_block`), except where a job wants what is there by
default. It has no end of a stream: the run is over when nothing comes any more.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

from pipert2 import (
    KILL_EVENT_NAME,
    START_EVENT_NAME,
    Data,
    FPSRoutine,
    Pipe,
    QueueNetwork,
    SharedMemoryTransmitter,
    Wire,
)

from beside.asked import main
from beside.job import Job


class Source(FPSRoutine):
    """What the job says; returning None sends nothing."""

    def __init__(self, told: str, name: str) -> None:
        super().__init__(name)
        self._told = told
        self._items: Any = ()

    def setup(self) -> None:
        self._items = Job.of(self._told).items()

    def main_logic(self, _: Any) -> Data | None:
        for item in self._items:
            return _wrapped(item)
        time.sleep(0.01)  # it has ended, and is asked again and again
        return None


class Unit(FPSRoutine):
    """A unit of the job."""

    def __init__(self, told: str, number: int) -> None:
        super().__init__(f"unit{number}")
        self._unit = Job.of(told).unit(number)

    def main_logic(self, data: Data) -> Data:
        return _wrapped(self._unit(data.additional_data["item"]))


class Sink(FPSRoutine):
    """The sink of the job."""

    def __init__(self, told: str, name: str) -> None:
        super().__init__(name)
        self._sink = Job.of(told).sink()

    def main_logic(self, data: Data) -> None:
        self._sink(data.additional_data["item"])


def run(job: Job) -> None:
    """Frames between flows go through its shared memory."""
    network = QueueNetwork() if job.defaults else QueueNetwork(max_queue_sizes=job.capacity, put_block=True)
    shared = {"data_transmitter": SharedMemoryTransmitter()} if job.way == "processes" and "frame" in job.item else {}
    pipe = Pipe(network=network, **shared)
    units = [Unit(job.told, number) for number in range(job.units)]
    routines: list[FPSRoutine] = [Source(job.told, "source"), *units, Sink(job.told, "sink")]
    if job.way == "threads":
        pipe.create_flow("all", True, *routines)
    else:
        for routine in routines:
            pipe.create_flow(f"flow_{routine.name}", False, routine)
        for one, other in pairwise(routines):
            pipe.link(Wire(source=one, destinations=(other,)))
    pipe.build()
    pipe.notify_event(START_EVENT_NAME)
    try:
        job.wait_until_over()
    finally:
        pipe.notify_event(KILL_EVENT_NAME)
        pipe.join()


def _wrapped(item: Any) -> Data:
    data = Data()
    data.additional_data["item"] = item
    return data


if __name__ == "__main__":
    main(run)
