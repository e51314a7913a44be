"""The two ways to run the example, as a process and as a plain loop, and the report on what came out."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from examples.faces import clip, plain, sheet
from examples.faces.people import PEOPLE
from examples.faces.score import Score, score
from examples.faces.setup import Files

import streampy as sp

_HERE = Path(__file__).parent
ENROLLED = [person.name for person in PEOPLE if person.enrolled_from]
"""Who is in the database."""
_BARS = {"finding precision": 0.97, "finding recall": 0.95, "naming precision": 0.98, "naming recall": 0.95}


def run_process(files: Files, *, own: bool = False) -> None:
    """Enrol and run, both as StreamPy processes from their YAML files; own: each unit in an OS process of its own."""
    forget(files)
    os.environ.update(environment(files))
    with sp.run(sp.load(_HERE / "enrol.yaml")) as running:
        running.wait()
    begin = time.monotonic()
    faces = sp.load(_HERE / "faces.yaml")
    if own:
        faces = sp.load(_HERE / "faces.yaml", set={f"{unit}.place": "own" for unit in faces.units})
    with sp.run(faces) as running:
        running.wait()
    _tell_speed(time.monotonic() - begin)


def run_plain(files: Files) -> None:
    """Enrol and run without StreamPy's runtime."""
    forget(files)
    plain.enrol(files)
    seconds, _ = plain.run(files, clip.CAMERAS)
    _tell_speed(seconds)


def environment(files: Files, **more: str) -> dict[str, str]:
    """What the YAML files take from the environment; CAM1 and CAM2 of the caller's stay as they are."""
    cameras = {f"CAM{n}": str(files.clips / f"{camera}.mp4") for n, camera in enumerate(clip.CAMERAS, 1)}
    return {
        **{name: os.environ.get(name, url) for name, url in cameras.items()},
        "MODELS": str(files.models),
        "PEOPLE": str(files.people),
        "DATABASE": str(files.database),
        "OUT": str(files.out),
        **more,
    }


def forget(files: Files) -> None:
    """Begin with an empty database."""
    for path in files.out.glob(f"{files.database.name}*"):
        path.unlink()


def report(files: Files) -> bool:
    """Draw the contact sheet and print the figures; returns whether all bars were reached."""
    sheet.make(files.videos, files.out / "sheet.png")
    reached = tell_scores(score(files.metadata, files.truth, ENROLLED))
    print("in", files.out, ":", ", ".join(p.name for p in [*files.videos, files.metadata, files.out / "sheet.png"]))
    return reached


def tell_scores(scores: Mapping[str, Score]) -> bool:
    """Print the figures of each camera, and of all; returns whether all bars were reached."""
    total = sum(scores.values(), Score())
    print(f"{'':10}{'faces':>7}{'found':>7}{'false':>7}{'named':>7}{'right':>7}{'strangers left unknown':>25}")
    for name, one in {**scores, "all": total}.items():
        counts = f"{one.true:7}{one.found:7}{one.false:7}{one.named:7}{one.right:7}"
        print(f"{name:10}{counts}{f'{one.left_unknown} of {one.strangers}':>25}")
    reached = {
        "finding precision": total.finding_precision,
        "finding recall": total.finding_recall,
        "naming precision": total.naming_precision,
        "naming recall": total.naming_recall,
    }
    for name, value in reached.items():
        print(f"{name:18} {value:.4f}   at least {_BARS[name]}{'' if value >= _BARS[name] else '   MISSED'}")
    return all(value >= _BARS[name] for name, value in reached.items())


def _tell_speed(seconds: float) -> None:
    frames = len(clip.CAMERAS) * clip.FPS * clip.SECONDS
    print(f"{frames} frames in {seconds:.1f} s: {frames / seconds:.1f} frames/s")
