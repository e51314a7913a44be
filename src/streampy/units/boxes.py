"""Boxes: rows of numbers as detectors give and want them, and `Box`; needs the extra `streampy[video]`.

Knows nothing of the pictures that they are in: a Box is fractions of one, whatever its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import streampy as sp
from streampy.units.missing import needs

with needs("streampy[video]"):
    import numpy as np
    from numpy.typing import NDArray

    from streampy.units.video.types import Box

Form: TypeAlias = Literal["xyxy", "xywh", "cxcywh"]
"""Left, top, right, bottom; left, top, width, height; or the centre, width, height."""
Rows: TypeAlias = NDArray[np.float64]
_SCORE, _CLASS = 4, 5


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a detector found in a picture."""

    box: Box
    label: str = ""
    """What it is; empty where the detector doesn't say."""
    score: float = 1.0
    """0..1: how sure the detector is."""


class RowsToBoxes(sp.Unit):
    """Make a list of `Found` of the rows that a detector gives: (n, 4 or more) numbers for each picture.

    Behind the four numbers of the box may stand the score and the number of the class.

    >>> rows = [[320, 90, 640, 180, 0.9, 1], [0, 0, 64, 36, 0.1, 0]]
    >>> settings = {"width": 640, "height": 360, "labels": ["cat", "dog"], "least": 0.5}
    >>> sp.testing.feed(RowsToBoxes, settings=settings, rows=[rows])
    [[Found(box=Box(left=0.5, top=0.25, right=1.0, bottom=0.5), label='dog', score=0.9)]]
    """

    def __init__(
        self,
        *,
        form: Form = "xyxy",
        width: float = 1.0,
        height: float = 1.0,
        labels: Sequence[str] = (),
        least: float = 0.0,
    ) -> None:
        """Say what the numbers mean.

        Args:
            form: what the four are.
            width: of the picture that the detector saw, in pixels; 1 where the numbers are fractions already.
            height: the same.
            labels: the names of the classes; without them a class is called by its number.
            least: what has a lower score is left out.

        """
        self.form = form
        self.scale = _scale(width, height)
        self.labels = list(labels)
        self.least = least

    def work(self, rows: Any) -> list[Found]:
        """Give what was found. Raises ValueError for another shape, LookupError for a class without a name."""
        table = _table(rows)
        scores = table[:, _SCORE].tolist() if table.shape[1] > _SCORE else [1.0] * len(table)
        classes = table[:, _CLASS].astype(int).tolist() if table.shape[1] > _CLASS else [None] * len(table)
        boxes = (_to_xyxy(table[:, :4], self.form) / self.scale).tolist()
        return [
            Found(Box(*box), self._label(number), score)
            for box, number, score in zip(boxes, classes, scores, strict=True)
            if score >= self.least
        ]

    def _label(self, number: int | None) -> str:
        if number is None:
            return ""
        if not self.labels:
            return str(number)
        if not 0 <= number < len(self.labels):
            raise LookupError(f"RowsToBoxes: got class {number}, but there are {len(self.labels)} labels")
        return self.labels[number]


class BoxesToRows(sp.Unit):
    """Make an array (n, 4) of the boxes of each picture, as models and files want them.

    A box is a `Box`, four fractions (left, top, right, bottom), or something with such a `box`.

    >>> sp.testing.feed(BoxesToRows, settings={"form": "cxcywh", "width": 640, "height": 360}, boxes=[[(0, 0, 1, 0.5)]])
    [array([[320.,  90., 640., 180.]])]
    """

    def __init__(self, *, form: Form = "xyxy", width: float = 1.0, height: float = 1.0) -> None:
        """Choose the form, and the size of the picture in pixels; 1 for fractions."""
        self.form = form
        self.scale = _scale(width, height)

    def work(self, boxes: Any) -> Rows:
        """Give the rows; (0, 4) of them where there is no box."""
        table = np.array([_corners(box_of(one)) for one in boxes], float).reshape(-1, 4)
        return _from_xyxy(table * self.scale, self.form)


def box_of(given: Any) -> Box:
    """Find the box of a Box, of four fractions (left, top, right, bottom), or of something with such a `box`."""
    inner = getattr(given, "box", given)
    return inner if isinstance(inner, Box) else Box(*map(float, inner))


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _scale(width: float, height: float) -> Rows:
    if not (width > 0 and height > 0):
        raise ValueError(f"got a picture of {width} x {height}, expected a size in pixels, or 1 x 1 for fractions")
    return np.array([width, height, width, height], float)


def _table(rows: Any) -> Rows:
    table = np.asarray(rows, float)
    if table.size == 0:
        return np.zeros((0, 4))
    if table.ndim != 2 or table.shape[1] < 4:  # noqa: PLR2004 - rows of four numbers
        raise ValueError(f"RowsToBoxes: got an array of shape {table.shape}, expected (n, 4 or more)")
    return table


def _to_xyxy(rows: Rows, form: Form) -> Rows:
    if form == "xyxy":
        return rows
    first, size = rows[:, :2], rows[:, 2:]
    start = first - size / 2 if form == "cxcywh" else first
    return np.hstack([start, start + size])


def _from_xyxy(rows: Rows, form: Form) -> Rows:
    if form == "xyxy":
        return rows
    start, size = rows[:, :2], rows[:, 2:] - rows[:, :2]
    return np.hstack([start + size / 2 if form == "cxcywh" else start, size])
