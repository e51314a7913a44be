"""What was found and named, held against the truth."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

Box = Sequence[float]

_SAME = 0.4  # common area of two boxes as a part of both together, from which on they are the same face


@dataclass(slots=True)
class Score:
    """Counts of faces, over frames."""

    frames: int = 0
    true: int = 0
    """Whole faces that are in the pictures."""
    found: int = 0
    """Of these, the ones that were found."""
    false: int = 0
    """Found where there is no face."""
    enrolled: int = 0
    """Whole faces of people who are in the database."""
    named: int = 0
    """Finds that were given a name."""
    right: int = 0
    """Of the enrolled, the ones that were given their own name."""
    strangers: int = 0
    """Whole faces of people who are not in the database, where they were found."""
    left_unknown: int = 0
    """Of these, the ones that were rightly given no name."""

    def __add__(self, other: "Score") -> "Score":
        return Score(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def finding_precision(self) -> float:
        """Of what was found, the part that is a face."""
        return _part(self.found, self.found + self.false)

    @property
    def finding_recall(self) -> float:
        """Of the faces, the part that was found."""
        return _part(self.found, self.true)

    @property
    def naming_precision(self) -> float:
        """Of the names given, the part that is right."""
        return _part(self.right, self.named)

    @property
    def naming_recall(self) -> float:
        """Of the faces of enrolled people, the part that was found and rightly named."""
        return _part(self.right, self.enrolled)


def score(metadata: Path, truth: Path, enrolled: Iterable[str]) -> dict[str, Score]:
    """Count for each camera.

    Faces that are partly out of the picture don't count: neither finding nor missing one is a fault.

    Args:
        metadata: JSON lines, as `MetaWriter` writes them.
        truth: as `clip.make` writes it.
        enrolled: names that are in the database.

    Raises:
        ValueError: a frame is missing in the metadata, or is there twice.

    """
    cameras = json.loads(truth.read_text())["cameras"]
    lines = [json.loads(line) for line in metadata.read_text().splitlines()]
    known = frozenset(enrolled)
    scores = {}
    for camera, frames in cameras.items():
        seen = {line["index"]: line["faces"] for line in lines if line["source"] == camera}
        count = sum(line["source"] == camera for line in lines)
        if sorted(seen) != list(range(len(frames))) or count != len(frames):
            raise ValueError(f"{metadata}: {count} lines for {len(frames)} frames of {camera}, expected one for each")
        scores[camera] = sum((score_frame(seen[i], true, known) for i, true in enumerate(frames)), Score())
    return scores


def score_frame(faces: list[Mapping[str, Any]], true: list[Mapping[str, Any]], known: frozenset[str]) -> Score:
    """Count in one frame.

    Args:
        faces: as `MetaWriter` writes them.
        true: as `clip.make` writes them.
        known: names that are in the database.

    """
    result = Score(frames=1)
    pairs = _pair([face["box"] for face in faces], [one["box"] for one in true])
    for number, one in enumerate(true):
        if not one["whole"]:
            continue
        face = faces[pairs[number]] if number in pairs else None
        result.true += 1
        result.found += face is not None
        result.enrolled += one["name"] in known
        name = face.get("name", "") if face else ""
        result.named += name != ""
        result.right += name == one["name"]
        result.strangers += face is not None and one["name"] not in known
        result.left_unknown += face is not None and one["name"] not in known and name == ""
    for number, face in enumerate(faces):
        if number not in pairs.values():
            result.false += 1
            result.named += face.get("name", "") != ""
    return result


def _pair(found: list[Box], true: list[Box]) -> dict[int, int]:
    """Number of a true face -> number of the found one that covers it best; each is used once."""
    overlaps = sorted(((_overlap(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(true)), reverse=True)
    pairs: dict[int, int] = {}
    for overlap, i, j in overlaps:
        if overlap >= _SAME and j not in pairs and i not in pairs.values():
            pairs[j] = i
    return pairs


def _overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def _part(count: int, whole: int) -> float:
    return count / whole if whole else 1.0
