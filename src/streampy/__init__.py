"""StreamPy: near-realtime dataflow. The public names; no logic in here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streampy.errors import Hung, ItemLost, Problem, ProcessError, RunError, StreamPyError, UnitFailed, WorkerDied
from streampy.model.item import Batch, Header, Item, Latest
from streampy.model.outputs import Outputs
from streampy.model.pipe import Join, OnCrash, OnError, Pipe
from streampy.model.process import Process
from streampy.model.unit import Unit, event, unit
from streampy.run.start import run
from streampy.run.worker import Worker, worker

if TYPE_CHECKING:
    from streampy import testing
    from streampy.memory.empty import empty
    from streampy.memory.region import NoSharedMemory
    from streampy.model.load import load
    from streampy.run.running import Running

__all__ = [
    "Batch",
    "Header",
    "Hung",
    "Item",
    "ItemLost",
    "Join",
    "Latest",
    "NoSharedMemory",
    "OnCrash",
    "OnError",
    "Outputs",
    "Pipe",
    "Problem",
    "Process",
    "ProcessError",
    "RunError",
    "Running",
    "StreamPyError",
    "Unit",
    "UnitFailed",
    "Worker",
    "WorkerDied",
    "empty",
    "event",
    "load",
    "run",
    "testing",
    "unit",
    "worker",
]

_WHEN_ASKED_FOR = {
    "NoSharedMemory": "streampy.memory.region",
    "Running": "streampy.run.running",
    "empty": "streampy.memory.empty",
    "load": "streampy.model.load",
}
"""What a module that only declares units, and `streampy --help`, can do without: half of the time of the import."""


def __getattr__(name: str) -> Any:
    if name == "testing":
        return import_module("streampy.testing")
    if name in _WHEN_ASKED_FOR:
        return getattr(import_module(_WHEN_ASKED_FOR[name]), name)
    raise AttributeError(f"module 'streampy' has no attribute {name!r}")
