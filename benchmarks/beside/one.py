"""One way does one job, alone, in an interpreter and an environment of its own; and what that left and cost.

Knows nothing of what is asked, nor of what becomes of it. Linux only: what an OS process leaves behind becomes a child
of whoever measures, so that nothing escapes, and all of it is put out.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from beside.job import Job
from beside.notes import read
from placed.looks import family, pss_of

_ROOT = Path(__file__).parents[2]
_SET_CHILD_SUBREAPER = 36
_SHARED = Path("/dev/shm")  # noqa: S108 - it is where shared memory lies
_SOME = 20
"""Items that have arrived before something is done to a run."""
_BETWEEN = 0.01
"""Seconds between two looks at a run."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one run left. Times are `time.monotonic` seconds."""

    arrived: list[list[tuple[float, float]]]
    """For each stream when each item came, and what the sink noted of it."""
    sent: list[float]
    """When each item was sent, of the first stream; of small items as fast as possible that is not noted."""
    began: float
    """When the adapter was asked to run; 0: it never was."""
    told: dict[str, float] = field(default_factory=dict)
    """What the peer itself tells."""
    raised: str = ""
    """The error that came out of the adapter's `run`, with its traceback."""
    said: str = ""
    """What it wrote to its stdout and stderr."""
    code: int | None = None
    """Of its exit; None: it was put out, because it took too long."""
    cpu: float = 0.0
    """Seconds, of all its OS processes, from start to end."""
    peak: int = 0
    """Bytes: the largest sum of the PSS of all its OS processes that was seen."""
    stopped: float | None = None
    """Seconds from what was done to it until it had ended; None: it had not within the limit."""
    ran_on: bool = False
    """Whether items still arrived long after what was done to it."""
    left: int = 0
    """OS processes of it that lived a second later."""

    @property
    def why(self) -> str:
        """In a line, why there is nothing; "": there is."""
        if any(self.arrived):
            return ""
        lines = (self.raised or self.said).strip().splitlines()
        return (lines[-1][:160] if lines else "nothing arrived") if self.code != 0 or lines else "nothing arrived"


def adopt_orphans() -> None:
    """Have whatever a run leaves behind become a child of this OS process."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(python: Path, adapter: str, job: Job, *, limit: float, fault: str = "", look: float = 0.5) -> Found:
    """Have an adapter do a job.

    limit: seconds after which it is put out; with a fault, after that. fault: raise | kill | interrupt.
    look: seconds between two looks at its memory.
    """
    with tempfile.TemporaryDirectory(prefix="sp", ignore_cleanup_errors=True) as folder:
        job = replace(job, folder=folder)
        before, shared = _cpu_of_children(), set(_SHARED.iterdir())
        with (Path(folder) / "output").open("w+b") as output:
            program = subprocess.Popen(  # noqa: S603 - our own
                [str(python), "-m", f"beside.adapters.{adapter}", job.told],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, env=_environment(folder),
                start_new_session=True,
            )  # fmt: skip
            seen: set[int] = set()
            try:
                peak, done_at, stopped = _watch(program, job, limit, fault, look, seen)
                left = _left() if fault else 0
            finally:
                code = program.poll()
                _put_out(program)
                _sweep(seen, set() if adapter != "dora" else set(_SHARED.glob("*.zenoh")) - shared)
        return _found(job, code, _cpu_of_children() - before, peak, done_at, stopped, left)


def _environment(folder: str) -> dict[str, str]:
    paths = [str(_ROOT / "benchmarks"), str(_ROOT / "src")]
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": folder, **quiet}


def _watch(
    program: subprocess.Popen[bytes], job: Job, limit: float, fault: str, look: float, seen: set[int]
) -> tuple[int, float, float | None]:
    """Until it has ended, or too long. Gives the peak of its memory, when a fault was done, how long after it ended."""
    until, peak, next_look, done_at = time.monotonic() + 60.0 + limit, 0, 0.0, 0.0
    while program.poll() is None and time.monotonic() < until:
        if fault and not done_at and (done_at := _do(fault, program, job)):
            until = time.monotonic() + limit
        if time.monotonic() >= next_look:
            pids = family()[1:]
            seen.update(pids)
            peak = max(peak, sum(map(pss_of, pids)))
            next_look = time.monotonic() + look
        time.sleep(_BETWEEN)
    ended = time.monotonic() if program.poll() is not None else None
    if fault == "raise" and ended and not done_at:  # it was over before that was seen
        done_at = _do(fault, program, job)
    return peak, done_at, ended - done_at if ended and done_at else None


def _do(fault: str, program: subprocess.Popen[bytes], job: Job) -> float:
    """Do it when it is time; gives when it was done, or 0."""
    if fault == "raise":
        noted = read(Path(job.folder) / "fault")
        return noted[0][0] if noted else 0.0
    if not job.has_arrived(_SOME):
        return 0.0
    if fault == "interrupt":
        os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to all that have not left its group
    else:
        os.kill(int((Path(job.folder) / "pid").read_text()), signal.SIGKILL)
    return time.monotonic()


def _left() -> int:
    """How many of its OS processes live a second after it has ended."""
    until = time.monotonic() + 1.0
    while len(family()) > 1 and time.monotonic() < until:
        _reap()
        time.sleep(_BETWEEN)
    return len(family()) - 1


def _put_out(program: subprocess.Popen[bytes]) -> None:
    while others := family()[1:]:
        for pid in others:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            program.wait(timeout=_BETWEEN)
        _reap()
    program.wait()


def _sweep(pids: set[int], known: set[Path]) -> None:
    """Remove what they left in shared memory: what is known to be theirs, or bears the number of one in its name."""
    for file in _SHARED.iterdir():
        if file in known or pids & set(map(int, re.findall(r"\d+", file.name))):
            file.unlink(missing_ok=True)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _found(
    job: Job, code: int | None, cpu: float, peak: int, done_at: float, stopped: float | None, left: int
) -> Found:
    folder = Path(job.folder)
    streams = sorted(folder.glob("stream*")) if job.streams > 1 else [folder]
    told: dict[str, Any] = json.loads((folder / "told").read_text()) if (folder / "told").is_file() else {}
    arrived = [read(stream / "arrived") for stream in streams]
    last = max((notes[-1][0] for notes in arrived if notes), default=0.0)
    return Found(
        arrived=arrived,
        ran_on=bool(done_at) and last > done_at + 1.0,
        sent=[at for at, _ in read(folder / "sent")],
        began=told.get("began", 0.0),
        told=told.get("found") or {},
        raised=told.get("raised", ""),
        said=(folder / "output").read_bytes().decode(errors="replace"),
        code=code, cpu=cpu, peak=peak, stopped=stopped, left=left,
    )  # fmt: skip
