"""Reads what was recorded: items with their headers, when they came, and of dead letters also the error.

Knows nothing of processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, final

from streampy.model.item import Header, Item
from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.limits import Limits
from streampy.pipes.net.registered import WireTypes
from streampy.recording.records import VERSION, Kind, Record, RecordingError, Records
from streampy.recording.types import Types, types_named


@dataclass(frozen=True, slots=True)
class Recorded:
    """One item of a recording."""

    at: float
    """When it came: seconds by the clock of that run, as in its header, so `at - header.born` was its age."""
    header: Header
    """As it was."""
    value: Any
    """Equal to what was recorded, but arrays are read-only. Of a dead letter of a join: the tuple of its arguments."""
    unit: str = ""
    """Of a dead letter: the unit that raised; else empty, as the next ones."""
    error: str = ""
    """`ValueError: no face`"""
    traceback: str = ""
    is_whole: bool = True
    """False for a dead letter whose value could not be written: then `value` is its repr."""

    @property
    def item(self) -> Item[Any]:
        """The value with its header."""
        return Item(self.value, self.header)


@final
class Reader:
    """The items of one file, in their order. One thread; leaving the `with` block closes it."""

    def __init__(
        self, path: str | os.PathLike[str], types: Types | WireTypes = (), limits: Limits | None = None
    ) -> None:
        """Open a recording.

        types: the dataclasses and NamedTuples that it has, as such or as `"module:Class"`; nothing else is ever made.
        Raises OSError; RecordingError where it is no recording, or its beginning is damaged or not all there.
        """
        limits = limits or Limits()
        self._codec = WireCodec(types if isinstance(types, WireTypes) else types_named(types), limits)
        self._records = Records(path, limits)
        try:
            self.about = self._read_about()
            """`process`, `unit`, `port`, `when` (seconds since 1970), `what`: items, or dead letters."""
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
        """Read no more."""
        self._records.close()

    @property
    def path(self) -> str:
        """Of the file."""
        return self._records.path

    @property
    def cut(self) -> int | None:
        """Once all was read: the byte at which the file was cut off amid a record, or None."""
        return self._records.cut

    def __iter__(self) -> Iterator[Recorded]:
        """Read on. Raises RecordingError, which names the byte, for what is damaged; a cut end is told by `cut`."""
        while (record := self._records.next()) is not None:
            if record.kind is not Kind.ABOUT:
                yield self._recorded(record)

    def count(self) -> int:
        """How many items there are from here on, which are then passed. Raises RecordingError."""
        count = 0
        while self._records.skip():
            count += 1
        return count

    def _read_about(self) -> Mapping[str, Any]:
        record = self._records.next()
        if record is None:
            got, expected = "the end of the file", "what the recording is about"
            raise RecordingError(self.path, self._records.cut or 0, got, expected)
        about = self._decoded(record, lambda: self._codec.decode(record.parts[0]))
        if record.kind is not Kind.ABOUT or type(about) is not dict or about.get("version") != VERSION:
            expected = f"a recording of version {VERSION}"
            raise RecordingError(self.path, record.offset, f"{about!r:.100}", expected)
        return about

    def _recorded(self, record: Record) -> Recorded:
        def decode() -> Recorded:
            told = self._codec.decode(record.parts[0])
            (value,), (header,) = _one(self._codec.decode_batch(record.parts[1], record.parts[2:]))
            at, unit, error, traceback, is_whole = told
            if list(map(type, told)) != [float, str, str, str, bool]:
                raise ValueError("no time, or no texts")
            return Recorded(at, header, value, unit, error, traceback, is_whole)

        found: Recorded = self._decoded(record, decode)
        return found

    def _decoded(self, record: Record, decode: Any) -> Any:
        try:
            return decode()
        except ProtocolError as error:
            raise RecordingError(self.path, record.offset, error.got, error.expected) from error
        except (ValueError, TypeError, IndexError) as error:
            raise RecordingError(self.path, record.offset, f"{error}", "an item, as it was written") from error


def _one(batch: Any) -> tuple[Any, Any]:
    return batch, batch.headers


def read(path: str | os.PathLike[str], types: Types | WireTypes = ()) -> Iterator[Recorded]:
    """The items of a recording, in their order. See `Reader`, which also tells what it is about."""
    with Reader(path, types) as reader:
        yield from reader
