"""The blocks of a region, as the OS process that writes it knows them: where there is room, and which blocks there are.

Knows nothing of how descriptors travel, nor of who reads. Nothing of this is shared: a reader sees the blocks and the
table of their generations, so whoever is killed leaves nothing locked or half changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import getpid
from threading import Lock
from typing import TYPE_CHECKING, final

from streampy.errors import RunError
from streampy.memory.generations import GRANULE, Descriptor
from streampy.memory.spans import Spans

if TYPE_CHECKING:
    from streampy.memory.region import Region


class TooLarge(RunError):
    """A block of `asked` bytes will never have room in a `region` whose blocks have `capacity` bytes together."""

    def __init__(self, region: str, asked: int, capacity: int) -> None:
        self.region, self.asked, self.capacity = region, asked, capacity
        super().__init__(region, asked, capacity)

    def __str__(self) -> str:
        return (
            f"{self.region}: an item of {self.asked} bytes, but there is room for {self.capacity} bytes in all;"
            " a larger region is needed, or smaller items"
        )


@dataclass(frozen=True, slots=True)
class Use:
    """How much shared memory is in use. Bytes, whole granules."""

    capacity: int
    used: int
    high_water: int
    """The most that was in use at a time."""
    blocks: int
    """How many there are."""


def nothing() -> None:
    """What is called where nobody waits."""


@final
class Blocks:
    """Takes blocks of a region. Any thread of the OS process that created it may call; one that was forked gets none.

    A block lives as long as its `Block`, which views and arrays of it hold too. Then its generation has ended, and its
    room is free.

    freed: called after room became free, in whatever thread made it so, also amid a collection of garbage: it must do
    no more than wake who waits. Who waits for room asks once more after saying whom to wake.
    """

    def __init__(self, region: Region, freed: Callable[[], None] = nothing) -> None:
        self.region = region
        self.freed = freed
        self.is_open = True
        """Whether blocks are taken of it; see `shut`."""
        self._table = region.generations
        self._spans = Spans(self._table.places)
        self._ended: deque[tuple[int, int]] = deque()
        self._lock = Lock()
        self._generation = 0
        self._count = 0
        self._least_free = self._spans.free
        self._pid = getpid()

    def __repr__(self) -> str:
        use = self.stats()
        return f"<Blocks of {self.region.name}: {use.blocks}, {use.used} of {use.capacity} bytes in use>"

    @property
    def capacity(self) -> int:
        """Bytes for blocks, together."""
        return self._spans.count * GRANULE

    @property
    def start(self) -> int:
        """Where they begin: bytes from the beginning of the region, at a page."""
        return self._table.start

    def stats(self) -> Use:
        """How much is in use now."""
        with self._lock:
            used, most = (self._spans.count - free for free in (self._spans.free, self._least_free))
            use = Use(self.capacity, used * GRANULE, most * GRANULE, self._count)
        self._settle()
        return use

    def take(self, size: int) -> Block | None:
        """A block of so many bytes; None where there is no room now. Raises TooLarge where there never will be."""
        places = (size + GRANULE - 1) // GRANULE or 1
        if places > self._spans.count:
            raise TooLarge(self.region.name, size, self.capacity)
        if self._ended:
            self._settle()
        with self._lock:
            start = self._spans.take(places) if self.is_open and self._pid == getpid() else None
            block = None if start is None else self._begin(start, places, size)
        if self._ended:
            self._settle()
        return block

    def _begin(self, start: int, places: int, size: int) -> Block:
        self._generation = generation = self._generation + 1
        self._count += 1
        self._table.begin(start, generation)
        self._least_free = min(self._least_free, self._spans.free)
        descriptor = Descriptor(self.region.name, self._table.start + start * GRANULE, size, generation)
        return Block(self, descriptor, (start, places))

    def shut(self) -> bool:
        """Where there are no blocks, take none any more until `open`; returns whether it is so."""
        self._settle()
        with self._lock:
            if not self._count:
                self.is_open = False
        self._settle()
        return not self.is_open

    def open(self) -> None:
        """After `shut`."""
        self.is_open = True

    def _give_back(self, span: tuple[int, int]) -> None:
        """May come amid anything, as `__del__` does."""
        if self._pid == getpid():  # what a forked OS process drops, its parent still has
            self._ended.append(span)
            self._settle()

    def _settle(self) -> None:
        """Do what ended meanwhile. Whoever holds the lock does it for those that come while it is held."""
        while self._ended and self._lock.acquire(blocking=False):
            try:
                is_freed = self._end_all()
            finally:
                self._lock.release()
            if is_freed:
                self.freed()

    def _end_all(self) -> bool:
        before = self._count
        while self._ended:
            start, places = self._ended.popleft()
            self._table.end(start)  # before its place can be taken again
            self._spans.give_back(start, places)
            self._count -= 1
        return self._count < before


@final
class Block:
    """Room in shared memory, to be filled and then shown to others. Its room is free again once nobody has it here."""

    __slots__ = ("_blocks", "_span", "_windows", "descriptor")

    def __init__(self, blocks: Blocks, descriptor: Descriptor, span: tuple[int, int]) -> None:
        self._blocks = blocks
        self._span = span
        self._windows = blocks.region.windows  # of its own: it is there also when the region is closed
        self.descriptor = descriptor

    def __repr__(self) -> str:
        return f"<Block {self.descriptor.generation}: {self.descriptor.size} bytes>"

    def __del__(self) -> None:
        self._blocks._give_back(self._span)

    @property
    def view(self) -> memoryview:
        """Its bytes, to be written until others are shown it: readers don't expect that they change.

        The view, a slice of it, and an array made of it hold the block.
        """
        return self._windows.open(self.descriptor.offset, self.descriptor.size, self)

    def open(self) -> memoryview:
        """As `view`, read-only."""
        return self.view.toreadonly()

    def write(self, pieces: Iterable[tuple[int, memoryview | bytes | bytearray]]) -> None:
        """Copy each piece (contiguous bytes) to its place: bytes from the beginning of the block."""
        memory = self._blocks.region.memory
        for start, piece in pieces:
            first = self.descriptor.offset + start
            memory[first : first + len(piece)] = piece
