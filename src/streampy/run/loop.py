"""Finds out when a cycle of units has come to rest, so that a stream can end although they feed each other.

Knows nothing of the units; it counts what goes in and what is done.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Loop:
    """The items inside of a cycle. When no sender outside is left and none is inside, `at_rest` is called, once."""

    def __init__(self, senders: int) -> None:
        self._lock = Lock()
        self._senders = senders
        self._items = 0
        self._is_at_rest = False
        self.at_rest: list[Callable[[], None]] = []

    def enter(self, count: int) -> None:
        """Items are put into a pipe of the cycle."""
        with self._lock:
            self._items += count

    def leave(self, count: int) -> None:
        """Items are done: all that they gave was put where it belongs."""
        self._change(items=-count)

    def end(self) -> None:
        """A sender outside has ended."""
        self._change(senders=-1)

    def _change(self, *, items: int = 0, senders: int = 0) -> None:
        with self._lock:
            self._items += items
            self._senders += senders
            if self._items or self._senders or self._is_at_rest:
                return
            self._is_at_rest = True
        for tell in self.at_rest:
            tell()
