"""What is wrong, and what was measured, as JSON has it. Knows nothing of how it is written."""

from __future__ import annotations

import traceback
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from streampy.cli.failure import each
from streampy.errors import Hung, UnitFailed

if TYPE_CHECKING:
    from streampy.cli.system import Watched
    from streampy.errors import Problem


def facts_of_problem(problem: Problem) -> dict[str, Any]:
    """File, line, column, path and message."""
    return asdict(problem)


def facts_of_run(process: Watched) -> dict[str, Any]:
    """The statistics with the names that `stats()` has, and the errors."""
    found: dict[str, Any] = {"file": process.file, "process": process.plan.name}
    if process.running is not None:
        stats = process.running.stats()
        found |= asdict(stats)
        found["ledger"]["balanced"] = stats.ledger.balanced
    found["errors"] = [_facts_of_error(one) for error in process.errors for one in each(error)]
    return found


def _facts_of_error(error: BaseException) -> dict[str, Any]:
    cause = error.__cause__ or error
    found: dict[str, Any] = {
        "kind": type(error).__name__,
        "message": str(error),
        "exception": type(cause).__name__,
        "traceback": "".join(traceback.format_exception(cause)),
    }
    if isinstance(error, UnitFailed):
        found |= {"unit": error.unit, "item": error.key, "worker": error.worker}
    if isinstance(error, Hung):
        found["units"] = list(error.units)
    return found
