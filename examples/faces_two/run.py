"""The run: a camera server and all segments are started, one after the other is killed, and all goes on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from examples.faces import clip, runs
from examples.faces.setup import Files
from examples.faces_two import judge, looking

import streampy as sp
from streampy.units.video import FaceDatabase

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_PATIENCE = 60.0
"""Seconds in which the next thing must have happened."""
_DARK = 1.0
"""Seconds for which no camera server is there."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How it went."""

    told: dict[str, Any]
    """The JSON at the end of `streampy run --json`."""
    seconds: float
    sizes: list[str]
    """Of the pictures that a browser showed; none where there is no browser."""


def enrol(files: Files, database: str) -> None:
    """Put everybody who is known into the database, as the example in one segment does."""
    os.environ.update(runs.environment(files, DATABASE=database))
    with sp.run(sp.load(_ROOT / "examples" / "faces" / "enrol.yaml")) as running:
        running.wait()


def run(files: Files, database: str, *, frames: int, port: int) -> Ran:
    """Run to the end. frames: of each camera. port: where a browser sees it; 0 for any."""
    files.metadata.unlink(missing_ok=True)
    dataset_of(files).unlink(missing_ok=True)
    port = port or _free_port()
    url = f"http://127.0.0.1:{port}/"
    with ExitStack() as stack:
        rtsp = _free_port()
        cameras = stack.enter_context(_camera_server(files, rtsp))
        begin = time.monotonic()
        fleet = stack.enter_context(_fleet(files, database, rtsp, frames=frames, port=port))
        _await_frames(files, fleet, frames // 3)
        print(f"a browser sees it at {url}", flush=True)
        view = stack.enter_context(looking.looked_at(url))
        sizes = view.await_pictures(len(clip.CAMERAS)) if view else []
        print("the camera server is killed", flush=True)
        cameras.kill()
        cameras.wait()
        time.sleep(_DARK)
        stack.enter_context(_camera_server(files, rtsp))
        print("the camera server is back", flush=True)
        _await_frames(files, fleet, _frames(files) + frames // 6)
        if view:
            view.await_names(runs.ENROLLED, at_once=2)
            view.screenshot(files.out / "page.jpg")
        pid, killed = next((pid, name) for pid, name in segments_of(fleet.pid).items() if name != "edge")
        print(f"a replica of {killed} is killed, with what it has in its hands", flush=True)
        os.kill(pid, signal.SIGKILL)
        if view:
            view.await_change()
        said, _ = fleet.communicate()
        return Ran(json.loads(said.splitlines()[-1]), time.monotonic() - begin, sizes)


@contextmanager
def _camera_server(files: Files, port: int) -> Iterator[subprocess.Popen[str]]:
    clips = [str(files.clips / f"{camera}.mp4") for camera in clip.CAMERAS]
    command = [sys.executable, "-m", "examples.faces_two.rtsp", "--port", str(port), *clips]
    with _program(command, {}) as program:
        _line(program.stdout)
        yield program


@contextmanager
def _fleet(files: Files, database: str, rtsp: int, *, frames: int, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **runs.environment(files, DATABASE=database, LIMIT=str(frames), PORT=str(port)),
        "DATASET": str(dataset_of(files)),
        **{f"CAM{n}": f"rtsp://127.0.0.1:{rtsp}/{camera}" for n, camera in enumerate(clip.CAMERAS, 1)},
    }
    command = [sys.executable, "-m", "streampy", "run", str(_HERE / "faces_two.yaml"), "--json"]
    with _program(command, environment) as program:
        yield program


@contextmanager
def _program(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """One that is killed at the end where it still runs; what it writes to stderr is shown."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, env={**os.environ, **environment}, cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def _line(stream: IO[str] | None) -> str:
    line = stream.readline() if stream is not None else ""
    if not line:
        raise RuntimeError("the camera server did not start: see what it said above")
    return line


def _await_frames(files: Files, fleet: subprocess.Popen[str], count: int) -> None:
    """Until the results of so many frames of each camera are there."""
    until = time.monotonic() + _PATIENCE
    while _frames(files) < count:
        if fleet.poll() is not None:
            raise RuntimeError(f"`streampy run` ended with exit code {fleet.returncode}, see above")
        if time.monotonic() > until:
            raise TimeoutError(f"{_frames(files)} frames of each camera after {_PATIENCE} s, expected {count}")
        time.sleep(0.05)


def _frames(files: Files) -> int:
    """How many frames of that camera are done of which fewer are."""
    text = files.metadata.read_text() if files.metadata.exists() else ""
    return min(text.count(f'"source": "{camera}"') for camera in clip.CAMERAS)


def segments_of(parent: int) -> dict[int, str]:
    """By PID, the segments that an OS process has started."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            of = int(path.with_name("stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        if of == parent and b"--segment" in words:
            found[int(path.parent.name)] = words[words.index(b"--segment") + 1].decode()
    return found


def dataset_of(files: Files) -> Path:
    """The file to which faces are added during the run."""
    return files.out / "dataset.sqlite"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def tell(files: Files, ran: Ran) -> bool:
    """Print what came out; returns whether nothing was lost and all bars were reached."""
    frames = ran.told["segments"]["edge"]["processes"][0]["ledger"]
    print(f"{frames['born']} frames in {ran.seconds:.1f} s, with the start")
    print(f"{'p95 of each hop':20}{'waited':>12}{'worked':>12}")
    for segment, unit, waited, worked in judge.hops(ran.told):
        print(f"  {segment:8}{unit:10}{1000 * waited:9.1f} ms{1000 * worked:9.1f} ms")
    for segment, unit, latency in judge.latencies(ran.told):
        print(f"  {segment:8}born to {unit}: p50 {1000 * latency['p50']:.1f} ms, p95 {1000 * latency['p95']:.1f} ms")
    reached = runs.tell_scores(judge.score(files.metadata, files.truth, runs.ENROLLED))
    late = judge.named_late(files.metadata)
    wrong = [*judge.losses(ran.told), *judge.missing_in(files.videos, files.metadata)]
    with FaceDatabase(dataset_of(files)) as dataset:
        views = len(dataset)
    print(f"added to the data set: {views} views of faces")
    print(f"frames whose names came too late: {late}")
    print("seen in a browser:", ", ".join(ran.sizes) or "not looked at, for there is no chromium here")
    print(f"started again: {', '.join(ran.told['restarts']) or 'nobody'}")
    print("lost:", "; ".join(wrong) or "nothing, each frame has one result")
    return reached and views > 0 and not wrong and not late and bool(ran.told["restarts"])
