"""What other OS processes printed and logged, said again in this one.

Knows nothing of how it came here.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST: Final = 1 << 16
"""Bytes of a line that has not ended yet; then it is broken."""
LAST_WORDS: Final = 20
"""Lines."""

Stream = Literal["stdout", "stderr"]


@final
class Lines:
    """One stream of one OS process: bytes as they come become whole lines, the name of the OS process before each."""

    def __init__(self, name: str, stream: Stream) -> None:
        self.last: deque[str] = deque(maxlen=LAST_WORDS)
        self._name = name
        self._stream: Stream = stream
        self._open = b""

    def feed(self, data: bytes) -> Iterator[Callable[[], None]]:
        """What is to be said now; b"" is the end."""
        whole, mark, self._open = (self._open + data).rpartition(b"\n")
        if len(self._open) > _LONGEST or not data:
            whole, mark, self._open = whole + mark + self._open, self._open or mark, b""
        if not mark:
            return
        lines = whole.decode("utf-8", "replace").removesuffix("\n").split("\n")
        self.last.extend(lines)
        yield partial(_print, self._stream, "".join(f"{self._name}: {line}\n" for line in lines))


def say_record(data: bytes) -> Iterator[Callable[[], None]]:
    """A log record, to be handled as if it were one of this OS process; b"" is the end."""
    if data:
        yield partial(_handle, data)


def _print(stream: Stream, text: str) -> None:
    to = getattr(sys, stream)  # a progress bar, or a test, may have put something in its place
    if to is None:  # as for `print`
        return
    try:
        to.write(text)
    except UnicodeEncodeError as error:
        to.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
    to.flush()  # into a pipe or a file a unit that said so there would else be heard much later


def _handle(data: bytes) -> None:
    try:
        record = logging.makeLogRecord(json.loads(data.decode("utf-8", "surrogatepass")))
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)
    except Exception:  # of a filter or a handler of the user: no reason to be deaf to the rest
        traceback.print_exc()
