"""What was seen, as lines of JSON."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import streampy as sp
from streampy.units.video.types import Box, Face, Faces, Frame, Profile


class MetaWriter(sp.Unit):
    """Write one line of JSON for each frame, whole lines only, in the order in which frames come.

    `{"stream": "cam1", "seq": 7, "source": "cam1", "index": 7, "time": 0.28, "faces": [{"box": [left, top, right,
    bottom], "score": 0.999, "name": "Grace Hopper", "distance": 0.31}]}`; boxes are fractions of the image; `name` is
    `""` for strangers; `name` and `distance` are absent where the names came too late.
    """

    def __init__(self, *, path: str) -> None:
        """Choose the file; one that is there is overwritten."""
        self.path = Path(path)

    def start(self) -> None:
        """Open the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file: IO[str] = self.path.open("w", encoding="utf-8", buffering=1)

    def work(self, frame: sp.Item[Frame], faces: Faces, profiles: list[Profile] | None) -> None:
        """Write the line of one frame."""
        self.file.write(json.dumps(line_of(frame, faces, profiles)) + "\n")

    def stop(self) -> None:
        """Close the file."""
        self.file.close()


def line_of(frame: sp.Item[Frame], faces: Iterable[Face], profiles: Iterable[Profile] | None) -> dict[str, Any]:
    """Give what `MetaWriter` writes of a frame; profiles: None where they came too late."""
    one = frame.value
    return {
        "stream": frame.stream,
        "seq": frame.seq,
        "source": one.source,
        "index": one.index,
        "time": round(one.time, 6),
        "faces": [_face(face) for face in faces] if profiles is None else [_profile(each) for each in profiles],
    }


def _face(face: Face) -> dict[str, Any]:
    return {"box": _box(face.box), "score": round(face.score, 4)}


def _profile(profile: Profile) -> dict[str, Any]:
    # JSON has no infinity; the distance to nobody is left out.
    near = {"distance": round(profile.distance, 4)} if profile.distance < float("inf") else {}
    return {**_face(profile.face), "name": profile.name, **near}


def _box(box: Box) -> list[float]:
    return [round(edge, 5) for edge in (box.left, box.top, box.right, box.bottom)]
