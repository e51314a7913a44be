"""Smaller (or larger) frames."""

import cv2
import numpy as np

import streampy as sp
from streampy.units.video.types import Frame


class Resize(sp.Unit):
    """Scale every frame to a width; places found in the small frame hold for the large one, being fractions."""

    def __init__(self, *, width: int, height: int = 0) -> None:
        """Set the size in pixels; a height of 0 keeps the shape of the image."""
        if width < 1 or height < 0:
            raise ValueError(
                f"Resize: got {width} x {height}, expected at least 1 x 1 pixel (height 0: as the shape gives)"
            )
        self.width = width
        self.height = height

    def work(self, frame: Frame) -> Frame:
        """Give the scaled frame; one that has the size already goes on as it is, uncopied."""
        height, width = frame.image.shape[:2]
        size = (self.width, self.height or max(1, round(self.width * height / width)))
        if size == (width, height):
            return frame
        # Area averages every pixel when shrinking (no moiré); when enlarging, OpenCV makes blocks of it.
        way = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(frame.image, size, interpolation=way), np.uint8)
        return Frame(image, frame.time, frame.index, frame.source)
