"""Units for the tests of recordings; at the top level of a module, so that they may live in other OS processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import streampy as sp


class Box(NamedTuple):
    left: int
    label: str


@dataclass(frozen=True)
class Found:
    number: int
    boxes: tuple[Box, ...]


def frames(*, until: int = 5, every: float = 0.0) -> Iterator[sp.Item[np.ndarray]]:
    worker = sp.worker()
    for number in range(until):
        if every and worker.sleep(every):
            return
        header = sp.Header("", 0, worker.now(), meta={"number": number})
        yield sp.Item(np.full((40, 50), number, np.uint8), header)


def find(frame: np.ndarray) -> Found:
    number = int(frame[0, 0])
    return Found(number, tuple(Box(left, f"{number}.{left}") for left in range(number % 3)))


def boxes(found: Found) -> Iterator[Box]:
    yield from found.boxes


def label(box: sp.Item[Box]) -> tuple[str, str, int, tuple[int, ...], int]:
    return (box.value.label, box.stream, box.seq, box.path, box.meta["number"])


def together(labels: list[tuple], found: Found) -> tuple[int, list[str]]:
    return found.number, [one[0] for one in labels]


def tell(found: sp.Item[Found]) -> tuple[str, int, int, Found]:
    return found.stream, found.seq, found.meta["number"], found.value


def no_even(found: Found) -> Found:
    if found.number % 2 == 0:
        raise ValueError(f"{found.number} is even")
    return found


def no_even_pair(found: Found, frame: np.ndarray) -> int:
    if found.number % 2 == 0:
        raise ValueError(f"{found.number} is even")
    return int(frame[0, 0])


def keep_even(found: Found) -> Found:
    return found


def sum_pair(found: Found, frame: np.ndarray) -> int:
    return 10 * found.number + int(frame[0, 0])


def strange(frame: np.ndarray) -> object:
    return object()


class Ways(sp.Outputs):
    left: int
    right: int


def both() -> Iterator[Ways]:
    for number in range(3):
        yield Ways(left=number, right=-number)


def pair(left: int, right: list[int]) -> tuple[int, list[int]]:
    return left, right


def take(value: object) -> None:
    pass


def age(frame: sp.Item[np.ndarray]) -> tuple[int, float]:
    return frame.seq, round(sp.worker().now() - frame.born, 6)


def moment(frame: np.ndarray) -> tuple[int, float]:
    return int(frame[0, 0]), round(sp.worker().now(), 6)
