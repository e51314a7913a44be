"""What the logs of StreamPy and of the units say in the terminal: a line each, above the progress.

Knows nothing of who logs.
"""

from __future__ import annotations

import logging
import sys


def log_to_stderr(*, whole: bool, formatter: logging.Formatter | None = None) -> None:
    """Show warnings and worse of everybody; `whole`: with tracebacks, and what is merely interesting.

    formatter: what makes the lines, if these are not for people.
    """
    handler = _Stderr()
    handler.setFormatter(formatter or _Lines(whole=whole))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if whole else logging.WARNING)


class _Stderr(logging.Handler):
    """Writes to what `sys.stderr` is now: a progress bar takes its place while it is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        sys.stderr.write(f"{self.format(record)}\n")


class _Lines(logging.Formatter):
    def __init__(self, *, whole: bool) -> None:
        super().__init__("streampy: %(levelname)s %(name)s: %(message)s")
        self._whole = whole

    def format(self, record: logging.LogRecord) -> str:
        """Give a line; without the traceback, which has its place where the error stops the process."""
        if not self._whole:
            record = logging.makeLogRecord({**vars(record), "exc_info": None, "exc_text": None})
        return super().format(record)
