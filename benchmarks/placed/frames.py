"""1080p frames, and the units of the benchmark that do something with them: the same functions in all ways.

Knows nothing of how a frame gets from one unit to the next. When it was made stands in its first eight bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

import streampy as sp
from placed.arrivals import Arrivals

Frame: TypeAlias = NDArray[np.uint8]
SHAPE: Final = (1080, 1920, 3)
BYTES: Final = 1080 * 1920 * 3
RATE: Final = 30.0
"""Of a camera: frames a second."""
_STAMP: Final = 8


def picture() -> Frame:
    """Something to look at, the same each time."""
    return np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)


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


def copy(frame: Frame) -> Frame:
    """Write a new frame, with the same in it, where it can be sent from uncopied."""
    new: Any = sp.empty(SHAPE, np.uint8)
    np.copyto(new, frame)
    return new


def paced(count: int, rate: float) -> Iterator[int]:
    """Numbers, so many a second (`inf`: as fast as possible)."""
    start = time.monotonic()
    for number in range(count):
        wait = start + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield number


def frames(*, count: int, rate: float) -> Iterator[Frame]:
    """Each copied from one picture into memory of its own, where it can be sent from uncopied."""
    one = picture()
    for _ in paced(count, rate):
        frame: Any = sp.empty(SHAPE, np.uint8)
        np.copyto(frame, one)
        stamp(frame)
        yield frame


def plain_frames(*, count: int, rate: float) -> Iterator[Frame]:
    """As `frames`, in plain memory, as a unit makes them that knows nothing of places."""
    one = picture()
    for _ in paced(count, rate):
        frame = one.copy()
        stamp(frame)
        yield frame


def few_frames() -> Iterator[Frame]:
    """Ten of them, and then none, until it is stopped."""
    yield from frames(count=10, rate=RATE)
    while not sp.worker().sleep(3600.0):
        pass


class Look(sp.Unit):
    """The end of a chain of frames: when each came, and when it was made."""

    def __init__(self, *, file: str) -> None:
        self._arrivals = Arrivals(file)

    def work(self, frame: Frame) -> None:
        self._arrivals.note(made(frame))

    def stop(self) -> None:
        """Save what came when."""
        self._arrivals.save()
