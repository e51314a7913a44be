"""Shows what went wrong while a process ran: the user's own exception first, then one line that names the unit.

Knows nothing of who asked.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from streampy.cli.exits import Exit
from streampy.errors import Hung, RunError, UnitFailed, WorkerDied
from streampy.memory.region import NoSharedMemory

if TYPE_CHECKING:
    from collections.abc import Iterable

_OURS = str(Path(__file__).parents[1])
_THEIRS = str(Path(__file__).parents[1] / "units")
"""The library is written as a user would write it, so its lines are as good as the user's."""


def show_failure(error: BaseException, file: str, *, whole: bool) -> None:
    """Write an error of a run, or each of a group, to stderr; `whole`: with the lines of StreamPy too."""
    for one in each(error):
        if one.__cause__ is not None:
            show_exception(one.__cause__, whole=whole)
        elif not isinstance(one, RunError):
            show_exception(one, whole=True)
        sys.stderr.write(f"streampy: {file}: {one}\n")


def show_exception(error: BaseException, *, whole: bool) -> None:
    """Write an exception with its traceback, as Python does, but from the user's first line on."""
    shown = traceback.TracebackException.from_exception(error)
    if not whole:
        _trim(shown, set())
    sys.stderr.write("".join(shown.format()))


def exit_code(errors: Iterable[BaseException]) -> Exit:
    """The code that says most about what went wrong."""
    kinds = (
        (UnitFailed, Exit.FAILED),
        (WorkerDied, Exit.DIED),
        (Hung, Exit.HUNG),
        (NoSharedMemory, Exit.PROCESS),
        (RunError, Exit.FAILED),
    )
    single = [one for error in errors for one in each(error)]
    return next((code for kind, code in kinds if any(isinstance(one, kind) for one in single)), Exit.BUG)


def each(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group one by one, or the only one."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from each(one)
    else:
        yield error


def _trim(shown: traceback.TracebackException, seen: set[int]) -> None:
    """Take our lines out, and the note that says what the line below says."""
    if id(shown) in seen:
        return
    seen.add(id(shown))
    theirs = [frame for frame in shown.stack if _is_theirs(frame.filename)]
    shown.stack = traceback.StackSummary.from_list(theirs or list(shown.stack))
    notes = getattr(shown, "__notes__", None) or []
    shown.__notes__ = [note for note in notes if not str(note).startswith("raised in unit ")]
    for other in (shown.__cause__, shown.__context__):
        if other is not None:
            _trim(other, seen)


def _is_theirs(file: str) -> bool:
    return not file.startswith((_OURS, "<frozen")) or file.startswith(_THEIRS)
