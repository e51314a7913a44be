"""dora: a node for each unit, which is an OS process; `dora run` starts them and is the daemon between them.

    python -m beside.adapters.dora --node JOB_FILE PART

is what a node runs. Items travel as Arrow arrays. Queues are told to hold as many as the job says and to hold the
sender back (`queue_policy: backpressure`), except where a job wants what is there by default.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from beside.asked import main
from beside.job import Job

_SOURCE, _SINK = "source", "sink"


def run(job: Job) -> None:
    """Have `dora` run it, which logs to where this does. Raises RuntimeError where it failed."""
    folder = Path(job.folder)
    (folder / "job").write_text(job.told)
    names = [_SOURCE, *(f"unit{number}" for number in range(job.units)), _SINK]
    nodes = [_node(job, name, before) for name, before in zip(names, ["", *names[:-1]], strict=True)]
    (folder / "dataflow.yml").write_text(json.dumps({"nodes": nodes}))  # JSON is YAML
    command = [str(Path(sys.executable).with_name("dora")), "run", "dataflow.yml"]
    ended = subprocess.run(command, cwd=folder, check=False)  # noqa: S603 - from its own environment
    if ended.returncode:
        raise RuntimeError(f"dora ended with exit code {ended.returncode}")


def _node(job: Job, name: str, before: str) -> dict[str, Any]:
    args = f"-m beside.adapters.dora --node {job.folder}/job {name.removeprefix('unit')}"
    node: dict[str, Any] = {"id": name, "path": sys.executable, "args": args}
    if before:
        held = {} if job.defaults else {"queue_size": job.capacity, "queue_policy": "backpressure"}
        node["inputs"] = {"item": {"source": f"{before}/item", **held}}
    if name != _SINK:
        node["outputs"] = ["item"]
    return node


def be_a_node(job: Job, part: str) -> None:
    """One of the OS processes."""
    from dora import Node  # noqa: PLC0415 - a node finds its daemon when this is imported

    node = Node()
    if part == _SOURCE:
        for item in job.items():
            node.send_output("item", _arrow(job, item))
        return
    sink, unit = job.sink() if part == _SINK else None, job.unit(-1 if part == _SINK else int(part))
    for event in node:
        if event["type"] == "STOP":
            break
        if event["type"] == "INPUT":
            item = _item(job, event["value"])
            if sink:
                sink(item)
            else:
                node.send_output("item", _arrow(job, unit(item)))


def _arrow(job: Job, item: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - only in nodes

    return pa.array(item.reshape(-1) if "frame" in job.item else item if job.item == "batch" else [item])


def _item(job: Job, value: Any) -> Any:
    if "frame" in job.item:
        return value.to_numpy(zero_copy_only=True).reshape(job.shape)
    return value.to_pylist() if job.item == "batch" else value[0].as_py()


if __name__ == "__main__":
    if sys.argv[1] == "--node":
        be_a_node(Job.of(Path(sys.argv[2]).read_text()), sys.argv[3])
    else:
        main(run)
