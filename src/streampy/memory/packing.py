"""What of a value is to be copied into shared memory, and what lies there already.

Knows nothing of where there is room.
"""

from __future__ import annotations

from typing import Final, final

from streampy.memory.codec import encode
from streampy.memory.sealed import Hold, Place, Sealed
from streampy.memory.window import kept_by

INLINE: Final = 4096
"""Bytes: what is not larger travels itself, which costs less than a block."""
_LINE: Final = 64
"""Bytes: arrays begin at multiples of it in a block, as vector instructions and caches like."""


@final
class Packed:
    """A value that is to be sealed. Its contents are the value's own memory, which must not change meanwhile.

    An array that lies in a block, because `streampy.empty` made it or because it came from another OS process, is not
    copied. Raises what `encode` raises.
    """

    __slots__ = ("contents", "holds", "places", "size")

    def __init__(self, value: object) -> None:
        self.size = 0
        """Bytes that are to be copied."""
        self.contents: list[tuple[int, bytes | bytearray | memoryview]] = []
        """They, each piece with where it goes: bytes from the beginning of the first part."""
        self.holds: list[Hold] = []
        """Of what lies in blocks already."""
        self.places: list[Place] = []
        encoded = encode(value)
        self._add(*encoded.pieces)
        for view in encoded.buffers:
            if not self._find(view):
                self._add(view)

    def inline(self) -> Sealed:
        """Sealed without a block of its own."""
        return Sealed(self._joined(), tuple(self.holds), tuple(self.places) if len(self.places) > 1 else ())

    def within(self, block: Hold) -> Sealed:
        """Sealed, after all that is to be copied was written there."""
        return Sealed(b"", (block, *self.holds), tuple(self.places))

    def _add(self, *pieces: bytes | bytearray | memoryview) -> None:
        """These are copied, without a gap between them."""
        self.size = start = -(-self.size // _LINE) * _LINE
        for piece in pieces:
            self.contents.append((self.size, piece))
            self.size += len(piece)
        self.places.append((0, start, self.size - start))

    def _find(self, view: memoryview) -> bool:
        """What is small is copied all the same: it would keep a large block."""
        found = kept_by(view) if view.nbytes > INLINE else None
        if found is None:
            return False
        hold, address = found
        start = address - hold.descriptor.offset
        if not 0 <= start <= start + view.nbytes <= hold.descriptor.size:
            return False
        if hold not in self.holds:
            self.holds.append(hold)
        self.places.append((1 + self.holds.index(hold), start, view.nbytes))
        return True

    def _joined(self) -> bytes:
        if len(self.contents) == 1:
            return bytes(self.contents[0][1])
        whole = bytearray(self.size)
        for start, piece in self.contents:
            whole[start : start + len(piece)] = piece
        return bytes(whole)
