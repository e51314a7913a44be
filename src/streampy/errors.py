"""What can go wrong, split by who must act: the author of the graph, or whoever runs it.

Knows nothing of how a process is described or run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class StreamPyError(Exception):
    """Everything that StreamPy itself raises."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a process, and where.

    `file` is `""` and `line`, `column` are 0 where the process was not read from a file; `path` is the
    key path (`units.detect.pipe.batch`). `message` says what was got, what was expected, and what to do.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ProcessError(StreamPyError):
    """A process can't be started as it is described; `problems` lists everything that is wrong at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} in the process"
        super().__init__("\n  ".join([head, *map(str, self.problems)]))


class RunError(StreamPyError):
    """Something went wrong while a process ran."""


class UnitFailed(RunError):
    """A unit raised; `__cause__` is the user's own exception, with its traceback.

    `unit` is the unit's name, `key` tells the item ("camera #17", or "" outside of an item),
    `worker` the worker's name.
    """

    def __init__(self, unit: str, key: str, worker: str, what: str) -> None:
        self.unit, self.key, self.worker = unit, key, worker
        self._what = what
        super().__init__(unit, key, worker, what)

    def __str__(self) -> str:
        at = f" on item {self.key}" if self.key else ""
        return f"unit {self.unit!r} failed{at} (worker {self.worker}): {self._what}"


class WorkerDied(RunError):
    """A worker ended without telling why (its OS process was killed, its thread left)."""

    def __init__(self, unit: str, worker: str, what: str) -> None:
        self.unit, self.worker = unit, worker
        self._what = what
        super().__init__(unit, worker, what)

    def __str__(self) -> str:
        return f"worker {self.worker} of unit {self.unit!r} died: {self._what}"


class Hung(RunError):
    """A worker did not come back in time; `units` names the culprits."""

    def __init__(self, units: Sequence[str], what: str) -> None:
        self.units = tuple(units)
        self._what = what
        super().__init__(self.units, what)

    def __str__(self) -> str:
        return f"{', '.join(map(repr, self.units))} {self._what}"


class ItemLost(RunError):
    """The answer to a `call` can't come: the item was filtered, dropped, or went stale on its way.

    `reason` is the ledger's word for it (`filtered`, `dropped`, `expired`, `failed`).
    """

    def __init__(self, key: str, reason: str, where: str) -> None:
        self.key, self.reason, self.where = key, reason, where
        super().__init__(key, reason, where)

    def __str__(self) -> str:
        return f"item {self.key} was {self.reason} at {self.where}: no result will come"
