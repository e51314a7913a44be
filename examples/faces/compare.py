"""StreamPy against the same units in one plain loop, in the same run."""

import os
import platform
import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
from examples.faces import clip, plain, runs
from examples.faces.setup import Files

import streampy as sp

_HERE = Path(__file__).parent
_LIVE_FPS = 8  # a camera: a rate that the plain loop holds too, so that latency is not the length of a backlog


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run: frames a second, 95th percentile of the latency in seconds, CPU seconds per second."""

    rate: float
    p95: float
    cpu: float


def compare(files: Files, *, rounds: int) -> None:
    """Print medians over rounds; in each round every way runs once, so that a slow moment of the machine hits both."""
    cv2.setNumThreads(1)  # as everywhere else: parallel work comes from the units
    runs.forget(files)
    plain.enrol(files)
    ways = {"plain loop": _plain, "StreamPy": _process}
    flat_out: dict[str, list[Figures]] = {name: [] for name in ways}
    live: dict[str, list[Figures]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            flat_out[name].append(way(files, live=False))
            live[name].append(way(files, live=True))
    cores = os.cpu_count()
    print(f"{cores} cores, {platform.machine()}, Python {platform.python_version()}; medians of {rounds} rounds")
    print(f"{'':12}{'frames/s':>10}{'CPU':>8}{f'p95 of latency at {2 * _LIVE_FPS} frames/s':>34}")
    for name in ways:
        rate = statistics.median(one.rate for one in flat_out[name])
        cpu = statistics.median(one.cpu for one in flat_out[name])
        p95 = statistics.median(one.p95 for one in live[name])
        print(f"{name:12}{rate:10.1f}{cpu:8.2f}{1000 * p95:31.1f} ms")
    pairs = zip(flat_out["StreamPy"], flat_out["plain loop"], strict=True)
    ratios = [ours.rate / theirs.rate for ours, theirs in pairs]
    singly = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"ratio of frames/s: {statistics.median(ratios):.2f} (round by round: {singly})")
    print(
        "Frames/s: clips read as fast as they can be. CPU: cores kept busy meanwhile. Latency: clips read in real time,"
    )
    print(f"{_LIVE_FPS} frames/s each; from when a frame is due until its metadata is written.")


def _plain(files: Files, *, live: bool) -> Figures:
    before = _cpu()
    seconds, latencies = plain.run(files, clip.CAMERAS, realtime=live, fps=_LIVE_FPS if live else float("inf"))
    p95 = statistics.quantiles(latencies, n=20)[-1]
    return Figures(rate=len(latencies) / seconds, p95=p95, cpu=(_cpu() - before) / seconds)


def _process(files: Files, *, live: bool) -> Figures:
    os.environ.update(runs.environment(files, REALTIME=str(live).lower(), FPS=str(_LIVE_FPS) if live else "inf"))
    with sp.run(sp.load(_HERE / "faces.yaml")) as running:  # the models are open when this returns, as for the loop
        before, begin = _cpu(), time.monotonic()
        running.wait()
        cpu, seconds = _cpu() - before, time.monotonic() - begin
        stats = running.stats()
    rate = stats.units["metadata"].received / seconds
    return Figures(rate=rate, p95=stats.latency["metadata"].p95, cpu=cpu / seconds)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
