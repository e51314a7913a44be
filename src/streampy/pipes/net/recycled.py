"""Memory for what is received, used again once nobody holds it.

Knows nothing of frames.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Final, final

_WORTH_IT: Final = 1 << 18
"""Bytes from which on each block is of fresh pages of the kernel: to get 6 MB of them takes as long as to fill it."""


@final
class Recycled:
    """Gives blocks as `bytearray`; those of one size that nobody refers to any more are given again. One thread.

    A block is held by whatever is a view of it: a memoryview, an array. CPython counts these; so there is nothing to
    give back, and nothing that could be forgotten.
    """

    __slots__ = ("_blocks", "_held", "_nobody", "most")

    def __init__(self, most: int = 1 << 28) -> None:
        self.most = most
        """Bytes that are kept at most; what is beyond is made anew each time."""
        self._blocks: dict[int, deque[bytearray]] = {}
        """By size, those that were given longest ago first."""
        self._held = 0
        self._nobody = _references(deque([bytearray()]))
        """References to a block that nobody holds, counted as those of the others are: interpreters differ."""

    def __repr__(self) -> str:
        return f"<Recycled {self._held} bytes of {self.most}>"

    def __call__(self, size: int) -> bytearray:
        """A block of exactly so many bytes; what is in it is of no meaning."""
        if size < _WORTH_IT:
            return bytearray(size)
        blocks = self._blocks.get(size)
        if blocks is None:
            blocks = self._blocks[size] = deque()
        if (block := self._find(blocks)) is not None:
            return block
        block = bytearray(size)
        if self._make_room(size):
            blocks.append(block)
            self._held += size
        return block

    def _find(self, blocks: deque[bytearray]) -> bytearray | None:
        for _ in range(len(blocks)):
            if _references(blocks) == self._nobody:
                return blocks[-1]
        return None

    def _make_room(self, size: int) -> bool:
        """Let go of blocks of other sizes until there is room for one more of this size."""
        for other in [one for one in self._blocks if one != size]:
            while self._held + size > self.most and self._blocks[other]:
                self._blocks[other].popleft()
                self._held -= other
            if not self._blocks[other]:
                del self._blocks[other]
        return self._held + size <= self.most


def _references(blocks: deque[bytearray]) -> int:
    """Those to the first block, which becomes the last one."""
    block = blocks.popleft()
    count = sys.getrefcount(block)
    blocks.append(block)
    return count
