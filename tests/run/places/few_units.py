"""A few frames, for `test_small_memory`."""

from __future__ import annotations

from collections.abc import Iterator

import shots

import streampy as sp


def camera(*, until: int) -> Iterator[shots.Shot]:
    for number in range(until):
        yield shots.shoot(number)


def turn(shot: shots.Shot) -> shots.Shot:
    shots.check(shot)
    return shots.shoot(shot.number, turned=not shot.turned)


class Last(shots.Ordered):
    def stop(self) -> None:
        print("frames:", self._next, flush=True)  # noqa: T201 - it is read


def start() -> None:
    """Run the file `few.yaml` from Python, and tell what comes out."""
    try:
        sp.run(sp.load("few.yaml"))
    except sp.StreamPyError as error:
        print(type(error).__name__, error)  # noqa: T201 - it is read
