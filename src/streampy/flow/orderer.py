"""Puts the results of several workers back into the order in which their items were handed out.

Pure. Knows nothing of what the results are.
"""

from __future__ import annotations

from typing import Generic, TypeVar

R = TypeVar("R")


class Orderer(Generic[R]):
    """Tickets are drawn in order; results come with their ticket and leave in order."""

    __slots__ = ("_drawn", "_held", "_next")

    def __init__(self) -> None:
        self._drawn = 0
        self._next = 0
        self._held: dict[int, R] = {}

    def draw(self) -> int:
        """The ticket for what is handed out now."""
        self._drawn += 1
        return self._drawn - 1

    def hold(self, ticket: int, result: R) -> None:
        """Keep a result until those before it have left. Raises ValueError for a ticket that is not out."""
        if not self._next <= ticket < self._drawn or ticket in self._held:
            raise ValueError(f"ticket {ticket} is not out (next to leave {self._next}, drawn {self._drawn})")
        self._held[ticket] = result

    def pop(self) -> R | None:
        """The next result, if it is there."""
        if not self.has_next:
            return None
        self._next += 1
        return self._held.pop(self._next - 1)

    @property
    def has_next(self) -> bool:
        """Whether the next result is there."""
        return self._next in self._held

    @property
    def held(self) -> int:
        """How many results wait for an earlier one."""
        return len(self._held)

    @property
    def outstanding(self) -> int:
        """How many tickets are out whose results have not left."""
        return self._drawn - self._next
