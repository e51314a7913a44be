"""MTCNN: a cascade of three small networks that finds faces and five points of each.

Zhang and others, "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016. The first
network looks at every place of the image in many sizes, the second and the third at what the one before let through.

Boxes in here are rows (left, top, right, bottom) in pixels, float32.
"""

import math
from pathlib import Path

import cv2
import numpy as np

from streampy.units.video.network import open_network
from streampy.units.video.types import Box, Face, Floats, Image

_WINDOW = 12  # pixels that the first network sees at once
_STRIDE = 2  # pixels from one place that it looks at to the next
_SHRINK = 0.709  # from one size of the image to the next: half the area
_MEAN, _SCALE = 127.5, 1 / 128  # the networks take (value - mean) * scale, RGB
_OVERLAP_IN_SIZE, _OVERLAP = 0.5, 0.7


class Mtcnn:
    """Finds upright faces.

    Not safe for several threads at once where they share one instance's threads; give each worker its own.
    """

    def __init__(self, folder: Path, *, smallest: float, scores: tuple[float, float, float], threads: int) -> None:
        """Open pnet.onnx, rnet.onnx and onet.onnx in `folder`.

        Args:
            folder: where the three models are. Inputs `image`: (n, 3, h, w) float32 RGB; outputs `score` (n, 2, ...),
                `shift` (n, 4, ...) in parts of the box, and of the last one `points` (n, 10): five x, then five y.
            smallest: side in pixels of the smallest face looked for; time goes with 1 / smallest².
            scores: 0..1, what each network must give a face for it to go on.
            threads: of each network.

        """
        self._first, self._second, self._third = (
            open_network(folder / f"{name}.onnx", threads=threads) for name in ("pnet", "rnet", "onet")
        )
        self._smallest = smallest
        self._scores = scores

    def find(self, image: Image) -> list[Face]:
        """Find the faces of a BGR image, the surest first."""
        boxes = self._look_everywhere(image)
        if not len(boxes):
            return []
        boxes = self._refine(image, boxes)
        if not len(boxes):
            return []
        return self._pinpoint(image, boxes)

    def _look_everywhere(self, image: Image) -> Floats:
        """First network, over all sizes of the image: candidates, square."""
        small = image
        boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        for scale in _scales(image, self._smallest):
            size = (math.ceil(image.shape[1] * scale), math.ceil(image.shape[0] * scale))
            # Each size from the one before: from the whole image it takes as long as the network itself.
            small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
            found = self._look(small, scale)
            boxes.append(found[0])
            scores.append(found[1])
        rows = np.concatenate(boxes)
        return _square(rows[strongest(rows, np.concatenate(scores), _OVERLAP)])

    def _look(self, small: Image, scale: float) -> tuple[Floats, Floats]:
        """First network on one size of the image: refined boxes (n, 4) of the whole one, and scores (n,)."""
        score, shift = self._first.run(["score", "shift"], {"image": _blob(small[None])})
        rows, columns = np.nonzero(score[0, 1] >= self._scores[0])
        places = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
        boxes = (np.concatenate([places, places + _WINDOW], axis=1) / scale).astype(np.float32)
        scores = score[0, 1, rows, columns]
        kept = strongest(boxes, scores, _OVERLAP_IN_SIZE)
        return _shifted(boxes, shift[0, :, rows, columns])[kept], scores[kept]

    def _refine(self, image: Image, boxes: Floats) -> Floats:
        """Second network: fewer and better boxes, square."""
        score, shift = self._second.run(["score", "shift"], {"image": _blob(_patches(image, boxes, 24))})
        sure = score[:, 1] >= self._scores[1]
        boxes, scores = _shifted(boxes[sure], shift[sure]), score[sure, 1]
        return _square(boxes[strongest(boxes, scores, _OVERLAP)])

    def _pinpoint(self, image: Image, boxes: Floats) -> list[Face]:
        """Third network: the faces."""
        patches = _blob(_patches(image, boxes, 48))
        score, shift, points = self._third.run(["score", "shift", "points"], {"image": patches})
        sure = score[:, 1] >= self._scores[2]
        boxes, scores = boxes[sure], score[sure, 1]
        x, y = points[sure, :5], points[sure, 5:]
        size = boxes[:, 2:] - boxes[:, :2]
        places = np.stack([boxes[:, :1] + x * size[:, :1], boxes[:, 1:2] + y * size[:, 1:]], axis=2)
        boxes = _shifted(boxes, shift[sure])
        # By the smaller of the two areas: a box inside another one is the same face.
        kept = strongest(boxes, scores, _OVERLAP, of_smaller=True)
        whole = np.asarray([image.shape[1], image.shape[0]], np.float32)
        return [Face(Box(*(boxes[i] / np.tile(whole, 2)).tolist()), places[i] / whole, float(scores[i])) for i in kept]


def _scales(image: Image, smallest: float) -> list[float]:
    """How much to shrink the image, so that faces from `smallest` pixels up to all of it fit the window once."""
    scale = _WINDOW / smallest
    side = min(image.shape[:2]) * scale
    scales = []
    while side >= _WINDOW:
        scales.append(scale)
        scale *= _SHRINK
        side *= _SHRINK
    return scales


def _blob(images: Image) -> Floats:
    """(n, 3, h, w) float32 RGB as the networks want it, from (n, h, w, 3) BGR."""
    return np.ascontiguousarray((images[..., ::-1].astype(np.float32) - _MEAN).transpose(0, 3, 1, 2)) * np.float32(
        _SCALE
    )


def _patches(image: Image, boxes: Floats, side: int) -> Image:
    """The boxes cut out and scaled, (n, side, side, 3); what lies outside of the image is black.

    Every patch is sampled from a copy of the image that is shrunk by 1, 2, 4, ..., so that samples are less than two
    pixels apart and no pixel is skipped; all patches of one copy by one call. (A call for each box costs twice the
    time, and each takes the interpreter lock again from the other units.)
    """
    spacing = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) / side
    level = np.floor(np.log2(np.clip(spacing, 1, None))).astype(int)
    patches = np.zeros((len(boxes), side, side, 3), np.uint8)
    shrunk = image
    for number in range(int(level.max()) + 1):
        if number:
            size = (max(1, image.shape[1] >> number), max(1, image.shape[0] >> number))
            shrunk = np.asarray(cv2.resize(shrunk, size, interpolation=cv2.INTER_AREA), np.uint8)
        chosen = level == number
        ratio = np.asarray([shrunk.shape[1] / image.shape[1], shrunk.shape[0] / image.shape[0]], np.float32)
        patches[chosen] = _sampled(shrunk, boxes[chosen] * np.tile(ratio, 2), side)
    return patches


def _sampled(image: Image, boxes: Floats, side: int) -> Image:
    """Patches (n, side, side, 3) by bilinear sampling at the middles of side x side equal parts of each box."""
    if not len(boxes):
        return np.zeros((0, side, side, 3), np.uint8)
    parts = (np.arange(side, dtype=np.float32) + 0.5) / side
    places = boxes[:, None, :2] + parts[None, :, None] * (boxes[:, None, 2:] - boxes[:, None, :2]) - 0.5
    x = np.broadcast_to(places[:, None, :, 0], (len(boxes), side, side)).reshape(-1, side)
    y = np.broadcast_to(places[:, :, None, 1], (len(boxes), side, side)).reshape(-1, side)
    sampled = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(sampled, np.uint8).reshape(len(boxes), side, side, 3)


def _shifted(boxes: Floats, shift: Floats) -> Floats:
    """Boxes with each edge moved by a part of the width or height."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + shift * np.tile(size, 2)


def _square(boxes: Floats) -> Floats:
    """Boxes grown to squares about their middles."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def strongest(boxes: Floats, scores: Floats, overlap: float, *, of_smaller: bool = False) -> list[int]:
    """Greedy choice (non-maximum suppression): the surest box, then the surest that it does not cover, and so on.

    Args:
        boxes: (n, 4).
        scores: (n,).
        overlap: 0..1: from this much common area on, two boxes count as one.
        of_smaller: the common area as a part of the smaller box, not of both together.

    Returns:
        Indices, the surest first.

    """
    order = np.argsort(-scores, kind="stable")
    rows = boxes[order]
    area = (rows[:, 2:] - rows[:, :2]).prod(axis=1)
    low, high = np.maximum(rows[:, None, :2], rows[None, :, :2]), np.minimum(rows[:, None, 2:], rows[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    whole = np.minimum(area[:, None], area) if of_smaller else area[:, None] + area - common
    covers = common >= overlap * whole
    is_left = np.ones(len(rows), bool)
    kept = []
    for i in range(len(rows)):
        if is_left[i]:
            kept.append(int(order[i]))
            is_left &= ~covers[i]
    return kept
