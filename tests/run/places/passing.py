"""Units of which nothing is asked but to pass items on; other OS processes import them from here."""

from __future__ import annotations

from collections.abc import Iterator


def numbers(*, until: int = 20) -> Iterator[int]:
    yield from range(until)


def same(number: int) -> int:
    return number


def both(left: int, right: int) -> tuple[int, int]:
    return left, right
