"""Units for the broken processes beside this file; all but the last ones are sound."""

from collections.abc import Iterator

import streampy as sp

LIMIT = 3


def numbers(*, until: int = 3) -> Iterator[int]:
    """A source."""
    yield from range(until)


def words() -> Iterator[str]:
    """Another source."""
    yield from ("one", "two")


def double(number: int) -> int:
    """One input, one output."""
    return 2 * number


def scale(number: int, *, factor: float) -> float:
    """A setting that must be given."""
    return factor * number


def letters(word: str) -> Iterator[str]:
    """Any number of parts for an item."""
    yield from word


def spell(word: str, letter: str) -> str:
    """A join of a word and one letter."""
    return f"{word}: {letter}"


def add(left: int, right: int) -> int:
    """A join."""
    return left + right


class Halves(sp.Outputs):
    """Two outputs."""

    low: int
    high: int


def halves(number: int) -> Halves:
    """Two outputs."""
    return Halves(low=number // 2, high=number - number // 2)


def show(number: int) -> None:
    """A sink."""


class Camera:
    """A class, but no unit."""


def several(*numbers: int) -> int:
    """Inputs without names."""
    return sum(numbers)


def tolerant(number: int = 0) -> int:
    """An input with a default."""
    return number


class Detect(sp.Unit):
    """A setting that is not keyword-only."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def work(self, number: int) -> bool:
        """Look."""
        return number > self.threshold


class Idle(sp.Unit):
    """No work."""


@sp.unit(number=sp.Pipe(from_="camera"))
def follow(number: int) -> int:
    """A link by default."""
    return number


def stream(numbers: Iterator[int]) -> Iterator[int]:
    """A whole stream."""
    yield from numbers
