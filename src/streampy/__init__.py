"""StreamPy: near-realtime dataflow. The public names; no logic in here."""

from importlib import import_module
from typing import TYPE_CHECKING

from streampy.errors import Hung, ItemLost, Problem, ProcessError, RunError, StreamPyError, UnitFailed, WorkerDied
from streampy.model.item import Batch, Header, Item, Latest
from streampy.model.load import load
from streampy.model.outputs import Outputs
from streampy.model.pipe import Join, OnError, Pipe
from streampy.model.process import Process
from streampy.model.unit import Unit, unit
from streampy.run.running import Running, run
from streampy.run.worker import Worker, worker

if TYPE_CHECKING:
    from types import ModuleType

    from streampy import testing

__all__ = [
    "Batch",
    "Header",
    "Hung",
    "Item",
    "ItemLost",
    "Join",
    "Latest",
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
    "load",
    "run",
    "testing",
    "unit",
    "worker",
]


def __getattr__(name: str) -> "ModuleType":
    """`streampy.testing` is imported when it is first asked for: a process that runs doesn't need it."""
    if name == "testing":
        return import_module("streampy.testing")
    raise AttributeError(f"module 'streampy' has no attribute {name!r}")
