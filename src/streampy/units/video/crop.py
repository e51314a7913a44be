"""Faces cut out and turned upright."""

from collections.abc import Iterator
from typing import Literal

import cv2
import numpy as np

import streampy as sp
from streampy.units.video.types import Crop, Face, Faces, Floats, Frame, Image

# Where eyes, nose and corners of the mouth lie in the square that a network was trained on, as parts of its side.
_PLACES: dict[str, list[tuple[float, float]]] = {
    # From the mean face of dlib (image_transforms/interpolation.h), eyes as the means of their six points, with the
    # margin of a quarter that the face recognition network was trained with: (0.25 + place) / 1.5.
    "dlib": [(0.3170, 0.3107), (0.6698, 0.3107), (0.4934, 0.5104), (0.3361, 0.6868), (0.6507, 0.6868)],
    # Of ArcFace and its kin (SFace too), given there for 112 pixels.
    "arcface": [(0.3419, 0.4616), (0.6565, 0.4598), (0.5002, 0.6405), (0.3710, 0.8247), (0.6315, 0.8232)],
}


class CropFaces(sp.Unit):
    """Cut the faces out of a frame, each turned and scaled so that its five points lie where a network wants them."""

    def __init__(self, *, size: int = 150, places: Literal["dlib", "arcface"] = "dlib") -> None:
        """Choose the side of the crops in pixels, and the network's idea of where the five points belong."""
        self.size = size
        self.wanted = np.asarray(_PLACES[places], np.float32) * size

    def work(self, frame: Frame, faces: Faces) -> Iterator[Crop]:
        """Give one crop for each face, in their order; none for none."""
        for face in faces:
            yield Crop(self.cut(frame.image, face), face, frame.source)

    def cut(self, image: Image, face: Face) -> Image:
        """Give the aligned crop of one face; what lies outside of the image is black."""
        height, width = image.shape[:2]
        move = similarity(face.points * np.asarray([width, height], np.float32), self.wanted)
        shrink = float(np.hypot(move[0, 0], move[1, 0]))
        if shrink < 0.5:  # noqa: PLR2004 - bilinear sampling skips pixels from here on: average them first
            box = _around(face, image, margin=1.0)
            part = image[box[1] : box[3], box[0] : box[2]]
            if part.size:
                return self._cut_large(part, box, move, shrink)
        return _warp(image, move, self.size)

    def _cut_large(self, part: Image, box: tuple[int, int, int, int], move: Floats, shrink: float) -> Image:
        small = np.asarray(cv2.resize(part, None, fx=2 * shrink, fy=2 * shrink, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.asarray([part.shape[1] / small.shape[1], part.shape[0] / small.shape[0]], np.float32)
        moved = move.copy()
        moved[:, 2] += move[:, :2] @ np.asarray(box[:2], np.float32)
        moved[:, :2] *= ratio
        return _warp(small, moved, self.size)


def _around(face: Face, image: Image, *, margin: float) -> tuple[int, int, int, int]:
    """The face's box grown by `margin` of its size on each side, inside the image, in pixels."""
    left, top, right, bottom = face.box.pixels(image)
    height, width = image.shape[:2]
    more_x, more_y = round((right - left) * margin), round((bottom - top) * margin)
    return max(left - more_x, 0), max(top - more_y, 0), min(right + more_x, width), min(bottom + more_y, height)


def _warp(image: Image, move: Floats, size: int) -> Image:
    return np.asarray(cv2.warpAffine(image, move, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


def similarity(points: Floats, wanted: Floats) -> Floats:
    """Find the turn, scale and shift that brings points nearest to wanted places, in least squares.

    With points as complex numbers z and places w it is w = a z + b, so a = sum(conj(z') w') / sum(|z'|²) with both
    about their means; the same as Umeyama 1991 in the plane, without mirror images.

    Args:
        points: (n, 2), n at least 2, not all the same.
        wanted: (n, 2).

    Returns:
        (2, 3) float32, as OpenCV's `warpAffine` takes it.

    """
    z = points[:, 0] + 1j * points[:, 1]
    w = wanted[:, 0] + 1j * wanted[:, 1]
    about = z - z.mean()
    spread = max(float(np.sum(np.abs(about) ** 2)), 1e-12)
    a = np.sum(np.conj(about) * (w - w.mean())) / spread
    b = w.mean() - a * z.mean()
    return np.asarray([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]], np.float32)
