"""Room for blocks: as many regions as there is need of, made when they are needed, and given back when they are not.

Knows nothing of what is put into the blocks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final, final

from streampy.memory.blocks import Block, Blocks, Use
from streampy.memory.region import Region
from streampy.memory.sizing import extent, fitting

_log = logging.getLogger("streampy.memory")
_MORE: Final = 1.1
"""How much larger than the largest item so far the others may be, where nobody said how large they are."""
_QUIET: Final = 1000
"""Blocks that are taken elsewhere before room that was grown is let go of."""
_PART: Final = 4 << 20
"""Bytes that are given back to the system at once, in 0.6 ms: 400 MB would hold an item up by 60 ms."""


def warn(text: str) -> None:
    """Have it in the log."""
    _log.warning("%s", text)


@final
class Rooms:
    """The regions of an arena. Any thread of the OS process that made it may call. See `Arena` for the arguments."""

    def __init__(
        self,
        run: str,
        name: str,
        most: int,
        folder: Path,
        freed: Callable[[], None],
        *,
        sharers: int,
        tight: Callable[[str], object],
    ) -> None:
        self.name = name
        self._run = run
        self._most = most
        self._folder = folder
        self._freed = freed
        self._sharers = sharers
        self._tight = tight
        self._rooms: tuple[Blocks, ...] = ()
        """The first is there to stay, the others were grown."""
        self._rested: list[_Rested] = []
        """Those that were, and are not needed now."""
        self._made = self._quiet = self._largest = 0
        self._is_closed = False
        self._lock = Lock()
        """For whoever changes the rooms."""

    def stats(self) -> Use:
        """How much is in use now, of all together."""
        uses = [room.stats() for room in self._rooms]
        return Use(
            sum(use.capacity for use in uses),
            sum(use.used for use in uses),
            sum(use.high_water for use in uses),
            sum(use.blocks for use in uses),
        )

    def reserve(self, item: int) -> None:
        """At the start: room for all items, of so many bytes each. Raises NoSharedMemory."""
        with self._lock:
            if not self._rooms:
                self._largest = item
                self._rooms = (self._make(item, self._most),)

    def take(self, size: int) -> Block | None:
        """Room for so many bytes; None where there is none now.

        Raises NoSharedMemory where there is no region so large, and none to be had; ValueError after `close`.
        """
        while True:
            rooms = self._rooms
            for room in rooms:
                if size <= room.capacity and (block := room.take(size)) is not None:
                    if self._made > 1:
                        self._tidy(room)
                    return block
            if any(size <= room.capacity for room in rooms):
                self._largest = max(self._largest, size)
                return None
            self._add(size, rooms)

    def grow(self, size: int) -> None:
        """See `Arena.grow`."""
        self._add(size, self._rooms)

    def close(self) -> None:
        """Let go of all. Blocks, and views of them, stay good."""
        with self._lock:
            self._is_closed = True
            for room in (*self._rooms, *(rested.room for rested in self._rested)):
                room.region.close()
            self._rooms = ()
            self._rested.clear()

    def _add(self, size: int, seen: tuple[Blocks, ...]) -> None:
        """More room, unless another thread has changed what was seen."""
        with self._lock:
            if self._is_closed:
                raise ValueError(f"arena {self.name} is closed")
            if self._rooms is not seen:
                return
            largest = max(self._largest, size)
            self._rooms = (*seen, self._wake(largest) or self._make_some(int(largest * _MORE)))
            self._largest = largest
            self._quiet = 0

    def _wake(self, size: int) -> Blocks | None:
        for rested in self._rested:
            if rested.room.capacity >= size:
                rested.wake()
                self._rested.remove(rested)
                return rested.room
        return None

    def _make_some(self, item: int) -> Blocks:
        """Room for as many items as it should be, or as is sensible."""
        items = fitting(self._most, item, self._folder, self._sharers)
        room = self._make(item, items)
        if items < self._most:
            self._tight(
                f"{self._folder}: {self.name} has room for {items} of the {self._most} items of {item / 1e6:.1f} MB"
                " that may be on their way at once, the others wait; make the folder larger"
                " (Docker: --shm-size=2g; Kubernetes: an emptyDir of medium Memory at /dev/shm),"
                " or let less wait: smaller `pipe: {capacity: ...}`, fewer workers"
            )
        return room

    def _make(self, item: int, items: int) -> Blocks:
        region = Region.create(self._run, f"{self.name}.{self._made}", extent(items, item), folder=self._folder)
        self._made += 1
        return Blocks(region, self._freed)

    def _tidy(self, used: Blocks) -> None:
        """A block was taken: let go of the room that was grown last, once it was not needed for long."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._is_closed:
                return
            last = self._rooms[-1]
            self._quiet = 0 if used is last else self._quiet + 1
            if self._quiet > _QUIET:
                self._quiet = 0
                if last.shut():
                    self._rooms = self._rooms[:-1]
                    self._rested.append(_Rested(last))
            _ = any(rested.release_part() for rested in self._rested)  # of one of them
        finally:
            self._lock.release()


@final
class _Rested:
    """A room that is not needed now: its memory is given back to the system, part by part; its region is kept.

    For readers have attached it: they need not be told when it is wanted again.
    """

    def __init__(self, room: Blocks) -> None:
        self.room = room
        self._left = room.start
        """From here on it is still to be given back: bytes from the beginning of the region."""

    def release_part(self) -> bool:
        """Returns whether there was still one."""
        size = min(_PART, self.room.region.size - self._left)
        if size <= 0:
            return False
        self.room.region.release(self._left, size)
        self._left += size
        return True

    def wake(self) -> None:
        """Have it all again. Raises NoSharedMemory."""
        self.room.region.reserve()
        self.room.open()
