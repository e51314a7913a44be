"""What came out of a run of two segments: each frame once, each face rightly named, nothing left under way."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
from examples.faces.score import Score, score_frame

_GAP = 0.4
"""Seconds between two frames from which on a camera was lost between them; it waits half a second before it is opened
again."""


def connections(lines: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The frames of one camera, those of each connection together."""
    found: list[list[Mapping[str, Any]]] = []
    for line in lines:
        if not found or line["time"] - found[-1][-1]["time"] > _GAP:
            found.append([])
        found[-1].append(line)
    return found


def score(metadata: Path, truth: Path, enrolled: Iterable[str]) -> dict[str, Score]:
    """Count for each camera, over the frames that came.

    The server plays the clip from its beginning to everybody who connects, again and again: so a frame's time since the
    first one of its connection says which frame of the clip it is.

    Args:
        metadata: JSON lines, as `MetaWriter` writes them.
        truth: as `clip.make` writes it.
        enrolled: names that are in the database.

    Raises:
        ValueError: a frame that a camera gave is missing, is there twice, or is not in its turn.

    """
    told = json.loads(truth.read_text())
    lines = [json.loads(line) for line in metadata.read_text().splitlines()]
    known = frozenset(enrolled)
    scores = {}
    for camera, clip in told["cameras"].items():
        seen = [line for line in lines if line["source"] == camera]
        if [line["seq"] for line in seen] != list(range(len(seen))):
            raise ValueError(f"{metadata}: frames of {camera} are missing, there twice, or not in their order")
        scores[camera] = sum(
            (
                score_frame(line["faces"], clip[_number(line["time"] - one[0]["time"], told["fps"], len(clip))], known)
                for one in connections(seen)
                for line in one
            ),
            Score(),
        )
    return scores


def named_late(metadata: Path) -> int:
    """How many frames went out without the names of their faces."""
    lines = map(json.loads, metadata.read_text().splitlines())
    return sum(any("name" not in face for face in line["faces"]) for line in lines)


def missing_in(videos: Iterable[Path], metadata: Path) -> list[str]:
    """What is wrong with the annotated videos, in words: each must hold a frame for each line of its camera."""
    lines = [json.loads(line)["source"] for line in metadata.read_text().splitlines()]
    wrong = []
    for video in videos:
        with av.open(str(video)) as container:
            frames = sum(packet.size > 0 for packet in container.demux(video=0))
        if frames != lines.count(video.stem):
            wrong.append(f"{video.name}: {frames} frames, expected {lines.count(video.stem)}")
    return wrong


def losses(run: Mapping[str, Any]) -> list[str]:
    """What is wrong with the ledgers, in words; run: the JSON that `streampy run --json` tells at its end."""
    wrong = [f"exit code {run['exit']}"] if run["exit"] else []
    for name, segment in run["segments"].items():
        for process in segment.get("processes", []):
            ledger = process["ledger"]
            lost = {way: ledger[way] for way in ("dropped", "failed", "expired", "in_flight") if ledger[way]}
            wrong += [f"{name}: {count} {way}" for way, count in lost.items()]
            wrong += [] if ledger["balanced"] else [f"{name}: the ledger does not balance: {ledger}"]
            wrong += [f"{name}: {error['message']}" for error in process["errors"]]
    return wrong


def hops(run: Mapping[str, Any]) -> Iterable[tuple[str, str, float, float]]:
    """Segment, unit, and seconds at p95: how long items waited for it, at its slowest input, and how long it worked."""
    for segment, unit in _units(run):
        process = run["segments"][segment]["processes"][0]
        waits = [pipe["wait"]["p95"] for name, pipe in process["pipes"].items() if name.split(".")[0] == unit]
        yield segment, unit, max(waits, default=0.0), process["units"][unit]["work"]["p95"]


def latencies(run: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, float]]]:
    """Segment, unit, and seconds from birth to its end there, by percentile."""
    for segment, told in run["segments"].items():
        for process in told.get("processes", []):
            yield from ((segment, unit, one) for unit, one in process["latency"].items() if one["count"])


def _units(run: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return itertools.chain.from_iterable(
        ((segment, unit) for unit in process["units"])
        for segment, told in run["segments"].items()
        for process in told.get("processes", [])[:1]
    )


def _number(seconds: float, fps: float, count: int) -> int:
    return round(seconds * fps) % count
