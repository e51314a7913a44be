"""Measures one way once, in an interpreter of its own, so that none sees what others left: threads, caches, garbage.

    python -m placed.one WAY MEASURE SETTINGS

WAY is a module, here or (with a dot) of another package. SETTINGS are JSON; prints as JSON what the measure returns, or
what came to the end of its chain.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from placed.arrivals import read

_LAST = 120.0
"""Seconds that one may take."""


def measure(way: str, what: str, *, python: str | Path = sys.executable, **settings: Any) -> Any:
    """Have it measured in a new interpreter. Raises RuntimeError where that failed, or took too long."""
    command = [str(python), "-m", "placed.one", way, what, json.dumps(settings)]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen(  # noqa: S603 - our own
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}, start_new_session=True
    ) as program:
        try:
            told, _ = program.communicate(timeout=_LAST)
        except BaseException:  # too late, or Ctrl-C: nothing of it may stay
            os.killpg(program.pid, signal.SIGKILL)
            raise
    if program.returncode:
        raise RuntimeError(f"{way}.{what} with {settings} ended with exit code {program.returncode}")
    return json.loads(told)


def main() -> None:
    """Measure."""
    way, what, told = sys.argv[1:]
    function, settings = getattr(import_module(way if "." in way else f"placed.{way}"), what), json.loads(told)
    if "file" not in inspect.signature(function).parameters:
        print(json.dumps(function(**settings)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "arrivals.json")
        function(file, **settings)
        print(json.dumps(read(file)))


if __name__ == "__main__":
    main()
