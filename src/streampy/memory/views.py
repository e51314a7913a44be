"""What a reader sees of a block.

Knows nothing of how the descriptor came, nor of how the word that the block is given back gets to its writer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from streampy.memory.generations import Descriptor, Gone

if TYPE_CHECKING:
    from streampy.memory.region import Region


def open_view(region: Region, descriptor: Descriptor) -> memoryview:
    """The bytes of a block, read-only. They stay what they are until the block is given back, whoever has the view.

    For who gives the block back by hand; see `Lent`. Raises Gone where it was given back already.
    """
    _check(region, descriptor)
    return region.memory[descriptor.offset : descriptor.offset + descriptor.size].toreadonly()


@final
class Lent:
    """A block that was lent to this OS process; goes back once this, and all that was made of its view, is dropped.

    A slice of the view, a NumPy array or an Arrow buffer made of it, and views of those all count.

    give_back: called with the descriptor, once, in whatever thread drops the last of them, at any moment, also amid a
    collection of garbage. It must neither wait nor take a lock: append to a deque, and wake who sends. It is not called
    where this raises Gone, nor when the OS process ends before.
    """

    __slots__ = ("descriptor", "view")

    def __init__(self, region: Region, descriptor: Descriptor, give_back: Callable[[Descriptor], object]) -> None:
        _check(region, descriptor)
        self.descriptor = descriptor
        self.view = region.windows.open(descriptor.offset, descriptor.size, _Loan(descriptor, give_back)).toreadonly()
        """Its bytes, read-only; NumPy arrays made of it are read-only too."""

    def __repr__(self) -> str:
        return f"<Lent block {self.descriptor.generation} of {self.descriptor.region}: {self.descriptor.size} bytes>"


@final
class _Loan:
    """What the views keep."""

    __slots__ = ("_descriptor", "_give_back")

    def __init__(self, descriptor: Descriptor, give_back: Callable[[Descriptor], object]) -> None:
        self._descriptor = descriptor
        self._give_back = give_back

    def __del__(self) -> None:
        self._give_back(self._descriptor)


def _check(region: Region, descriptor: Descriptor) -> None:
    if descriptor.region != region.name:
        raise ValueError(f"a block of {descriptor.region} was looked for in {region.name}")
    if not region.generations.is_there(descriptor):
        raise Gone(descriptor)
