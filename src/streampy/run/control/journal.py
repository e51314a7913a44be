"""Keeps the last lines of the log, and the last errors of units, for whoever looks at a running segment.

Knows nothing of who looks. A record is kept as it is, and put into words only when somebody asks.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import UnitFailed
from streampy.run.trouble import ITEM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LINES: Final = 100
_ERRORS: Final = 20
_TEXT: Final = 20_000
"""Characters of a traceback."""
_UNIT: Final = "streampy.unit."
_formatter: Final = logging.Formatter()


@final
class Journal(logging.Handler):
    """Hears what is logged below `streampy`, from `open` to `close`."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self._records: deque[tuple[int, logging.LogRecord]] = deque(maxlen=_LINES)
        self._failures: deque[logging.LogRecord] = deque(maxlen=_ERRORS)
        self._guard = Lock()

    def open(self) -> None:
        """Begin to hear."""
        logging.getLogger("streampy").addHandler(self)

    def close(self) -> None:
        """Hear no more; what was heard can still be asked for."""
        logging.getLogger("streampy").removeHandler(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it. Where nobody else hears it, it is written to stderr, as it would be without this handler."""
        with self._guard:
            self._records.append((next(self._numbers), record))
            if record.name.startswith(_UNIT) and (record.exc_info or record.exc_text):
                self._failures.append(record)
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and not _is_heard(record.name):
            last.handle(record)

    def lines(self) -> list[dict[str, Any]]:
        """The last lines, the newest at the end."""
        with self._guard:
            records = list(self._records)
        return [
            {
                "at": record.created,
                "level": record.levelname,
                "logger": record.name,
                "text": record.getMessage(),
                "number": number,
            }
            for number, record in records
        ]

    def errors(self, fatal: Sequence[BaseException] = ()) -> list[dict[str, Any]]:
        """The last errors of units, the newest at the end. fatal: those that the process has failed with."""
        with self._guard:
            records = list(self._failures)
        told = [_told(record) for record in records]
        return [*told, *(_told_fatal(error) for error in fatal)][-_ERRORS:]


def _is_heard(name: str) -> bool:
    """Whether anybody but journals handles what this logger says."""
    return any(not isinstance(handler, Journal) for handler in _handlers(name))


def _handlers(name: str) -> Iterator[logging.Handler]:
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _told(record: logging.LogRecord) -> dict[str, Any]:
    trace = record.exc_text or (_formatter.formatException(record.exc_info) if record.exc_info else "")
    return {
        "at": record.created,
        "unit": record.name.removeprefix(_UNIT),
        "item": str(getattr(record, ITEM, "")),
        "text": record.getMessage(),
        "traceback": trace[-_TEXT:],
        "fatal": False,
    }


def _told_fatal(error: BaseException) -> dict[str, Any]:
    cause = error.__cause__ or error
    return {
        "at": None,
        "unit": getattr(error, "unit", "") if isinstance(getattr(error, "unit", ""), str) else "",
        "item": error.key if isinstance(error, UnitFailed) else "",
        "text": str(error),
        "traceback": "".join(traceback.format_exception(cause))[-_TEXT:],
        "fatal": True,
    }
