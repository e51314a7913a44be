"""The lines of a file that grows, as they are written; needs the extra `streampy[tail]`, and Linux.

The kernel tells when something was written (inotify), so nothing is polled; it can't tell what another machine writes
to a network drive.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import streampy as sp
from streampy.units.missing import needs

with needs("streampy[tail]"):
    from asyncinotify import Inotify, Mask, Watch

_COMES = Mask.CREATE | Mask.MOVED_TO
_CHUNK = 1 << 16
_LONGEST = 1 << 24
"""Bytes of a line: a file with no line ends in 16 MB is no file of lines."""


class TailSource(sp.Unit):
    """Give each line of a file as soon as it is written whole, for ever; also over a rotation of the file.

    Where the file is moved away and a new one comes in its place, the old one is read to its end, then the new one from
    its beginning; so is a file that was emptied. A file that is not there yet is waited for. It waits in the event
    loop: it takes no thread.
    """

    _file: "_Growing | None" = None

    def __init__(
        self,
        *,
        path: str,
        begin: Literal["end", "start"] = "end",
        gives: Literal["text", "json"] = "text",
        encoding: str = "utf-8",
    ) -> None:
        """Choose the file.

        Args:
            path: of the file; its folder must be there.
            begin: at the end, with what is written once the process has started; or with what is there already.
            gives: the text of a line without its end, or the value of its JSON; empty lines have none, and are left
                out.
            encoding: of the file; one in which a line ends with the byte 10.

        """
        self.path = Path(path)
        self.begin = begin
        self.gives = gives
        self.encoding = encoding

    def start(self) -> None:
        """Open the file, and begin to watch it.

        Raises:
            FileNotFoundError: there is no such folder.
            ValueError: several workers.

        """
        if sp.worker().count > 1:
            raise ValueError(f"TailSource: {sp.worker().count} workers would each give all lines: set `workers: 1`")
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"TailSource: no folder at {self.path.parent}")
        self._file = _Growing(self.path)
        if self.begin == "end":
            self._file.skip()

    async def work(self) -> AsyncIterator[Any]:
        """Give the lines. Raises ValueError where one is no JSON, is `null`, which is no item, or exceeds 16 MB."""
        assert self._file is not None, "work is called after start"  # noqa: S101 - narrows the type
        while True:
            for lines in self._file.read():
                for line in lines:
                    if self.gives == "text":
                        yield line.decode(self.encoding).rstrip("\r")
                    elif line.strip():
                        yield self._value(line)
                await asyncio.sleep(0)  # where much is there already, others want to live too
            await self._file.inotify.get()

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _value(self, line: bytes) -> Any:
        try:
            value = json.loads(line.decode(self.encoding))
        except ValueError as error:
            raise ValueError(f"{self.path}: got {line!r:.80}, expected JSON: {error}") from error
        if value is None:
            raise ValueError(f"{self.path}: got null, which is no item")
        return value


class _Growing:
    """A file that is written to, and may be replaced. It is read only once it is watched, so that nothing is missed."""

    def __init__(self, path: Path) -> None:
        self.inotify = Inotify()
        self._path = path
        self._file: FileIO | None = None
        self._watch: Watch | None = None
        self._rest = b""
        """The beginning of a line whose end was not written yet."""
        self.inotify.add_watch(self._path.parent, _COMES)
        self._open()

    def skip(self) -> None:
        """Leave out what is there, up to the line that is being written."""
        if self._file is None:
            return
        begin = max(0, self._file.seek(0, os.SEEK_END) - _CHUNK)
        self._file.seek(begin)
        last = self._file.read()
        self._rest = last[last.rfind(b"\n") + 1 :]

    def read(self) -> Iterator[list[bytes]]:
        """Give what was written since the last time, in whole lines."""
        yield from self._new()
        while self._was_replaced():
            yield from self._new()  # what was written to the old one meanwhile
            if self._rest:
                yield [self._rest]  # its end will never come
            self._let_go()
            self._open()
            yield from self._new()

    def _new(self) -> Iterator[list[bytes]]:
        if self._file is None:
            return
        if os.fstat(self._file.fileno()).st_size < self._file.tell():  # it was emptied
            self._file.seek(0)
            self._rest = b""
        while chunk := self._file.read(_CHUNK):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > _LONGEST:
                raise ValueError(f"TailSource: {self._path} has no line end in {_LONGEST} bytes, so it has no lines")
            yield lines

    def _was_replaced(self) -> bool:
        """Whether there is a file, and it is not this one."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or not os.path.samestat(there, os.fstat(self._file.fileno()))

    def _open(self) -> None:
        try:
            self._file = self._path.open("rb", buffering=0)
        except FileNotFoundError:  # it comes later
            return
        # By its number: under its name another one may stand by now.
        self._watch = self.inotify.add_watch(f"/proc/self/fd/{self._file.fileno()}", Mask.MODIFY)
        self.inotify.add_watch(self._path.resolve().parent, _COMES)  # the name may be a link to elsewhere

    def _let_go(self) -> None:
        if self._file is None:
            return
        with suppress(OSError):  # the kernel has let go of a file that was deleted
            if self._watch is not None:
                self.inotify.rm_watch(self._watch)
        self._file.close()
        self._file, self._watch, self._rest = None, None, b""

    def close(self) -> None:
        """Watch and read no more."""
        self._let_go()
        self.inotify.close()
