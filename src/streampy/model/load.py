"""A process from configuration: a YAML, JSON or TOML file, or a dict.

Knows nothing of what makes a graph sound (`check` does), nor of running.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streampy.errors import Problem, ProcessError
from streampy.model.check import make_plan
from streampy.model.process import Process

if TYPE_CHECKING:
    from streampy.model.plan import Plan

Source = str | os.PathLike[str] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be read of a process, and what is wrong with it so far."""

    process: Process
    problems: tuple[Problem, ...]
    causes: tuple[BaseException, ...]
    """What the user's own modules raised when they were imported."""

    def plan(self, *, may_be_open: bool) -> Plan:
        """The plan. Raises ProcessError with every problem, those of reading among them."""
        try:
            return make_plan(self.process, may_be_open=may_be_open, known=self.problems)
        except ProcessError as error:
            raise error from self._cause()

    def _cause(self) -> BaseException | None:
        if len(self.causes) > 1:
            return BaseExceptionGroup("several modules could not be imported", self.causes)
        return self.causes[0] if self.causes else None


def load(source: Source, *, set: Mapping[str, Any] | None = None) -> Process:  # noqa: A002 - the word of the configuration
    """A process from a YAML, JSON or TOML file, or from a dict with the same keys.

    source: the path of the file, or the dict. set: settings that count more than those in the file, each
    `{"unit.setting": value}`; `"other/unit.setting"` for a unit of a process that is used as `other`. Where the unit
    has no setting of that name its key is meant: `{"detect.workers": 2, "detect.place": "own"}`.
    Raises ProcessError with everything that is wrong at once, each with file, line, column and key path; where one of
    the user's own modules could not be imported, that exception is its cause. An input that is linked to nothing is
    no problem here: it may be fed by hand.
    """
    caller = sys._getframe(1)
    draft = read(source, set=set, origin=(caller.f_code.co_filename, caller.f_lineno))
    draft.plan(may_be_open=True)
    return draft.process


def load_plan(source: Source, *, set: Mapping[str, Any] | None = None, set_by: str = "set") -> Plan:  # noqa: A002
    """The plan of a process that runs by itself: as `load`, and no input may be linked to nothing.

    set_by: what the settings in `set` came from, for what is said about them.
    """
    return read(source, set=set, set_by=set_by).plan(may_be_open=False)


def read(
    source: Source,
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002
    set_by: str = "set",
    origin: tuple[str, int] = ("", 0),
) -> Draft:
    """As much of a process as can be read. Raises nothing: what is wrong is in the draft.

    origin: file and line of the code that gave a dict.
    """
    from streampy.model.config.draft import give_settings, read_document, read_process  # noqa: PLC0415 - YAML and pydantic take a tenth of a second, which a process built in Python saves
    from streampy.model.config.given import give_keys  # noqa: PLC0415 - likewise

    document = read_document(source, origin)
    ambiguous = give_settings(document, set or {}, set_by)
    process, causes = read_process(document)
    process = process.with_units(give_keys(document, list(process.units.values()), ambiguous, set_by))
    return Draft(process, tuple(document.problems), tuple(causes))
