"""What others want done in a worker: an event fired at its unit, between two items.

Knows nothing of what is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from inspect import isawaitable
from typing import Any


class Mailbox:
    """One worker's. Anyone may post; the worker reads when it has nothing in its hands."""

    def __init__(self) -> None:
        self.letters: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        """For those who look very often whether there are any."""
        self._is_shut = False

    def __bool__(self) -> bool:
        return bool(self.letters)

    def post(self, what: Callable[[], Any]) -> Future[Any]:
        """Have something done; the future holds what it returned or raised."""
        answer: Future[Any] = Future()
        self.letters.append((what, answer))
        if self._is_shut:
            self.shut()
        return answer

    def read(self) -> None:
        """Do all that was posted. What raises is told to whoever posted it, and harms nobody else."""
        while self.letters:
            what, answer = self.letters.popleft()
            try:
                answer.set_result(what())
            except Exception as error:
                answer.set_exception(error)
            except BaseException:  # it ended the worker, and nobody else
                answer.cancel()
                raise

    async def read_async(self) -> None:
        """As `read`; what is `async def` is awaited."""
        while self.letters:
            what, answer = self.letters.popleft()
            try:
                result = what()
                answer.set_result(await result if isawaitable(result) else result)
            except Exception as error:
                answer.set_exception(error)
            except BaseException:  # it ended the worker, and nobody else
                answer.cancel()
                raise

    def shut(self) -> None:
        """The worker has left: nobody will read."""
        self._is_shut = True
        while self.letters:
            _, answer = self.letters.popleft()
            answer.cancel()
