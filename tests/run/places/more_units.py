"""More units that can live in other OS processes: arrays, odd values and errors, events, settings, workers' places."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.run.places.units import let_through, wait_at

import streampy as sp

Frame = NDArray[np.uint8]
SIZE = 100_000
"""Bytes of a frame: too many to travel but through shared memory."""


def frames(*, until: int, in_place: bool = False) -> Iterator[Frame]:
    for number in range(until):
        frame = sp.empty(SIZE, np.uint8) if in_place else np.empty(SIZE, np.uint8)
        frame[:] = number % 251
        yield frame


def brighter(frame: Frame) -> Frame:
    return frame + 1


def mean(frame: Frame) -> float:
    return float(frame.mean())


def both_means(left: Frame, right: Frame) -> tuple[float, float]:
    return float(left.mean()), float(right.mean())


class Window(sp.Unit):
    """Keeps the last five frames as they were given, and tells what they hold now."""

    def __init__(self) -> None:
        self.kept: deque[Frame] = deque(maxlen=5)

    def work(self, frame: Frame) -> list[int]:
        self.kept.append(frame)
        assert all(kept.min() == kept.max() for kept in self.kept)
        return [int(kept[0]) for kept in self.kept]


def writes_into(frame: Frame) -> Frame:
    frame[0] = 1
    return frame


def not_to_be_pickled(number: int) -> Any:
    return threading.Lock() if number == 2 else number


class Odd(Exception):
    """Can't be pickled."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"odd {one + other}")
        self.lock = threading.Lock()


def raises_oddly(number: int) -> int:
    raise Odd(number, number)


def raises_with_cause(number: int) -> int:
    try:
        {}["no key"]
    except KeyError as error:
        failure = ValueError("no value")
        failure.add_note("a note of the user")
        raise failure from error
    return number


class Leaves(sp.Unit):
    """Raises what is no Exception where it is told to."""

    def __init__(self, *, at: str, error: str) -> None:
        self.at, self.error = at, error

    def _leave(self, at: str) -> None:
        if at == self.at:
            raise {"exit": SystemExit, "ctrl-c": KeyboardInterrupt}[self.error]("so it is")

    def start(self) -> None:
        self._leave("start")

    def work(self, number: int) -> int:
        self._leave("work")
        return number

    def stop(self) -> None:
        self._leave("stop")


class Annotate(sp.Unit):
    """With an event, and a setting that it takes while it runs."""

    def __init__(self, *, font: int = 14) -> None:
        self.font = font

    def work(self, number: int) -> int:
        return number * self.font

    def change(self, *, font: int) -> None:
        self.font = font

    @sp.event("font")
    def set_font(self, size: int) -> int:
        if size < 1:
            raise ValueError("a font has a size")
        before, self.font = self.font, size
        return before


class Counting(sp.Unit):
    """Has to be made anew for other settings."""

    def __init__(self, *, by: int = 1) -> None:
        self.by = by
        self.count = 0

    def work(self, number: int) -> int:
        self.count += 1
        return 100 * self.count + self.by * number


def scale(number: int, *, by: int = 1) -> int:
    return by * number


async def scale_async(number: int, *, by: int = 1) -> int:
    return by * number


class Camera(sp.Unit):
    def __init__(self, *, url: str) -> None:
        self.url = url

    def work(self) -> Iterator[str]:
        while not sp.worker().sleep(0.001):
            yield self.url


def url_and_seq(frame: sp.Item[str]) -> tuple[str, int]:
    return frame.value, frame.seq


def speak(number: int) -> int:
    sp.worker().fire("listen", "font", 3)
    return number


def speak_wrongly(number: int) -> int:
    sp.worker().fire("listen", "fond", 3)
    return number


def whoami(number: int, *, word: str = "") -> tuple[Any, ...]:
    worker = sp.worker()
    place = os.environ.get("WORD_OF_PLACE", ""), tuple(sorted(os.sched_getaffinity(0)))
    return worker.unit, worker.index, worker.count, worker.name, worker.device, word, *place, os.getpid()


def announced() -> Iterator[int]:
    sp.worker().expect(3)
    yield from range(3)


async def numbers_async(*, until: int) -> AsyncIterator[int]:
    for number in range(until):
        await asyncio.sleep(0)
        yield number


async def twice_async(number: int) -> AsyncIterator[int]:
    yield number
    yield number


async def total_async(numbers: AsyncIterator[int]) -> AsyncIterator[int]:
    so_far = 0
    async for number in numbers:
        so_far += number
        yield so_far


def total(numbers: Iterator[int]) -> Iterator[int]:
    so_far = 0
    for number in numbers:
        so_far += number
        yield so_far


def in_batches(batch: sp.Batch[int]) -> sp.Batch[tuple[int, bool]]:
    return sp.Batch((number, len(batch) <= 4) for number in batch)


def batches(*, until: int) -> Iterator[sp.Batch[int]]:
    for number in range(0, until, 3):
        yield sp.Batch(range(number, min(until, number + 3)))


def parts(number: int) -> Iterator[int]:
    yield from range(number)


def odd(number: int) -> int | None:
    return number if number % 2 else None


def fails(number: int) -> int:
    raise ValueError("no")


class Found(sp.Outputs):
    markup: int
    crops: Iterator[tuple[int, int]]


def detect(frame: int) -> Found:
    return Found(markup=frame, crops=((frame, face) for face in range(frame % 4)))


def identify(crop: tuple[int, int]) -> tuple[int, int] | None:
    return None if crop[1] == 2 else crop


def draw(
    frame: int, markup: int, profiles: list[tuple[int, int]] | None
) -> tuple[int, int, list[tuple[int, int]] | None]:
    return frame, markup, profiles


def hesitant(crop: tuple[int, int]) -> tuple[int, int] | None:
    sp.worker().sleep((crop[0] * 7 + crop[1] * 3) % 5 / 5000)
    return identify(crop)


def with_newest(number: int, newest: sp.Latest[int]) -> tuple[int, bool]:
    return number, newest is None or 0 <= newest < 10


def held(number: int, *, entered: str, gate: str) -> int:
    """The first one waits."""
    if number == 0:
        let_through(entered)
        wait_at(gate)
    return number


def big_result(number: int) -> Frame:
    return np.full(SIZE, number, np.uint8)


def gives_two_and_waits(*, gate: str) -> Iterator[int]:
    yield 1
    yield 2
    wait_at(gate)
    yield 3


async def gives_two_and_waits_async(*, gate: str) -> AsyncIterator[int]:
    yield 1
    yield 2
    await asyncio.to_thread(wait_at, gate)
    yield 3
