"""What happens when a unit raises: try again, skip, keep as a dead letter, or stop the process.

Knows nothing of how the unit was called.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from streampy.errors import UnitFailed
from streampy.model.item import Header, Item
from streampy.model.pipe import OnError, Then

if TYPE_CHECKING:
    from streampy.run.worker import Worker

_LOG_EVERY = 1.0
ITEM: Final = "streampy_item"
"""The key of the item that a log record is about, as an attribute of that."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An item on which a unit raised, with its error: it can be replayed."""

    unit: str
    item: Item[Any]
    """The value as the unit was given it: for a join the tuple of its arguments."""
    error: BaseException


class Letters(Protocol):
    """Where dead letters are put."""

    def add(self, letter: DeadLetter) -> None:
        """Keep one."""


class DeadLetters:
    """The dead letters of a process; the oldest are put out where there are more than fit, and counted."""

    def __init__(self, capacity: int = 10_000, also: Letters | None = None) -> None:
        """Also: who else is given each, such as a file."""
        self._also = also
        self._letters: deque[DeadLetter] = deque(maxlen=capacity)
        self._lock = Lock()
        self.lost = 0

    def add(self, letter: DeadLetter) -> None:
        """Keep one."""
        if self._also is not None:
            self._also.add(letter)
        with self._lock:
            self.lost += len(self._letters) == self._letters.maxlen
            self._letters.append(letter)

    def take(self) -> list[DeadLetter]:
        """All that are kept, which are then no longer kept here."""
        with self._lock:
            letters = list(self._letters)
            self._letters.clear()
        return letters

    def __len__(self) -> int:
        return len(self._letters)


class Trouble:
    """The error policy of one unit, as one of its workers obeys it."""

    def __init__(self, policy: OnError, worker: Worker, dead_letters: Letters) -> None:
        self._policy = policy
        self._worker = worker
        self._dead_letters = dead_letters
        self._quiet_until = 0.0
        self._unlogged = 0

    @property
    def stops(self) -> bool:
        """Whether an error stops the process at once."""
        return self._policy.then is Then.STOP and not self._policy.retry

    @property
    def tries(self) -> range:
        """The further tries that an item is given."""
        return range(self._policy.retry)

    def backoff(self, attempt: int) -> float:
        """Seconds before a further try, from 0: doubled each time, up to a bound."""
        return min(self._policy.backoff * 2.0**attempt, self._policy.backoff_most)

    def give_up(self, header: Header, value: Any, error: Exception) -> None:
        """The last try failed. Raises UnitFailed where that stops the process."""
        if self._policy.then is Then.STOP:
            raise self.failure(header.key, error) from error
        if self._policy.then is Then.DEAD_LETTER:
            self._dead_letters.add(DeadLetter(self._worker.unit, Item(value, header), error))
        self._log(header, error)

    def give_up_source(self, error: Exception) -> None:
        """A source raised once too often: it ends here, unless that stops the process. Raises UnitFailed then."""
        if self._policy.then is Then.STOP:
            raise self.failure("", error) from error
        self._worker.logger.error("the source ends, for it raised: %s: %s", type(error).__name__, error, exc_info=error)

    def keep(self, header: Header, value: Any, error: BaseException) -> None:
        """An item was put aside in another OS process."""
        self._dead_letters.add(DeadLetter(self._worker.unit, Item(value, header), error))

    def bury_alive(self, header: Header, value: Any, error: BaseException) -> None:
        """Workers died on this item: whatever the policy says of errors, nobody is to touch it again."""
        self.keep(header, value, error)
        said = "item %s is put aside, workers died on it"
        self._worker.logger.error(said, header.key, exc_info=error, extra={ITEM: header.key})

    def failure(self, key: str, error: BaseException) -> UnitFailed:
        """The error that the user will see, about to be raised from the unit's own."""
        on = f" on item {key}" if key else ""
        error.add_note(f"raised in unit {self._worker.unit!r}{on} (worker {self._worker.name})")
        return UnitFailed(self._worker.unit, key, self._worker.name, f"{type(error).__name__}: {error}")

    def _log(self, header: Header, error: Exception) -> None:
        """At most one line a second: a unit that always fails must not drown the log."""
        now = self._worker.now()
        if now < self._quiet_until:
            self._unlogged += 1
            return
        more = f" (and {self._unlogged} more since the last such line)" if self._unlogged else ""
        level = logging.ERROR if self._policy.then is Then.DEAD_LETTER else logging.WARNING
        self._worker.logger.log(
            level,
            "item %s: %s: %s%s",
            header.key,
            type(error).__name__,
            error,
            more,
            exc_info=error,
            extra={ITEM: header.key},
        )
        self._quiet_until, self._unlogged = now + _LOG_EVERY, 0
