"""A folder of photographs as a source."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import streampy as sp
from streampy.units.video.types import Frame

_KINDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


class Photos(sp.Unit):
    """Give every photograph of a folder that has one folder inside for each person: `people/Grace Hopper/1.jpg`."""

    def __init__(self, *, folder: str) -> None:
        """Choose the folder."""
        self.folder = Path(folder)

    def work(self) -> Iterator[Frame]:
        """Give the photographs in the order of their paths; a frame's source is the name of the inner folder.

        Raises:
            FileNotFoundError: there are none.
            ValueError: a file is not an image.

        """
        paths = sorted(path for path in self.folder.glob("*/*") if path.suffix.lower() in _KINDS)
        if not paths:
            raise FileNotFoundError(f"Photos: no image in {self.folder}/NAME/: make one folder for each person there")
        for index, path in enumerate(paths):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise ValueError(f"Photos: {path} can't be read as an image")
            yield Frame(np.asarray(image, np.uint8), float(index), index, path.parent.name)
