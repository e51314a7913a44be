"""A value as it travels between OS processes: a few bytes here, the rest in blocks of shared memory that are held.

Knows nothing of who sends it, nor of where its blocks were taken.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol, final

from streampy.memory.codec import decode
from streampy.memory.generations import Descriptor

Place = tuple[int, int, int]
"""Where some bytes of a value are: the part, where in it they begin, and how many. Part 0 is `inline`, or where that is
empty the first block; then come the (other) blocks."""


class Hold(Protocol):
    """As long as anybody in this OS process has it, the block is there: a `Block` of its own, or a `Loan`."""

    descriptor: Descriptor

    def open(self) -> memoryview:
        """The bytes of the block, read-only; they, and what is made of them, hold it too. Raises Gone."""


@final
class Sealed:
    """A value that can go to other OS processes, any number of them, and be opened here, any number of times.

    Immutable; for any thread.
    """

    __slots__ = ("holds", "inline", "nbytes", "places")

    def __init__(self, inline: bytes, holds: tuple[Hold, ...] = (), places: tuple[Place, ...] = ()) -> None:
        self.inline = inline
        """The pickle and the buffers that are small together; b"" where they are not, and lie in the first block."""
        self.holds = holds
        self.places = places
        """Of the pickle and of each buffer; none where `inline` is the pickle and there are no buffers."""
        self.nbytes = sum(size for _, _, size in places) if places else len(inline)
        """Bytes of the value."""

    def __repr__(self) -> str:
        return f"<Sealed value: {self.nbytes} bytes, {len(self.holds)} blocks>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed value goes to another OS process by `Loans.dumps`: its blocks must be held meanwhile")

    def open(self) -> Any:
        """The value. Arrays and memoryviews in it are read-only, and hold the blocks in which they lie.

        Raises Gone where a block is there no more, because this OS process, or the one that lent it, was taken for
        dead; and what the value's own type raises when it is unpickled.
        """
        if not self.places:
            return decode(self.inline)
        parts = [hold.open() for hold in self.holds]
        if self.inline:
            parts.insert(0, memoryview(self.inline))
        pickled, *buffers = [parts[part][start : start + size] for part, start, size in self.places]
        return decode(pickled, buffers)
