"""Lets answers out in the order in which it was asked, each queue by itself.

Pure. Knows nothing of what is asked, nor of who answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Generic, TypeVar, final

A = TypeVar("A")


@final
class _Answer(Generic[A]):
    __slots__ = ("numbers", "what")

    def __init__(self, what: A, numbers: Sequence[int]) -> None:
        self.what = what
        self.numbers = numbers


class InTurn(Generic[A]):
    """Questions in queues, in their order. An answer to several of them leaves when it is the turn of each.

    Where that can't be, because two answers are each before the other one in some queue, neither waits for the other.
    """

    def __init__(self) -> None:
        self._queues: dict[Hashable, deque[int]] = {}
        self._queue_of: dict[int, Hashable] = {}
        self._answers: dict[int, _Answer[A]] = {}

    def __len__(self) -> int:
        """Questions that were not answered, or whose answers have not left."""
        return len(self._queue_of)

    def ask(self, queue: Hashable, number: int) -> None:
        """A question, behind all others of its queue. Numbers are never used again."""
        self._queues.setdefault(queue, deque()).append(number)
        self._queue_of[number] = queue

    def answer(self, numbers: Iterable[int], what: A) -> list[A]:
        """One answer to some of them; returns all that may leave now, in their order."""
        answered = list(numbers)
        if len(answered) == 1 and self._queues[self._queue_of[answered[0]]][0] == answered[0]:
            return self._at_once(answered[0], what)
        self._answers.update(dict.fromkeys(answered, _Answer(what, answered)))
        return self._let_go(deque(dict.fromkeys(self._queue_of[number] for number in answered)))

    def _at_once(self, number: int, what: A) -> list[A]:
        """It is the first one of its queue, as most are, and answered alone."""
        queue = self._queue_of.pop(number)
        waiting = self._queues[queue]
        waiting.popleft()
        if not waiting:
            del self._queues[queue]
            return [what]
        return [what, *self._let_go(deque([queue]))] if waiting[0] in self._answers else [what]

    def _let_go(self, moved: deque[Hashable]) -> list[A]:
        """All that may leave from these queues now."""
        leaving: list[A] = []
        while moved:
            waiting = self._queues.get(moved.popleft())
            for one in self._due(waiting[0]) if waiting else ():
                leaving.append(one.what)
                moved.extend(self._leave(one))
        return leaving

    def _leave(self, one: _Answer[A]) -> Iterator[Hashable]:
        """Take an answer out of its queues, which are returned."""
        for number in one.numbers:
            del self._answers[number]
            queue = self._queue_of.pop(number)
            self._queues[queue].remove(number)
            if not self._queues[queue]:
                del self._queues[queue]
            yield queue

    def _due(self, first: int) -> list[_Answer[A]]:
        """The answer to a question and all that must leave before it, in order; none if one of these is not there."""
        found: dict[_Answer[A], None] = {}
        entered: set[_Answer[A]] = set()
        path: list[tuple[_Answer[A], Iterator[int]]] = []
        number: int | None = first
        while True:
            if number is not None:
                one = self._answers.get(number)
                if one is None:
                    return []
                if one not in entered:
                    entered.add(one)
                    path.append((one, self._before(one)))
            number = next(path[-1][1], None)
            if number is None:
                found[path.pop()[0]] = None
                if not path:
                    return list(found)

    def _before(self, one: _Answer[A]) -> Iterator[int]:
        """The questions in front of those that it answers."""
        for number in one.numbers:
            yield from takewhile(number.__ne__, self._queues[self._queue_of[number]])
