"""A value on its way to other OS processes: what travels of it, and what lies in shared memory meanwhile.

Knows nothing of how the parcel is sent, nor of how blocks are given back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, NamedTuple

from streampy.memory.blocks import Blocks
from streampy.memory.codec import Encoded, decode
from streampy.memory.generations import Descriptor
from streampy.memory.region import Region
from streampy.memory.views import Lent
from streampy.memory.window import address_of

INLINE: Final = 4096
"""Bytes: what is not larger travels itself, which costs less than a block."""
_LINE: Final = 64
"""Bytes: arrays begin at multiples of it in a block, as vector instructions and caches like."""


class Place(NamedTuple):
    """Where some bytes of a parcel are."""

    part: int
    """0 is `Parcel.inline`, or where that is empty the first block; then the (other) blocks."""
    start: int
    """Bytes from its beginning."""
    size: int


class Parcel(NamedTuple):
    """What travels of a value: small, and to be pickled itself."""

    inline: bytes
    """The pickle and the buffers that were to be copied; b"" where they are not small, and lie in the first block."""
    blocks: tuple[Descriptor, ...] = ()
    """Lent to the reader, who gives each back, also if it opens none."""
    places: tuple[Place, ...] = ()
    """Of the pickle and of each buffer; none where `inline` is the pickle and there are no buffers."""


def put(encoded: Encoded, blocks: Blocks, readers: Iterable[Hashable]) -> Parcel | None:
    """Copy what is not small into a block, and lend that to the readers; None where there is no room now.

    An array that lies in a block already, because `streampy.memory.empty` made it, is lent as it is.
    Raises TooLarge where there never will be room.
    """
    cargo = _Cargo()
    places = [cargo.add(*encoded.pieces)]
    lying: list[Descriptor] = []
    for view in encoded.buffers:
        found = blocks.find(address_of(view), view.nbytes) if blocks.has_shown else None
        if found is None:
            places.append(cargo.add(view))
        else:
            part = _number_of(found[0], lying)
            places.append(Place(1 + part, found[1], view.nbytes))
    if cargo.size <= INLINE:
        parcel = Parcel(cargo.joined(), tuple(lying), tuple(places) if encoded.buffers else ())
    else:
        block = blocks.take(cargo.size)
        if block is None:
            return None
        block.write(cargo.contents)
        parcel = Parcel(b"", (block.descriptor, *lying), tuple(places))
    readers = tuple(readers)
    for one in parcel.blocks:
        blocks.lend(one, readers)
    return parcel


def open_parcel(parcel: Parcel, region_of: Callable[[str], Region], give_back: Callable[[Descriptor], object]) -> Any:
    """The value. Arrays and memoryviews in it are read-only; each block is given back with the last that lies in it.

    region_of: the attached region of that name. give_back: as `Lent` says. Raises Gone where a block was given back in
    the name of this reader, because it was taken for dead; the others are given back then.
    """
    inline, blocks, places = parcel
    if not places:
        return decode(inline)
    parts = [Lent(region_of(one.region), one, give_back).view for one in blocks]
    if inline:
        parts.insert(0, memoryview(inline))
    pickled, *buffers = [parts[place.part][place.start : place.start + place.size] for place in places]
    return decode(pickled, buffers)


class _Cargo:
    """What is to be copied, one behind the other."""

    def __init__(self) -> None:
        self.size = 0
        self.contents: list[tuple[int, bytes | bytearray | memoryview]] = []

    def add(self, *pieces: bytes | bytearray | memoryview) -> Place:
        """These without a gap between them."""
        self.size = start = -(-self.size // _LINE) * _LINE
        for piece in pieces:
            self.contents.append((self.size, piece))
            self.size += len(piece)
        return Place(0, start, self.size - start)

    def joined(self) -> bytes:
        """All of it."""
        if len(self.contents) == 1:
            return bytes(self.contents[0][1])
        whole = bytearray(self.size)
        for start, piece in self.contents:
            whole[start : start + len(piece)] = piece
        return bytes(whole)


def _number_of(one: Descriptor, known: list[Descriptor]) -> int:
    if one not in known:
        known.append(one)
    return known.index(one)
