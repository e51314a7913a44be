"""What came to the end of a chain, and when: kept in memory, and left in a file, for whoever started the chain.

Knows nothing of the chain.
"""

from __future__ import annotations

import json
import time
from pathlib import Path


class Arrivals:
    """One chain's. Used by its last unit alone."""

    def __init__(self, file: str) -> None:
        self._file = Path(file)
        self._found: list[tuple[float, float]] = []

    def note(self, what: float) -> None:
        """Something came now."""
        self._found.append((time.monotonic(), what))

    def save(self) -> None:
        """Write all that came: `time.monotonic` seconds, and what it was."""
        self._file.write_text(json.dumps(self._found))


def read(file: str) -> list[tuple[float, float]]:
    """What `save` wrote."""
    return [(at, what) for at, what in json.loads(Path(file).read_text())]
