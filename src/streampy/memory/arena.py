"""The arena of an OS process: it seals values, in shared memory, so that they can go to other OS processes.

Knows nothing of who they are, nor of how what is sealed gets there; see `streampy.memory.loans`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, Literal, Self, final

from streampy.memory.blocks import Block, Use, nothing
from streampy.memory.packing import INLINE, Packed
from streampy.memory.region import FOLDER
from streampy.memory.rooms import Rooms, warn
from streampy.memory.sealed import Sealed

PLAIN: Final = frozenset({int, float, bool, type(None)})
"""Types whose values travel as they are."""
_TEXT: Final = frozenset({str, bytes})


class Answer(Enum):
    """What `Arena.seal` may say instead of giving what can travel."""

    FULL = auto()


FULL: Final = Answer.FULL
"""There is no room now."""


@final
class Arena:
    """Where values are sealed. Any thread of the OS process that made it may call.

    run: what `name_run` gave to the main OS process. name: of the arena, once in a run.
    most: how many items may be alive at once. item: bytes of one, where that is known; else the first large one tells,
    and where there is not so much shared memory, there is room for fewer, at least for 2.
    sharers: how many arenas there are in the folder; each takes no more than its share where it may take less.
    tight: called with a sentence where it does. freed: called after room became free, in whatever thread made it so,
    also amid a collection of garbage: it must neither wait nor take a lock. Who was told FULL asks once more after
    saying whom to wake.
    """

    def __init__(
        self,
        run: str,
        name: str,
        *,
        most: int,
        item: int | None = None,
        folder: Path = FOLDER,
        sharers: int = 1,
        tight: Callable[[str], object] = warn,
        freed: Callable[[], None] = nothing,
    ) -> None:
        self.name = name
        self._item = None if item is None else item + INLINE
        self._rooms = Rooms(run, name, most, folder, freed, sharers=sharers, tight=tight)

    def __repr__(self) -> str:
        use = self.stats()
        return f"<Arena {self.name}: {use.blocks} blocks, {use.used} of {use.capacity} bytes in use>"

    def __enter__(self) -> Self:
        self.reserve()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reserve(self) -> None:
        """Before the first item: have the shared memory, where the bytes of an item are known. Raises NoSharedMemory.

        It takes 0.25 s per GB, and for the first 64 MB twice as long.
        """
        if self._item is not None:
            self._rooms.reserve(self._item)

    def stats(self) -> Use:
        """How much is in use now. `high_water` is what was in use of each region at the most, together."""
        return self._rooms.stats()

    def seal(self, value: Any) -> Any | Literal[Answer.FULL]:
        """The value as it can travel: itself where it is plain and small, else a `Sealed`; FULL without room for it.

        Large buffers are copied into shared memory, once; those that lie there already are not. So the value may be
        changed afterwards, unless `streampy.empty` made it. Raises what pickle raises, with a note, and NoSharedMemory
        where it is larger than any there was, and than what there is.
        """
        kind = type(value)
        if kind in PLAIN or (kind in _TEXT and len(value) <= INLINE):
            return value
        packed = Packed(value)
        if packed.size <= INLINE:
            return packed.inline()
        block = self.take(packed.size)
        if block is None:
            return FULL
        block.write(packed.contents)
        return packed.within(block)

    def inline(self, value: Any) -> Sealed:
        """The value as it can travel without shared memory, where there is none for it: all its bytes go along."""
        return Packed(value).inline()

    def take(self, size: int) -> Block | None:
        """Room for so many bytes; None where there is none now. Raises NoSharedMemory, and ValueError after `close`."""
        return self._rooms.take(size)

    def grow(self, size: int = 0) -> None:
        """Nothing became free for a while: have more room, for items of so many bytes, or as large as any was so far.

        It is let go of when nothing was put there for long. Raises NoSharedMemory.
        """
        self._rooms.grow(size)

    def close(self) -> None:
        """Nothing is sealed any more. What was sealed stays good here, and with those who have received it."""
        self._rooms.close()
