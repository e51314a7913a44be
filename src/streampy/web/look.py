"""A process that runs here as a snapshot, as its control would tell it but for the plan, whether or not it has one.

Knows nothing of who reads it.
"""

from __future__ import annotations

import os
import socket
from importlib.metadata import version
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from streampy.run.control.figures import Figures

if TYPE_CHECKING:
    from streampy.run.running import Running


def snapshot_of(running: Running, *, segment: str = "", replica: int = 0) -> dict[str, Any]:
    """As of now; of another OS process that does not answer at once, as of its last answer."""
    inside = running._segment
    return {
        "process": inside.plan.name,
        "segment": segment,
        "replica": replica,
        "pid": os.getpid(),
        "run": os.getpid(),
        "host": socket.gethostname(),
        "version": version("streampy"),
        "state": inside.state,
        "started": time() - (monotonic() - inside.started),
        "stats": Figures(running).take(),
    }
