"""What an OS process sends to others lies in its arena; who finds no room there waits, or has it grow.

Knows nothing of who the others are. Any thread may use it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from select import select
from time import monotonic
from typing import Any, Final, final

from streampy.memory.arena import FULL, PLAIN, Arena
from streampy.memory.region import NoSharedMemory
from streampy.memory.sealed import Sealed
from streampy.pipes.base import Cancelled

_LOOK_UP: Final = 0.05
"""Seconds after which who waits asks once more for what is lent out."""
_STILL: Final = 0.2
"""Seconds without any room becoming free, after which more is reserved, or where there is no more memory, the value
itself is sent: who holds the room may wait for what is to come."""


@final
class Stock:
    """The arena of this OS process, for those that may wait."""

    def __init__(
        self,
        run: str,
        name: str,
        most: int,
        item: int | None,
        *,
        reach: int,
        sharers: int,
        ask: Callable[[], None],
        tight: Callable[[str], object],
    ) -> None:
        """Ask: called to have all that was lent out and is needed no more given back at once. The rest: see `Arena`.

        reach: how many items may be alive at once where all units pass on what they are given: more room is reserved
        up to that without waiting.
        """
        self._most = most
        self._left = max(0, reach - most)
        """Items for which more room may be reserved at once."""
        self.arena = Arena(run, name, most=most, item=item, sharers=sharers, tight=tight, freed=self._freed)
        self._ask = ask
        self._tight = tight
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._waiting = 0
        self._looks: dict[int, Callable[[], None]] = {}
        """What is to be done when there is something to read at a file: somebody may give room back there."""
        self._frees = 0
        self._is_cancelled = False

    def reserve(self) -> None:
        """Have at once the room that was stated, if any was. Raises NoSharedMemory; then it is closed."""
        try:
            self.arena.reserve()
        except BaseException:
            self.close()
            raise

    def seal(self, values: Sequence[Any], until: float = inf) -> list[Any]:
        """The values as they travel; those that are sealed stay so. Waits for room, as long as any becomes free.

        Raises TimeoutError past `until` (`time.monotonic` seconds), Cancelled, and what pickle raises.
        """
        if PLAIN.issuperset(map(type, values)):
            return list(values)
        return [self.seal_one(value, until) for value in values]

    def seal_one(self, value: Any, until: float = inf) -> Any:
        """As `seal`."""
        if type(value) is Sealed:
            return value
        try:
            sealed = self.arena.seal(value)
        except NoSharedMemory:
            return self._inline(value)
        return self._waited(value, until) if sealed is FULL else sealed

    def _tried(self, value: Any) -> Any:
        try:
            return self.arena.seal(value)
        except NoSharedMemory:
            return self._inline(value)

    async def seal_async(self, values: Sequence[Any]) -> list[Any]:
        """As `seal`, for a task of an event loop."""
        return [
            value
            if type(value) is Sealed
            else await asyncio.to_thread(self._waited, value, inf)
            if (sealed := self._tried(value)) is FULL
            else sealed
            for value in values
        ]

    def _waited(self, value: Any, until: float) -> Any:
        still_since, frees = monotonic(), self._frees
        self._waiting += 1
        try:
            while (sealed := self._tried(value)) is FULL:
                if self._is_cancelled:
                    raise Cancelled
                if monotonic() >= until:
                    raise TimeoutError
                if self._left > 0:
                    self._left -= self._most
                    if self._has_grown():
                        continue
                if self._frees != frees:
                    still_since, frees = monotonic(), self._frees
                elif monotonic() - still_since > _STILL:
                    if not self._has_grown():
                        return self._inline(value)
                    continue
                self._ask()
                self._wait()
        finally:
            self._waiting -= 1
        return sealed

    def _has_grown(self) -> bool:
        """Have more room, if there is more memory."""
        try:
            self.arena.grow()
        except NoSharedMemory:
            return False
        return True

    def _inline(self, value: Any) -> Any:
        """The value as it travels without shared memory: slower, but who has the room may wait for just this value."""
        sealed = self.arena.inline(value)
        self._tight(
            f"{self.arena.name}: a value of {sealed.nbytes / 1e6:.1f} MB goes through a socket, which takes longer, for"
            " there is no room in shared memory; make /dev/shm larger (Docker: --shm-size=2g; Kubernetes: an emptyDir"
            " of medium Memory at /dev/shm)"
        )
        return sealed

    def watch(self, file: int, look: Callable[[], None]) -> None:
        """Who waits for room also does this when there is something to read at the file."""
        self._looks[file] = look

    def _wait(self) -> None:
        found, _, _ = select([self._bell, *self._looks], [], [], _LOOK_UP)
        for file in found:
            if file != self._bell:
                self._looks[file]()
        if self._bell in found:
            with suppress(BlockingIOError):  # another one that waits was quicker
                os.eventfd_read(self._bell)

    def _freed(self) -> None:
        """Room became free: in whatever thread, also amid a collection of garbage."""
        self._frees += 1
        if self._waiting:
            os.eventfd_write(self._bell, 1)

    def cancel(self) -> None:
        """Whoever waits gets Cancelled."""
        self._is_cancelled = True
        os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """Nothing is sent any more, and nobody may wait."""
        self.arena.close()
        os.close(self._bell)
