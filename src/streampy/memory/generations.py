"""Which blocks are in a region now: a table at its beginning, written by one OS process and read by all.

Knows nothing of how room is found for a block. The table lies apart from the blocks, because what once was the
beginning of a block may be amid the pixels of another one now, and pixels may look like anything.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

from streampy.errors import RunError

GRANULE: Final = 512
"""Bytes: blocks begin at multiples of it and take multiples of it. The table costs 1.6 % so."""
_ENTRY: Final = 8
_PAGE: Final = 4096


class Descriptor(NamedTuple):
    """What travels instead of the data: where a block is, and which one it is."""

    region: str
    """The region's name."""
    offset: int
    """Bytes from the beginning of the region."""
    size: int
    """Bytes."""
    generation: int
    """Each block of a region has its own, from 1, for ever."""


class Gone(RunError):
    """Nobody holds the block any more, and its place may hold other data by now; or its region is gone."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        super().__init__(descriptor)

    def __str__(self) -> str:
        one = self.descriptor
        return (
            f"block {one.generation} at {one.offset} of {one.region} is gone: the OS process that wrote it has"
            " ended, or the one that looked for it was taken for dead, and should end"
        )


@final
class Generations:
    """The table: for each place where a block can begin the generation of the block that does, else 0."""

    @staticmethod
    def extent(places: int) -> int:
        """Bytes of a region with so many granules for blocks, or a few more."""
        return places * (GRANULE + _ENTRY) + 2 * _PAGE

    def __init__(self, memory: memoryview) -> None:
        places = len(memory) // (GRANULE + _ENTRY)
        self.start = -(-places * _ENTRY // _PAGE) * _PAGE
        """Where the blocks begin: bytes from the beginning of the region."""
        self.places = max(0, (len(memory) - self.start) // GRANULE)
        """How many granules there are for blocks."""
        self._table = memory[: self.places * _ENTRY].cast("Q")  # a store of 8 aligned bytes is never seen half done
        self._is_closed = False

    def is_there(self, descriptor: Descriptor) -> bool:
        """Whether the block is there still."""
        place = (descriptor.offset - self.start) // GRANULE
        return self._table[place] == descriptor.generation

    def begin(self, place: int, generation: int) -> None:
        """A block begins at this granule."""
        self._table[place] = generation

    def end(self, place: int) -> None:
        """No block begins at this granule any more."""
        if not self._is_closed:  # the last view of a block may be dropped after that
            self._table[place] = 0

    def close(self) -> None:
        """Let go of the memory: whoever looks or begins a block then gets a ValueError."""
        self._is_closed = True
        self._table.release()
