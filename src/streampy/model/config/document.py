"""What a file says, as plain values, and where it says it.

Knows nothing of the format it was read from, nor of what its keys mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streampy.errors import Problem

KeyPath = tuple[str | int, ...]
"""Where a value stands: `("units", "detect", "from", 0)`."""


class Document:
    """A configuration with the place of each of its keys, and what is wrong with it so far.

    A value that is wrong is taken out of `value`, and its path goes into `told`: nothing that follows from its
    absence is another problem.
    """

    def __init__(self, file: str, line: int = 0) -> None:
        self.file = file
        self.value: Any = None
        self.problems: list[Problem] = []
        self.told: set[KeyPath] = set()
        self._line = line
        self._marks: dict[KeyPath, tuple[int, int]] = {}
        self._given: dict[KeyPath, str] = {}

    def mark(self, path: KeyPath, line: int, column: int) -> None:
        """Remember where a key stands first; both count from 1."""
        self._marks.setdefault(path, (line, column))

    def spell_out(self, path: KeyPath, key: str) -> None:
        """The value at `path` is a short form of `{key: value}`: put that there; its places are known at both."""
        inner = self.value
        for one in path[:-1]:
            inner = inner[one]
        inner[path[-1]] = {key: inner[path[-1]]}
        length = len(path)
        self._marks |= {(*path, key, *at[length:]): place for at, place in self._marks.items() if at[:length] == path}
        self.told |= {(*path, key, *at[length:]) for at in self.told if at[:length] == path and len(at) > length}

    def place(self, path: KeyPath) -> tuple[str, int, int]:
        """File, line and column of a key path; of the nearest one above it where it is not known."""
        for length in range(len(path), -1, -1):
            if path[:length] in self._given:
                return self._given[path[:length]], 0, 0
            if path[:length] in self._marks:
                return self.file, *self._marks[path[:length]]
        return self.file, self._line, 0

    def report(self, path: KeyPath, message: str, *, at: tuple[int, int] | None = None) -> None:
        """Something is wrong at `path`, and its value is not to be used.

        at: line and column of what is wrong, where that is not the value itself, which then stays.
        """
        place = self.place(path) if at is None else (self.file, *at)
        self.problems.append(Problem(*place, ".".join(map(str, path)), message))
        if at is None:
            self.told.add(path)

    def fail(self, line: int, column: int, message: str) -> None:
        """The file can't be read at all."""
        self.problems.append(Problem(self.file, line, column, "", message))
        self.told.add(())

    def give(self, path: KeyPath, value: Any, by: str, *, own: int = 0) -> None:
        """Put a value that was given beside the file, `by` a command line, say.

        own: so many keys of the path are the file's, also where they are not written there.
        """
        inner = self.value
        for length, key in enumerate(path[:-1], 1):
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
                if length > own:
                    self._given[path[:length]] = by
            inner = inner[key]
        inner[path[-1]] = value
        self._given[path] = by
        self.told.discard(path)
        self.problems = [problem for problem in self.problems if problem.path != ".".join(map(str, path))]

    def give_wrong(self, by: str, message: str) -> None:
        """What was given beside the file can't be used."""
        self.problems.append(Problem(by, 0, 0, "", message))

    def without_told(self) -> Any:
        """The value without what is wrong in it."""
        return self._without((), self.value)

    def _without(self, path: KeyPath, value: Any) -> Any:
        if isinstance(value, Mapping):
            inner = {key: self._without((*path, key), one) for key, one in value.items()}
            return {key: one for key, one in inner.items() if (*path, key) not in self.told}
        if isinstance(value, list):
            return [self._without((*path, i), one) for i, one in enumerate(value) if (*path, i) not in self.told]
        return value
