"""Where something was written: in a file, line and column, or in a line of code.

Knows nothing of what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Origin(Protocol):
    """Finds the place at which something was written."""

    def place(self, path: tuple[str | int, ...]) -> tuple[str, int, int]:
        """File, line and column of a key path; the nearest one that is known."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """An origin in Python code: everything of it stands on one line."""

    file: str
    line: int

    def place(self, path: tuple[str | int, ...]) -> tuple[str, int, int]:
        """The line, whatever the path."""
        del path
        return self.file, self.line, 0


NOWHERE = CodeLine("", 0)
"""The origin of what nobody wrote."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A key path in what it was written in."""

    origin: Origin
    path: tuple[str | int, ...]
    within: str
    """The used process whose units are named there without it: `other/`; "" for the process itself."""
