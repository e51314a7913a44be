"""Writes items to a file as they come: each is whole in it, or not in it at all, whenever the writer is killed.

Knows nothing of processes. Any thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from errno import ENOENT
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self, final

from streampy.model.item import Batch, Header
from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.limits import Limits
from streampy.pipes.net.registered import WireTypes
from streampy.recording.records import MAGIC, VERSION, Kind, RecordingError, pack
from streampy.recording.types import Types, types_named

_LONGEST = 1 << 16
"""Characters of a traceback."""


@final
class Writer:
    """One file. Leaving the `with` block closes it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        about: Mapping[str, Any] | None = None,
        types: Types | WireTypes = (),
        limits: Limits | None = None,
    ) -> None:
        """Begin a recording; one that is there is overwritten, any other file is not.

        about: what there is to say of it: text and numbers. types: as of `Reader`.
        Raises OSError, and RecordingError where another file has that name.
        """
        self.path = str(path)
        self.items = 0
        self.bytes = 0
        self._limits = limits or Limits()
        self._codec = WireCodec(types if isinstance(types, WireTypes) else types_named(types), self._limits)
        self._lock = Lock()
        check_path(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._is_open = True
        told = {"version": VERSION, "what": "items", "when": time.time(), **(about or {})}
        try:
            head = pack(Kind.ABOUT, [self._codec.encode(told, "about").head], self._limits)
            self._write([MAGIC, *head])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.close(self._file)

    def item(self, at: float, header: Header, value: Any) -> None:
        """Write one item that came at `at`, seconds of the clock by which it was born.

        Raises TypeError where a part of it has no safe form, and says which; ValueError where it is too large; OSError.
        """
        self._put(Kind.ITEM, [at, "", "", "", True], header, value)

    def letter(self, at: float, header: Header, value: Any, *, unit: str, error: str, traceback: str) -> bool:
        """Write a dead letter; returns False where only the repr of its value could be written. Raises OSError."""
        said = [at, unit, error, traceback[-_LONGEST:]]
        try:
            self._put(Kind.LETTER, [*said, True], header, value)
        except (TypeError, ValueError):
            bare = Header(header.stream, header.seq, header.born, header.path, header.deadline)
            self._put(Kind.LETTER, [*said, False], bare, _shown(value))
            return False
        return True

    def _put(self, kind: Kind, said: list[Any], header: Header, value: Any) -> None:
        head = self._codec.encode(said, "at").head
        message = self._codec.encode_batch(Batch([value], [header]))
        buffers = pack(kind, [head, message.head, *message.buffers], self._limits)
        with self._lock:
            self._write(buffers)
            self.items += 1

    def _write(self, buffers: list[Buffer]) -> None:
        """All of it, or nothing: what a full disk took of a record is cut off again."""
        if not self._is_open:
            raise ValueError(f"{self.path} is closed")
        written, total, waiting = 0, sum(map(len, buffers)), buffers
        try:
            while written < total:
                count = os.writev(self._file, waiting)
                written += count
                waiting = _rest(waiting, count)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self.bytes)
                os.lseek(self._file, self.bytes, os.SEEK_SET)
            raise
        self.bytes += total


def _rest(buffers: list[Buffer], written: int) -> list[Buffer]:
    """What is left of the buffers behind so many bytes."""
    for number, buffer in enumerate(buffers):
        if written < len(buffer):
            return [memoryview(buffer)[written:], *buffers[number + 1 :]]
        written -= len(buffer)
    return []


def check_path(path: str | os.PathLike[str]) -> None:
    """Raise RecordingError where there is a file that is no recording, FileNotFoundError where there is no folder."""
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(ENOENT, "there is no such folder", str(Path(path).parent))
    with suppress(FileNotFoundError), Path(path).open("rb") as file:
        begins = file.read(len(MAGIC))
        if begins and begins != MAGIC:
            raise RecordingError(str(path), 0, f"{begins!r}", "a recording, or no file of that name: it is not touched")


def _shown(value: Any) -> str:
    try:
        return repr(value)[:_LONGEST]
    except Exception as error:  # the author's
        return f"({type(value).__qualname__}, whose repr raises {type(error).__name__})"
