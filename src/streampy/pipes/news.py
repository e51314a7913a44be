"""What the ends of a pipe tell each other besides items: news, which are kept until no lock is held, and errors.

Knows nothing of how it gets there, nor of what the news say.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any, final

from streampy.model.item import Header
from streampy.pipes.frames import Buffer, columns_of, headers_of
from streampy.pipes.thrown import pack_error, unpack_error


def hear_nothing(news: Any) -> None:
    """For an end that is told no news: what comes all the same is a mistake. Raises RuntimeError."""
    raise RuntimeError(f"news came to an end of a pipe that was made without `hear`: {news!r}")


@final
class News:
    """What came, and whom it is for."""

    __slots__ = ("_come", "_hear", "_is_passing", "_turn")

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self._hear = hear
        self._come: deque[Any] = deque()
        self._turn = RLock()
        self._is_passing = False

    def __bool__(self) -> bool:
        return bool(self._come)

    def add(self, data: Buffer) -> None:
        """A piece of news came."""
        self._come.append(pickle.loads(data))  # noqa: S301 - the other end of a pipe of ours

    def pass_on(self) -> None:
        """Tell all that came, each piece once, in order; back when all are told, by whatever thread.

        No lock may be held, for whoever hears may take any. Raises what that raises.
        """
        if not self._come and not self._is_passing:
            return
        with self._turn:
            was_passing, self._is_passing = self._is_passing, True
            try:
                while self._come:
                    self._hear(self._come.popleft())
            finally:
                self._is_passing = was_passing


def pack_answer(dropped: Sequence[Header], error: BaseException | None) -> bytes:
    """What became of a batch: the headers of what was dropped, and why it was refused, if it was."""
    return pickle.dumps((columns_of(dropped), None if error is None else pack_error(error)))


def unpack_answer(data: Buffer) -> tuple[Sequence[Header], BaseException | None]:
    """See `pack_answer`."""
    dropped, error = pickle.loads(data)  # noqa: S301 - as above
    return headers_of(dropped), None if error is None else unpack_error(error)
