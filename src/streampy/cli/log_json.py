"""`--log json`: one JSON object a line on stderr, for machines that collect logs.

Knows nothing of who logs. What is written to stderr by other ways, as what the command itself says, and what units
print there, becomes such a line too: a collector meets nothing else.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from io import TextIOBase
from threading import RLock
from typing import Any, Final, TextIO, final

from streampy.cli.log import log_to_stderr
from streampy.run.at_hand import at_hand

_OF_ITEM: Final = ("unit", "worker", "stream", "seq", "path")
_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", *_OF_ITEM})


def log_json_to_stderr(*, segment: str = "") -> None:
    """As `log_to_stderr`, as JSON; what is merely interesting (INFO) is there too, for machines can leave it out."""
    log_to_stderr(whole=True, formatter=JsonLines(segment))
    if not isinstance(sys.stderr, _Said):
        sys.stderr = _Said(sys.stderr, segment)


@final
class JsonLines(logging.Formatter):
    """A record as an object: `time`, `level`, `logger`, `message`, and what else is known.

    That may be `process` (the name of the OS process of units that it came from), `segment`, `unit`, `worker`,
    `stream`, `seq`, `path`, `exception`, and whatever was given as `extra`.
    """

    def __init__(self, segment: str = "") -> None:
        super().__init__()
        self._segment = segment

    def format(self, record: logging.LogRecord) -> str:
        """Give one line."""
        told: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._segment:
            told["segment"] = self._segment
        if record.processName not in {None, "MainProcess"}:
            told["process"] = record.processName
        there = {key: value for key, value in vars(record).items() if key in _OF_ITEM}
        told |= there or at_hand()
        exception = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if exception:
            told["exception"] = exception
        told |= {key: value for key, value in vars(record).items() if key not in _STANDARD and key not in told}
        return _dump(told)


@final
class _Said(TextIOBase):
    """Stands for stderr: each line that is written there becomes an object, if it is none."""

    def __init__(self, to: TextIO, segment: str) -> None:
        self._to = to
        self._segment = segment
        self._begun = ""
        self._lock = RLock()

    def write(self, text: str) -> int:
        """Write what is whole; the rest waits for its end."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            self._to.writelines(f"{self._object(line)}\n" for line in lines if line.strip())
        return len(text)

    def flush(self) -> None:
        """See `TextIO`."""
        self._to.flush()

    def fileno(self) -> int:
        """See `TextIO`."""
        return self._to.fileno()

    def isatty(self) -> bool:
        """Whether a person looks: nobody does who asks for JSON, so no progress is drawn."""
        return False

    def _object(self, line: str) -> str:
        if line.startswith("{"):
            return line
        now = _time(datetime.now(UTC).timestamp())
        told = {"time": now, "level": "INFO", "logger": "stderr", "message": line}
        return _dump(told | ({"segment": self._segment} if self._segment else {}))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _dump(told: dict[str, Any]) -> str:
    return json.dumps(told, default=repr, ensure_ascii=False)
