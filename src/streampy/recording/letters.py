"""A file for the dead letters of a process: written when each occurs, so a kill loses none; it can be replayed.

Knows nothing of how letters come about.
"""

from __future__ import annotations

import logging
import os
import traceback
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, final

from streampy.model.check import make_plan
from streampy.model.process import Process
from streampy.recording.types import types_of
from streampy.recording.writing import Writer

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.trouble import DeadLetter

LETTERS = "dead letters"
"""What a recording of them says that it is."""
_log = logging.getLogger("streampy.recording")


@final
class DeadLetterFile:
    """For `streampy.run(process, dead_letters=DeadLetterFile(FOLDER, process))`. Any thread may add.

    The file is made with the first letter; its name has the process, the time and the pid. What can't be written
    (a full disk) is logged, and does not stop the process: the letter is kept in memory all the same.
    """

    def __init__(self, folder: str | os.PathLike[str], process: Process | Plan, segment: str = "") -> None:
        """Folder: made where it is not there. Raises OSError where it can't be."""
        self._plan = make_plan(process) if isinstance(process, Process) else process
        name = f"{self._plan.name}-{segment}" if segment else self._plan.name
        when = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.path = str(Path(folder) / f"{name}-{when}-{os.getpid()}.rec")
        self._writer: Writer | None = None
        self._lock = Lock()

    def add(self, letter: DeadLetter) -> None:
        """Write one."""
        error = letter.error
        told = "".join(traceback.format_exception(error))
        try:
            is_whole = self._open().letter(
                monotonic(),
                letter.item.header,
                letter.item.value,
                unit=letter.unit,
                error=f"{type(error).__name__}: {error}",
                traceback=told,
            )
        except Exception:
            _log.exception("a dead letter of %s, item %s, was not written", letter.unit, letter.item.header.key)
            return
        if not is_whole:
            _log.warning(
                "of the dead letter of %s, item %s, only the text was written: its value, or what it is called with, "
                "has no safe form; it can't be replayed from %s",
                letter.unit,
                letter.item.header.key,
                self.path,
            )

    def close(self) -> None:
        """Write no more."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> Writer:
        with self._lock:
            if self._writer is None:
                about = {"process": self._plan.name, "what": LETTERS}
                self._writer = Writer(self.path, about, types_of(self._plan))
            return self._writer
