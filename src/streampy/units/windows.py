"""Lists of items that came one after another: so many, or in so many seconds.

Knows nothing of what is done with them.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

import streampy as sp


class CountWindow(sp.Unit):
    """Give the last n values, again and again: `step` apart, so windows may overlap or leave some out.

    A window belongs to the item that came last into it.

    >>> sp.testing.feed(CountWindow, settings={"size": 2}, values=range(5))
    [[0, 1], [2, 3], [4]]
    >>> sp.testing.feed(CountWindow, settings={"size": 3, "step": 1, "partial": False}, values=range(5))
    [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    """

    def __init__(self, *, size: int, step: int | None = None, partial: bool = True) -> None:
        """Choose the windows.

        Args:
            size: values in a window, at least 1.
            step: how many values after its predecessor a window begins, at least 1; by default `size`.
            partial: whether a last window that is not full goes out at the end of the stream.

        """
        self.size = size
        self.step = size if step is None else step
        self.partial = partial
        if size < 1 or self.step < 1:
            raise ValueError(f"CountWindow: got size={size}, step={self.step}, expected at least 1")

    def work(self, values: Iterator[Any]) -> Iterator[list[Any]]:
        """Give the windows."""
        window: list[Any] = []
        skip = fresh = 0  # values to leave out before the next window; those in it that went out in none
        for value in values:
            if skip:
                skip -= 1
                continue
            window.append(value)
            fresh += 1
            if len(window) == self.size:
                yield list(window)
                skip = max(0, self.step - self.size)
                del window[: self.step]
                fresh = 0
        if self.partial and fresh:
            yield window


class TimeWindow(sp.Unit):
    """Give the values that were born within the same so many seconds; the first item begins the first window.

    A window goes out with the first item that is born after it, or at the end of the stream: in a quiet stream that
    may be late. Items that come out of order go into the window that is open. Windows without an item are left out.

    >>> sp.testing.feed(TimeWindow, settings={"seconds": 1.0}, values=[1, 2])
    [[1, 2]]
    """

    def __init__(self, *, seconds: float) -> None:
        """Choose how long a window is: seconds, above 0."""
        if not seconds > 0:
            raise ValueError(f"TimeWindow: got seconds={seconds}, expected more than 0")
        self.seconds = seconds

    def work(self, values: Iterator[sp.Item[Any]]) -> Iterator[list[Any]]:
        """Give the windows; each belongs to the item with which it goes out."""
        window: list[Any] = []
        end = -inf
        for item in values:
            if item.born >= end:
                if window:
                    yield window
                begin = item.born if end == -inf else end + (item.born - end) // self.seconds * self.seconds
                end = begin + self.seconds
                window = []
            window.append(item.value)
        if window:
            yield window
