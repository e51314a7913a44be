"""Boxes that are followed from picture to picture: each gets a number that stays; needs the extra `streampy[video]`.

As SORT (Bewley et al., 2016) does it: what moves goes on as it moved, and is found again where boxes overlap most. With
smoothed velocities in place of a Kalman filter, and the best pair first in place of the best sum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import streampy as sp
from streampy.units.boxes import box_of
from streampy.units.missing import needs

with needs("streampy[video]"):
    import numpy as np

    from streampy.units.video.types import Box

_FRESH = 0.5
"""The weight of the last step in the velocity: half of it is of the last step, a quarter of the one before."""


@dataclass(frozen=True, slots=True)
class Track:
    """A box with the number of what it shows."""

    number: int
    """From 1, in each stream; never given twice."""
    box: Box
    """As it was found."""
    found: Any
    """What was given: the box, or what has it."""
    seen: int
    """In how many pictures so far."""

    @property
    def name(self) -> str:
        """`#7`, or `dog #7` where what was found has a label: DrawBoxes writes it."""
        return f"{getattr(self.found, 'label', '')} #{self.number}".strip()


class TrackBoxes(sp.Unit):
    """Follow boxes through the pictures of a stream: give each the number that it had in the picture before.

    A box is a `Box`, four fractions (left, top, right, bottom), or something with such a `box`; boxes with a `label`
    are followed by others with the same one only. Each stream is followed for itself; where pictures were dropped on
    the way, the numbers of the items tell how far things have moved. One worker, for it remembers.

    >>> boxes = [[(0.1, 0.1, 0.3, 0.3)], [(0.6, 0.6, 0.8, 0.8), (0.12, 0.1, 0.32, 0.3)]]
    >>> [[track.number for track in tracks] for tracks in sp.testing.feed(TrackBoxes, boxes=boxes)]
    [[1], [2, 1]]
    """

    def __init__(self, *, overlap: float = 0.3, keep: int = 30, confirm: int = 1) -> None:
        """Choose what is the same thing.

        Args:
            overlap: what part the box and where it was expected must have in common: intersection over union, 0..1.
            keep: for how many pictures something is remembered that is not seen.
            confirm: in how many pictures something must have been seen before it is given; a detector that finds what
                is not there wants 3.

        """
        if not 0 < overlap <= 1 or keep < 0 or confirm < 1:
            raise ValueError(
                f"TrackBoxes: got overlap={overlap}, keep={keep}, confirm={confirm}, "
                f"expected above 0 to 1, at least 0, at least 1"
            )
        self.overlap = overlap
        self.keep = keep
        self.confirm = confirm
        self._streams: dict[str, _Stream] = {}

    def start(self) -> None:
        """See that it is alone. Raises ValueError where it has several workers."""
        if sp.worker().count > 1:
            raise ValueError(f"TrackBoxes: {sp.worker().count} workers would number apart: set `workers: 1`")

    def work(self, boxes: sp.Item[Any]) -> list[Track]:
        """Give the tracks of one picture, in the order of its boxes."""
        stream = self._streams.setdefault(boxes.stream, _Stream(self.overlap, self.keep))
        return [track for track in stream.follow(boxes.seq, list(boxes.value)) if track.seen >= self.confirm]


class _Path:
    """Where one thing was last, and how it moves: centre, and half the size; fractions, and fractions a picture."""

    def __init__(self, number: int, seq: int, box: Box, label: str) -> None:
        self.number = number
        self.label = label
        self.seen = 1
        self.seq = seq
        self._at = _centre(box)
        self._half = _half(box)
        self._velocity = np.zeros(2)

    def expected(self, seq: int) -> Any:
        """Left, top, right, bottom of where it should be by now."""
        centre = self._at + self._velocity * (seq - self.seq)
        return np.concatenate([centre - self._half, centre + self._half])

    def go_on(self, seq: int, box: Box) -> None:
        """It was seen again."""
        at = _centre(box)
        step = (at - self._at) / max(1, seq - self.seq)
        fresh = _FRESH if self.seen > 1 else 1.0
        self._velocity = (1 - fresh) * self._velocity + fresh * step
        self._at, self._half, self.seq = at, _half(box), seq
        self.seen += 1


class _Stream:
    """What is followed in one stream."""

    def __init__(self, overlap: float, keep: int) -> None:
        self._overlap = overlap
        self._keep = keep
        self._paths: list[_Path] = []
        self._numbers = count(1)

    def follow(self, seq: int, found: Sequence[Any]) -> list[Track]:
        self._paths = [path for path in self._paths if seq - path.seq <= self._keep + 1]
        boxes = [box_of(one) for one in found]
        labels = [getattr(one, "label", "") for one in found]
        same: dict[int, _Path] = {}
        for path, index in self._pairs(seq, boxes, labels):
            path.go_on(seq, boxes[index])
            same[index] = path
        for index, box in enumerate(boxes):
            if index not in same:
                same[index] = _Path(next(self._numbers), seq, box, labels[index])
                self._paths.append(same[index])
        return [Track(same[i].number, boxes[i], one, same[i].seen) for i, one in enumerate(found)]

    def _pairs(self, seq: int, boxes: Sequence[Box], labels: Sequence[str]) -> Iterator[tuple[_Path, int]]:
        """What was known and where it is found now: those that have most in common first, each once."""
        if not self._paths or not boxes:
            return
        shares = _overlaps(
            np.array([path.expected(seq) for path in self._paths]),
            np.array([(box.left, box.top, box.right, box.bottom) for box in boxes]),
        )
        taken: set[int] = set()
        met: set[int] = set()
        for flat in np.argsort(-shares, axis=None, kind="stable").tolist():
            row, column = divmod(flat, len(boxes))
            if shares[row, column] < self._overlap:
                return
            if row not in met and column not in taken and self._paths[row].label == labels[column]:
                met.add(row)
                taken.add(column)
                yield self._paths[row], column


def _centre(box: Box) -> Any:
    return np.array([box.left + box.right, box.top + box.bottom]) / 2


def _half(box: Box) -> Any:
    return np.array([box.right - box.left, box.bottom - box.top]) / 2


def _overlaps(some: Any, others: Any) -> Any:
    """Intersection over union of each of `some` (n, 4) with each of `others` (m, 4): (n, m), 0..1."""
    start = np.maximum(some[:, None, :2], others[None, :, :2])
    end = np.minimum(some[:, None, 2:], others[None, :, 2:])
    both = np.prod(np.clip(end - start, 0, None), axis=2)
    areas = _areas(some)[:, None] + _areas(others)[None, :] - both
    return np.divide(both, areas, out=np.zeros_like(both), where=areas > 0)


def _areas(boxes: Any) -> Any:
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
