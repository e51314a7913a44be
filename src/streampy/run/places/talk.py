"""How an OS process that a nursery bore speaks to the main one: prints as lines, log records as packets.

The levels of loggers that both keep to are here, too. Knows nothing of who listens: see `listen`.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from io import TextIOWrapper
from typing import Any, Final, final

from streampy.run.at_hand import at_hand

MOST: Final = 1 << 17
"""Bytes of a log record at the most; the kernel keeps each whole, whoever is killed while it writes one."""
_CUT: Final = 5_000
"""Characters that stay of each text in a record that is too large; one takes 6 bytes at the most."""


def levels_here() -> tuple[dict[str, int], int]:
    """The levels of the loggers of this OS process, "" being the root; and the level that is disabled for all."""
    root = logging.getLogger()
    named = {
        name: logger.level
        for name, logger in list(root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and logger.level != logging.NOTSET
    }
    return {"": root.level} | named, root.manager.disable


def speak(log: int, name: str, levels: dict[str, int], level_disabled: int) -> None:
    """Send what is printed line by line from now on, and log records to the socket `log`, which is taken over."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    logging.getLogger().handlers[:] = [_ToMain(socket.socket(fileno=log), name)]
    logging.disable(level_disabled)
    for logger, level in levels.items():
        logging.getLogger(logger).setLevel(level)


@final
class _ToMain(logging.Handler):
    """Sends each record; waits where the main OS process can't keep up, so that none is lost."""

    def __init__(self, to: socket.socket, name: str) -> None:
        super().__init__()
        self._socket = to
        self._name = name

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        try:
            self._socket.send(self._pack(record), socket.MSG_NOSIGNAL)
        except Exception:
            self.handleError(record)

    def _pack(self, record: logging.LogRecord) -> bytes:
        text = record.getMessage()
        trace = record.exc_text
        if record.exc_info and not trace:
            trace = logging.Formatter().formatException(record.exc_info)
        whole = (
            vars(record) | at_hand() | {"exc_text": trace, "exc_info": None, "args": None, "processName": self._name}
        )
        packed = _dump(whole | {"msg": text})
        if len(packed) <= MOST:
            return packed
        kept: dict[str, Any] = {key: _cut(value) for key, value in whole.items() if key in _ALWAYS}
        if trace:
            kept["exc_text"] = f"(the first of {len(trace)} characters are cut)\n{trace[-_CUT:]}"
        return _dump(kept | {"msg": _cut(text)})


def _dump(record: dict[str, Any]) -> bytes:
    return json.dumps(record, default=repr, ensure_ascii=False).encode("utf-8", "surrogatepass")


_ALWAYS: Final = frozenset(vars(logging.makeLogRecord({})))
"""What every record has; the rest is what was given as `extra`."""


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > _CUT:
        return f"{value[:_CUT]}... (the rest of {len(value)} characters is cut)"
    return value
