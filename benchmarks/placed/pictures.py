"""1080p frames, and what units do with them, for whoever has NumPy: StreamPy is not needed for it.

Knows nothing of how a frame gets from one unit to the next. When it was made stands in its first eight bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Frame: TypeAlias = NDArray[np.uint8]
SHAPE: Final = (1080, 1920, 3)
BYTES: Final = 1080 * 1920 * 3
RATE: Final = 30.0
"""Of a camera: frames a second."""
_STAMP: Final = 8


def picture(shape: tuple[int, int, int] = SHAPE) -> Frame:
    """Something to look at, the same each time."""
    return np.random.default_rng(0).integers(0, 255, shape, np.uint8)


def stamp(frame: Frame) -> None:
    """Note in the frame that it is made now."""
    frame.reshape(-1)[:_STAMP].view(np.float64)[0] = time.monotonic()


def made(frame: Frame) -> float:
    """When it was made: `time.monotonic` seconds."""
    return float(frame.reshape(-1)[:_STAMP].view(np.float64)[0])


def touch(frame: Frame) -> Frame:
    """Read every fourth row for the brightest value in it (1.5 MB of the 6.2), and pass the frame on."""
    frame[::4].max()
    return frame


def pass_on(frame: Frame) -> Frame:
    """Look at one pixel, and pass the frame on."""
    frame[0, 0, 0]
    return frame


def paced(count: int, rate: float) -> Iterator[int]:
    """Numbers, so many a second (`inf`: as fast as possible)."""
    start = time.monotonic()
    for number in range(count):
        wait = start + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield number
