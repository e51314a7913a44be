"""What the OS process that started this one tells it by a pipe: to drain, or to be put out; its end means that too.

Knows nothing of what is done then: it puts a word where they are listened to.
"""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from queue import SimpleQueue

PUT_OUT: Final = "put out"
DRAIN: Final = "drain"


def obey(file: int, events: SimpleQueue[Any]) -> None:
    """From now on put each word that comes into `events`. file: the end of a pipe that is read."""
    Thread(target=_listen, args=(file, events), name="told", daemon=True).start()


def _listen(file: int, events: SimpleQueue[Any]) -> None:
    with os.fdopen(file) as words:
        for word in words:
            events.put(word.strip())
    events.put(PUT_OUT)
