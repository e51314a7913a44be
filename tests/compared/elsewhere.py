"""Units that other OS processes import from here."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

import streampy as sp

Frame = NDArray[np.uint8]


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def double(number: int) -> int:
    return 2 * number


async def double_async(number: int) -> int:
    return 2 * number


def where(number: int) -> tuple[int, int]:
    """With the OS process that it was in."""
    return number, os.getpid()


class Doubles(sp.Unit):
    """Tells where it is, also before the first item."""

    def work(self, number: int) -> int:
        return 2 * number

    @sp.event("where")
    def where(self) -> int:
        return os.getpid()


class Told(sp.Unit):
    """Tells what each worker has for itself."""

    def __init__(self, *, port: int) -> None:
        self.port = port

    def work(self, number: int) -> int:
        return number

    @sp.event("tell")
    def tell(self) -> tuple[int, int, str, str, set[int]]:
        worker = sp.worker()
        return worker.index, self.port, worker.device, os.environ["SHARE"], os.sched_getaffinity(0)


def speak(number: int) -> int:
    sp.worker().logger.warning("logged %s", number)
    print("printed", number)  # noqa: T201 - it is what is looked for
    return number


def frames(*, sizes: list[int]) -> Iterator[Frame]:
    """Of so many bytes each, all of them its number."""
    for number, size in enumerate(sizes):
        yield np.full(size, number, np.uint8)


def looked_at(frame: Frame) -> tuple[int, int, bool]:
    """How long, which number, and whether all is as it was sent, and may not be written to."""
    number = int(frame[0])
    return len(frame), number, bool((frame == number).all()) and not frame.flags.writeable


def last_five(frames: Iterator[Frame]) -> Iterator[list[int]]:
    """The numbers of the last frames, as they stand in them now."""
    kept: deque[Frame] = deque(maxlen=5)
    for frame in frames:
        kept.append(frame)
        yield [number for one in kept for number in np.unique(one).tolist()]


def address(frame: Frame) -> tuple[str, int]:
    """The file of shared memory in which it lies, and where in that."""
    begin = frame.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, offset, _, _, *path = line.split()
        first, last = (int(end, 16) for end in span.split("-"))
        if first <= begin < last:
            return path[0], begin - first + int(offset, 16)
    raise LookupError(begin)


def pass_on(frame: Frame) -> Frame:
    return frame


def lock(number: int) -> Any:
    return Lock()


class Falls(sp.Unit):
    """Is killed by the seventh item, once: the file is the memory of that."""

    def __init__(self, *, file: str) -> None:
        self.file = Path(file)

    def work(self, number: int) -> int:
        if number == 7 and not self.file.exists():
            self.file.touch()
            sys.stderr.write("here it ends\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number


class Hangs(sp.Unit):
    """Never comes back; says so in a file."""

    def __init__(self, *, file: str) -> None:
        self.file = file

    def work(self, number: int) -> int:
        Path(self.file).write_text(str(os.getpid()))
        time.sleep(1000)
        return number
