"""Images: load, resize, convert, augment, cut out, draw on, save, show; needs the extra `streampy[video]`.

Each takes a Frame (and gives one, with all else of it kept) or an image: an array of BGR pixels (height, width, 3), or
gray ones (height, width), uint8. What comes in is never changed in place. Boxes are fractions of the image, 0..1.
"""

import dataclasses
import os
import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import streampy as sp
from streampy.units.boxes import box_of
from streampy.units.files.rounds import Order, expect, rounds
from streampy.units.missing import needs

with needs("streampy[video]"):
    import cv2
    import numpy as np

    from streampy.units.video.types import Box, Frame, Image

Picture = TypeVar("Picture", Frame, Image)
"""What the units of this file take and give: of a Frame a Frame comes, of an image an image."""
ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_COLORS = {"gray": cv2.COLOR_BGR2GRAY, "rgb": cv2.COLOR_BGR2RGB, "hsv": cv2.COLOR_BGR2HSV, "lab": cv2.COLOR_BGR2LAB}


class ImageSource(sp.Unit):
    """Give the images of a folder as frames, in the order of their names; a frame's source is its path in there."""

    def __init__(
        self,
        *,
        folder: str,
        pattern: str = "**/*",
        order: Order = "given",
        seed: int | None = None,
        endless: bool = False,
    ) -> None:
        """Choose the images: as for FolderSource; files with other endings than those of images are left out."""
        self.folder = Path(folder)
        self.pattern = pattern
        self.order = order
        self.seed = seed
        self.endless = endless

    def work(self) -> Iterator[Frame]:
        """Give the images.

        Raises:
            FileNotFoundError: there is none.
            ValueError: a file is no image.

        """
        paths = self._list()
        if not paths:
            raise FileNotFoundError(f"ImageSource: no image {self.pattern} in {self.folder}")
        if not self.endless:
            expect(len(paths))
        found = rounds(self._list, order=self.order, seed=self.seed, endless=self.endless)
        for index, path in enumerate(found):
            yield Frame(_load(path), float(index), index, str(path.relative_to(self.folder)))

    def _list(self) -> list[Path]:
        found = (path for path in self.folder.glob(self.pattern) if path.suffix.lower() in ENDINGS)
        return sorted(path for path in found if path.is_file())


class LoadImage(sp.Unit):
    """Load the image at each path, as a frame whose source is the path."""

    def work(self, path: sp.Item[Path | str]) -> Frame:
        """Load one image. Raises FileNotFoundError, or ValueError where the file is no image."""
        return Frame(_load(Path(path.value)), float(path.seq), path.seq, str(path.value))


class ResizeImage(sp.Unit):
    """Scale each image to a width; see `streampy.units.video:Resize` for frames alone."""

    def __init__(self, *, width: int, height: int = 0) -> None:
        """Choose the size in pixels; a height of 0 keeps the shape."""
        if width < 1 or height < 0:
            raise ValueError(
                f"ResizeImage: got {width} x {height}, expected at least 1 x 1 pixel (height 0: as shaped)"
            )
        self.width = width
        self.height = height

    def work(self, picture: Picture) -> Picture:
        """Give the scaled image."""
        return _made(picture, self._scale)

    def _scale(self, image: Image) -> Image:
        height, width = image.shape[:2]
        size = (self.width, self.height or max(1, round(self.width * height / width)))
        if size == (width, height):
            return image
        # Area averages every pixel when shrinking; when enlarging, OpenCV makes blocks of it.
        way = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
        return _bytes(cv2.resize(image, size, interpolation=way))


class ConvertColor(sp.Unit):
    """Convert BGR images to gray, RGB, HSV or Lab."""

    def __init__(self, *, to: Literal["gray", "rgb", "hsv", "lab"]) -> None:
        """Choose the colours; gray gives (height, width)."""
        self.code = _COLORS[to]

    def work(self, picture: Picture) -> Picture:
        """Give the converted image. Raises cv2.error where it is not BGR."""
        return _made(picture, lambda image: _bytes(cv2.cvtColor(image, self.code)))


class AugmentImage(sp.Unit):
    """Vary each image by chance: mirrored, cut, brighter or darker. Its size stays unless it is cut.

    With a seed the change of an item depends on the item alone, whichever worker makes it.
    """

    def __init__(
        self, *, flip: float = 0.5, crop: float = 0.0, brightness: float = 0.0, seed: int | None = None
    ) -> None:
        """Choose how much.

        Args:
            flip: the probability with which left and right are exchanged, 0..1.
            crop: the largest part of width and height that is cut off, 0..1, at a place of chance.
            brightness: the largest change of the pixels, as a part of the whole range, 0..1.
            seed: the same seed makes the same changes; without one each run differs.

        """
        for name, value in (("flip", flip), ("crop", crop), ("brightness", brightness)):
            if not 0 <= value <= 1:
                raise ValueError(f"AugmentImage: got {name}={value}, expected 0 to 1")
        self.flip = flip
        self.crop = crop
        self.brightness = brightness
        self.seed = seed
        self._random = random.Random()  # noqa: S311 - no secret

    def work(self, picture: sp.Item[Picture]) -> Picture:
        """Give the changed image."""
        chance = self._random if self.seed is None else random.Random(f"{self.seed} {picture.header.key}")  # noqa: S311 - no secret
        return _made(picture.value, lambda image: self._vary(image, chance))

    def _vary(self, image: Image, chance: random.Random) -> Image:
        height, width = image.shape[:2]
        if chance.random() < self.flip:
            image = image[:, ::-1]
        less = chance.uniform(0, self.crop)
        rows, columns = max(1, round(height * (1 - less))), max(1, round(width * (1 - less)))
        top, left = chance.randint(0, height - rows), chance.randint(0, width - columns)
        image = image[top : top + rows, left : left + columns]
        change = 255 * chance.uniform(-self.brightness, self.brightness)
        return _bytes(np.clip(image + change, 0, 255).astype(np.uint8)) if change else np.ascontiguousarray(image)


class CropBoxes(sp.Unit):
    """Cut the boxes out of each image: a part for each, in their order; none for none.

    A box is a `Box`, four fractions (left, top, right, bottom), or something with such a `box`. What lies outside of
    the image is left out; where nothing is left, the box is.
    """

    def __init__(self, *, margin: float = 0.0) -> None:
        """Choose by what part of its size a box is grown on each side."""
        self.margin = margin

    def work(self, picture: Picture, boxes: Any) -> Iterator[Picture]:
        """Give the cuts."""
        for box in _boxes(boxes):
            image = _cut(_image(picture), box, self.margin)
            if image.size:
                yield _made(picture, partial(_take, image))


class DrawBoxes(sp.Unit):
    """Draw boxes on each image, and their `name` or `label` where they have one; without boxes it goes on as it is."""

    def __init__(self, *, color: tuple[int, int, int] = (0, 255, 0), thickness: int = 2) -> None:
        """Choose blue, green and red, 0..255, and the thickness of the lines in pixels."""
        self.color = color
        self.thickness = thickness

    def work(self, picture: Picture, boxes: Any | None) -> Picture:
        """Give the image with the boxes that came in time."""
        return picture if boxes is None else _made(picture, lambda image: self._draw(image, list(boxes)))

    def _draw(self, image: Image, boxes: list[Any]) -> Image:
        drawn = image.copy()
        for given, box in zip(boxes, _boxes(boxes), strict=True):
            left, top, right, bottom = box.pixels(image)
            cv2.rectangle(drawn, (left, top), (right, bottom), self.color, self.thickness)
            label = str(getattr(given, "name", "") or getattr(given, "label", ""))
            if label:
                place = (left, max(10, top - 4))
                cv2.putText(drawn, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, self.color, 1, cv2.LINE_AA)
        return drawn


class SaveImage(sp.Unit):
    """Write each image to a file."""

    def __init__(self, *, path: str = "{stream}-{seq:06}.png") -> None:
        """Choose the files.

        Args:
            path: with `{stream}`, `{seq}`, `{part}` (the numbers of a part, such as `0.2`) and `{source}` (of a frame);
                the ending chooses the kind. Folders are made; a file that is there is overwritten.

        """
        self.path = path

    def work(self, picture: sp.Item[Frame | Image]) -> None:
        """Write one file. Raises ValueError where the ending is no kind of image."""
        source = picture.value.source if isinstance(picture.value, Frame) else ""
        part = ".".join(map(str, picture.path))
        path = Path(self.path.format(stream=picture.stream, seq=picture.seq, part=part, source=source))
        try:
            done, data = cv2.imencode(path.suffix, _image(picture.value))
        except cv2.error as error:
            raise ValueError(f"SaveImage: {path} can't be written: {error}") from error
        if not done:
            raise ValueError(f"SaveImage: {path} can't be written as {path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())


class ShowImage(sp.Unit):
    """Show each image in a window; needs a display, and an OpenCV that has windows."""

    _is_open = False

    def __init__(self, *, title: str = "") -> None:
        """Choose the title of the window; the name of the unit by default."""
        self.title = title

    def start(self) -> None:
        """Open the window.

        Raises:
            RuntimeError: there is no display, or this OpenCV has no windows.

        """
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise RuntimeError("ShowImage: there is no display (DISPLAY is not set): use SaveImage or VideoWriter")
        self.title = self.title or sp.worker().unit
        try:
            cv2.namedWindow(self.title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise RuntimeError(
                "ShowImage: this OpenCV has no windows: pip install opencv-python in place of opencv-python-headless"
            ) from error
        self._is_open = True

    def work(self, picture: Frame | Image) -> None:
        """Show one image."""
        cv2.imshow(self.title, _image(picture))
        cv2.waitKey(1)  # milliseconds; lets the window draw

    def stop(self) -> None:
        """Close the window."""
        if self._is_open:
            cv2.destroyWindow(self.title)


def _load(path: Path) -> Image:
    if not path.is_file():
        raise FileNotFoundError(f"no image at {path}")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} can't be read as an image")
    return _bytes(image)


def _bytes(image: Any) -> Image:
    return np.asarray(image, np.uint8)


def _image(picture: Frame | Image) -> Image:
    return picture.image if isinstance(picture, Frame) else picture


def _take(new: Image, _: Image) -> Image:
    return new


def _made(picture: Picture, make: Callable[[Image], Image]) -> Picture:
    if isinstance(picture, Frame):
        return dataclasses.replace(picture, image=make(picture.image))
    return make(picture)


def _boxes(boxes: Iterable[Any]) -> list[Box]:
    return [box_of(one) for one in boxes]


def _cut(image: Image, box: Box, margin: float) -> Image:
    more_x, more_y = (box.right - box.left) * margin, (box.bottom - box.top) * margin
    grown = Box(box.left - more_x, box.top - more_y, box.right + more_x, box.bottom + more_y)
    left, top, right, bottom = grown.pixels(image)
    return image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].copy()
