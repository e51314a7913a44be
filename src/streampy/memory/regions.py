"""The regions of other OS processes that this one reads.

Knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import final

from streampy.memory.region import FOLDER, Region


@final
class Regions:
    """Attached at first use, and kept until they are let go of. Any thread may call."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._known: dict[str, Region] = {}

    def __repr__(self) -> str:
        return f"<Regions: {', '.join(self._known) or 'none'}>"

    def find(self, name: str) -> Region:
        """The region of that name. Raises FileNotFoundError where there is none (any more) that could be attached."""
        known = self._known.get(name)
        return known or self._known.setdefault(name, Region.attach(name, folder=self.folder))

    def let_go(self, name: str) -> None:
        """Its OS process has ended. The memory goes with the last loan of it here, and the last view."""
        self._known.pop(name, None)

    def close(self) -> None:
        """Let go of all."""
        self._known.clear()
