"""MTCNN: a cascade of three small networks that finds faces and five points of each.

Zhang and others, "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016. The first
network looks at every place of the image in many sizes, the second and the third at what the one before let through.

Boxes in here are rows (left, top, right, bottom) in pixels, float32.
"""

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
        found = [self._look(image, scale) for scale in _scales(image, self._smallest)]
        boxes = np.concatenate([boxes for boxes, _ in found]) if found else np.zeros((0, 4), np.float32)
        scores = np.concatenate([scores for _, scores in found]) if found else np.zeros(0, np.float32)
        return _square(boxes[strongest(boxes, scores, _OVERLAP)])

    def _look(self, image: Image, scale: float) -> tuple[Floats, Floats]:
        """First network on one size of the image: refined boxes (n, 4) and scores (n,)."""
        size = (int(np.ceil(image.shape[1] * scale)), int(np.ceil(image.shape[0] * scale)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        score, shift = self._first.run(["score", "shift"], {"image": _blob([small])})
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


def _blob(images: list[Image]) -> Floats:
    """(n, 3, h, w) float32 RGB as the networks want it, from BGR images of one size."""
    blob = cv2.dnn.blobFromImages(images, _SCALE, mean=(_MEAN, _MEAN, _MEAN), swapRB=True)
    return np.asarray(blob, np.float32)


def _patches(image: Image, boxes: Floats, side: int) -> list[Image]:
    """The boxes cut out and scaled to `side` x `side`; what lies outside of the image is black."""
    whole = np.rint(boxes).astype(int)
    whole[:, 2:] = np.maximum(whole[:, 2:], whole[:, :2] + 1)
    cuts = [_cut(image, *box) for box in whole.tolist()]
    return [np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), np.uint8) for cut in cuts]


def _cut(image: Image, left: int, top: int, right: int, bottom: int) -> Image:
    """A rectangle of at least one pixel; a view where it lies inside of the image."""
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    cut = np.zeros((bottom - top, right - left, 3), np.uint8)
    inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    x, y = max(-left, 0), max(-top, 0)
    cut[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return cut


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
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    left = np.argsort(-scores, kind="stable")
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(int(best))
        corner = np.maximum(boxes[best, :2], boxes[left, :2])
        common = np.clip(np.minimum(boxes[best, 2:], boxes[left, 2:]) - corner, 0, None).prod(axis=1)
        whole = np.minimum(area[best], area[left]) if of_smaller else area[best] + area[left] - common
        left = left[common < overlap * whole]
    return kept
