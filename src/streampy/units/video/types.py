"""What travels between the video units: frozen values, with shapes and units of measure.

Knows nothing of the units that make or use them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""(height, width, 3), BGR, 0..255."""
Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera, a file or a folder of photographs."""

    image: Image
    time: float
    """Seconds since the beginning of the video; goes on over a loop and over a reconnection."""
    index: int
    """Its number, from 0, among the frames that the source let through."""
    source: str
    """Name of the camera; of the person, where the frame is an enrolment photograph."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; fractions of the image's width and height. It may reach over the edge of the image."""

    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, image: Image) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels of `image`, rounded."""
        height, width = image.shape[:2]
        return (
            round(self.left * width),
            round(self.top * height),
            round(self.right * width),
            round(self.bottom * height),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that was found."""

    box: Box
    points: Floats
    """(5, 2): eyes, tip of the nose, corners of the mouth, the one to the left in the image first; fractions of the
    image's width and height, x then y."""
    score: float
    """0..1: how sure the finder is."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """All faces of one frame, possibly none; the surest first."""

    found: tuple[Face, ...]

    def __iter__(self) -> Iterator[Face]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face turned upright and cut out, as a descriptor network wants it."""

    image: Image
    """Square."""
    face: Face
    source: str
    """Of the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Descriptor:
    """A face as a vector: near to another of the same person, far from other people's."""

    vector: Floats
    """(d,): d depends on the network, 128 for dlib's."""
    face: Face
    source: str
    """Of the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Who a face is."""

    name: str
    """`""` where nobody in the database is near enough."""
    distance: float
    """Euclidean, to the nearest in the database, whether near enough or not; `inf` where the database is empty."""
    face: Face

    @property
    def is_known(self) -> bool:
        """Whether somebody was near enough."""
        return self.name != ""
