"""1080p frames, and the units of the benchmark that do something with them: the same functions in all ways.

Knows nothing of how a frame gets from one unit to the next. When it was made stands in its first eight bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import streampy as sp
from placed.arrivals import Arrivals
from placed.pictures import BYTES, RATE, SHAPE, Frame, made, paced, pass_on, picture, stamp, touch

__all__ = ["BYTES", "RATE", "SHAPE", "Frame", "Look", "copy", "few_frames", "frames", "made", "paced", "pass_on"]
__all__ += ["picture", "plain_frames", "stamp", "touch"]


def copy(frame: Frame) -> Frame:
    """Write a new frame, with the same in it, where it can be sent from uncopied."""
    new: Any = sp.empty(SHAPE, np.uint8)
    np.copyto(new, frame)
    return new


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
