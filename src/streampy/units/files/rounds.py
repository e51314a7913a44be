"""In which order a source gives what it has, and how often; and which part of it a worker gives.

Knows nothing of files.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Literal, TypeAlias, TypeVar

import streampy as sp

T = TypeVar("T")
Order: TypeAlias = Literal["given", "random"]
"""As it stands there; or mixed, for which all of it is held in memory."""


def rounds(read: Callable[[], Iterable[T]], *, order: Order, seed: int | None, endless: bool) -> Iterator[T]:
    """Give what is read, this worker's part of it.

    Args:
        read: gives all of it, each time that it is called.
        order: `given`, or `random`: mixed anew in each round.
        seed: the same seed gives the same random order; without one each run differs, except with several workers:
            they must mix alike.
        endless: begin again at the end, until the process is stopped.

    """
    if order == "random":
        yield from _mixed(list(read()), seed, endless=endless)
        return
    while True:
        empty = True
        for value in mine(read()):
            empty = False
            yield value
        if empty or not endless:
            return


def _mixed(values: list[T], seed: int | None, *, endless: bool) -> Iterator[T]:
    worker = sp.worker()
    mixer = random.Random(0 if seed is None and worker.count > 1 else seed)  # noqa: S311 - no secret
    if not endless:
        expect(len(values))
    while values:
        mixer.shuffle(values)
        part = list(mine(values))
        yield from part
        if not endless or not part:
            return


def mine(values: Iterable[T]) -> Iterator[T]:
    """Give this worker's part: every n-th where there are n workers."""
    worker = sp.worker()
    return islice(iter(values), worker.index, None, worker.count)


def expect(items: int) -> None:
    """Tell how many items all workers will give together, so that progress can be shown."""
    worker = sp.worker()
    worker.expect(len(range(worker.index, items, worker.count)))
