"""Units of `test_backpressure`; their OS processes import this as a user's module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def numbers(*, until: int) -> Iterator[int]:
    yield from range(until)


def wait(number: int, *, gate: str) -> None:
    """Go on when whoever opened the FIFO for writing closes it; at once where it is gone."""
    if number < 2 and Path(gate).exists():
        Path(gate).read_bytes()
