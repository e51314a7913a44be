"""The blocks of a region, as the OS process that writes it knows them: where there is room, and who holds what.

Knows nothing of how descriptors travel. Nothing of this is shared: a reader sees the blocks and the table of their
generations, so whoever is killed leaves nothing locked or half changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, final

from streampy.errors import RunError
from streampy.memory.generations import GRANULE, Descriptor, Gone
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
    """How much of a region is in use. Bytes, whole granules."""

    capacity: int
    used: int
    blocks: int
    """How many there are."""
    high_water: int
    """The most that was in use at a time."""
    strays: int
    """What was given back by who did not have it: a late word from a reader that was taken for dead, or a mistake."""


def _nothing() -> None:
    pass


@final
class Blocks:
    """Takes blocks of a region, and knows who holds each. Any thread of the OS process that created it may call.

    A block is held by the writer from `take` on until it is lent, or until its `Block` is dropped, and as long as a
    view of it is left; by each reader that it is lent to, until the reader gives it back or dies. When nobody holds it,
    its room is free, and its generation has ended.

    freed: called after room became free, in whatever thread made it so, also amid a collection of garbage: it must do
    no more than wake who waits. Who waits for room asks once more after saying whom to wake.
    """

    def __init__(self, region: Region, freed: Callable[[], None] = _nothing) -> None:
        self.region = region
        self.freed = freed
        self.has_shown = False
        """Whether anybody was ever given a view to write to, so that data may lie in a block before it is sent."""
        self._table = region.generations
        self._spans = Spans(self._table.places)
        self._live: dict[int, _Live] = {}
        self._ended: deque[tuple[int, Hashable]] = deque()
        self._lock = Lock()
        self._generation = 0
        self._least_free = self._spans.free
        self._strays = 0

    def __repr__(self) -> str:
        use = self.stats()
        return f"<Blocks of {self.region.name}: {use.blocks}, {use.used} of {use.capacity} bytes in use>"

    @property
    def capacity(self) -> int:
        """Bytes for blocks, together."""
        return self._spans.count * GRANULE

    def stats(self) -> Use:
        """How much is in use now."""
        with self._lock:
            used, most = (self._spans.count - free for free in (self._spans.free, self._least_free))
            use = Use(self.capacity, used * GRANULE, len(self._live), most * GRANULE, self._strays)
        self._settle()
        return use

    def take(self, size: int) -> Block | None:
        """A block of so many bytes; None where there is no room now. Raises TooLarge where there never will be."""
        places = (size + GRANULE - 1) // GRANULE or 1
        spans = self._spans
        if places > spans.count:
            raise TooLarge(self.region.name, size, self.capacity)
        if self._ended:
            self._settle()
        with self._lock:
            start = spans.take(places)
            block = None if start is None else self._begin(start, places, size)
        if self._ended:
            self._settle()
        return block

    def _begin(self, start: int, places: int, size: int) -> Block:
        self._generation = generation = self._generation + 1
        offset = self._table.start + start * GRANULE
        live = _Live(start, places, Descriptor(self.region.name, offset, size, generation))
        self._live[generation] = live
        self._table.begin(start, generation)
        self._least_free = min(self._least_free, self._spans.free)
        return Block(self, live)

    def lend(self, descriptor: Descriptor, readers: Iterable[Hashable]) -> None:
        """The readers hold it now, the writer no more; who is named twice gives it back twice.

        A reader's name is used once: that of a dead one is not given to the one that takes its place. Raises Gone.
        """
        with self._lock:
            live = self._live.get(descriptor.generation)
            is_there = live is not None and live.descriptor == descriptor
            if live is not None and is_there:
                for reader in readers:
                    live.holders[reader] = live.holders.get(reader, 0) + 1
                if live.drop():
                    self._ended.append((descriptor.generation, _Hold))
        self._settle()
        if not is_there:
            raise Gone(descriptor)

    def give_back(self, descriptor: Descriptor, reader: Hashable) -> None:
        """The reader is done with the block. May be called amid anything, also by a `__del__`.

        Given back by who does not have it (any more) it is counted in `stats().strays`, and nothing else happens.
        """
        self._ended.append((descriptor.generation, reader))
        self._settle()

    def reader_died(self, reader: Hashable) -> None:
        """All that was lent to the reader is given back."""
        with self._lock:
            for generation, live in self._live.items():
                self._ended.extend([(generation, reader)] * live.holders.get(reader, 0))
        self._settle()

    def _show(self, live: _Live) -> memoryview:
        with self._lock:
            if live.is_taken and live.hold is None:
                live.hold = _Hold(self, live.descriptor)
            hold = live.hold
        self._settle()
        if hold is None:
            raise Gone(live.descriptor)
        self.has_shown = True
        return self.region.windows.open(live.descriptor.offset, live.descriptor.size, hold)

    def find(self, address: int, size: int) -> tuple[Descriptor, int] | None:
        """The block in which so many bytes at an address of this OS process lie, and how far from its beginning."""
        offset = address - self.region.windows.address
        if not 0 <= offset < self.region.size:
            return None
        with self._lock:
            blocks = [live.descriptor for live in self._live.values()]
        self._settle()
        for one in blocks:
            start = offset - one.offset
            if start >= 0 and start + size <= one.size:
                return one, start
        return None

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
        before = self._spans.free
        while self._ended:
            generation, holder = self._ended.popleft()
            live = self._live.get(generation)
            held = 0 if live is None else live.holders.get(holder, 0)
            if live is None or not held:
                self._strays += 1
            elif held > 1:
                live.holders[holder] = held - 1
            else:
                del live.holders[holder]
                if not live.holders:
                    self._free(generation, live)
        return self._spans.free > before

    def _free(self, generation: int, live: _Live) -> None:
        del self._live[generation]
        self._table.end(live.start)  # before its place can be taken again
        self._spans.give_back(live.start, live.places)


@final
class Block:
    """Room in shared memory, to be filled and then lent. Dropped without being lent, it is given back."""

    __slots__ = ("_blocks", "_live", "descriptor")

    def __init__(self, blocks: Blocks, live: _Live) -> None:
        self._blocks = blocks
        self._live = live
        self.descriptor = live.descriptor

    def __repr__(self) -> str:
        return f"<Block {self.descriptor.generation}: {self.descriptor.size} bytes>"

    def __del__(self) -> None:
        if self._live.drop():
            self._blocks.give_back(self.descriptor, _Hold)

    @property
    def view(self) -> memoryview:
        """Its bytes, to be written until it is lent: readers don't expect that they change.

        The block stays as long as the view, a slice, or an array of it is left. Raises Gone once it is lent.
        """
        return self._blocks._show(self._live)

    def write(self, pieces: Iterable[tuple[int, memoryview | bytes | bytearray]]) -> None:
        """Copy each piece (contiguous bytes) to its place: bytes from the beginning of the block."""
        memory = self._blocks.region.memory
        for start, piece in pieces:
            first = self.descriptor.offset + start
            memory[first : first + len(piece)] = piece


@final
class _Live:
    """A block that somebody holds."""

    __slots__ = ("descriptor", "hold", "holders", "is_taken", "places", "start")

    def __init__(self, start: int, places: int, descriptor: Descriptor) -> None:
        self.start = start
        self.places = places
        self.descriptor = descriptor
        self.is_taken = True
        """Whether its `Block` is there, and it was not lent."""
        self.hold: _Hold | None = None
        """There once a view was made."""
        self.holders: dict[Hashable, int] = {_Hold: 1}

    def drop(self) -> bool:
        """It was lent, or its `Block` dropped; returns whether the writer holds it no more: else a view still does."""
        is_last = self.is_taken and self.hold is None
        self.is_taken = False
        self.hold = None
        return is_last


@final
class _Hold:
    """That the writer holds a block of which there are views: they keep it."""

    __slots__ = ("_blocks", "_descriptor")

    def __init__(self, blocks: Blocks, descriptor: Descriptor) -> None:
        self._blocks = blocks
        self._descriptor = descriptor

    def __del__(self) -> None:
        self._blocks.give_back(self._descriptor, _Hold)
