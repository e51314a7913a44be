"""Arrow tables and record batches as bytes, and back, held against what they claim.

Knows nothing of messages. The bytes are Arrow's own stream format, uncompressed: a few compressed bytes could claim any
amount of memory. What comes back are views of them. pyarrow is imported by whoever has a table, or is sent one.
"""

from __future__ import annotations

import struct
from typing import Any, Final

_RECORD_BATCH: Final = 3
_DICTIONARY: Final = 2
"""Kinds of Arrow messages."""


def bytes_of(table: Any) -> memoryview:
    """A `pyarrow.Table` or `RecordBatch`."""
    import pyarrow as pa  # noqa: PLC0415 - not everybody has it

    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression=None)) as stream:
        stream.write(table)
    return memoryview(out.getvalue())


def table_of(data: memoryview) -> Any:
    """The table again, a view of the bytes. Raises ValueError where they are not what they claim to be."""
    return _open(data).read_all()


def batch_of(data: memoryview) -> Any:
    """The record batch again: the only one in the bytes."""
    batches = list(_open(data))
    if len(batches) != 1:
        raise ValueError(f"{len(batches)} record batches instead of one")
    return batches[0]


def _open(data: memoryview) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - as above

    buffer = pa.py_buffer(data)
    for message in pa.ipc.MessageReader.open_stream(buffer):
        if _is_compressed(memoryview(message.metadata)):
            raise ValueError("a compressed Arrow table")
    for batch in pa.ipc.open_stream(buffer):
        batch.validate(full=True)  # pyarrow believes offsets and indices otherwise, and reads where they say
    return pa.ipc.open_stream(buffer)


def _is_compressed(message: memoryview) -> bool:
    """Whether an Arrow message (a flatbuffer, see Arrow's Message.fbs) carries compressed buffers."""

    def number(form: str, at: int) -> int:
        found: int = struct.unpack_from(form, message, at)[0]
        return found

    def field(table: int, index: int) -> int:
        """Where the field of a table lies; 0 where it has none."""
        fields = table - number("<i", table)
        slot = 4 + 2 * index
        offset = number("<H", fields + slot) if slot < number("<H", fields) else 0
        return table + offset if offset else 0

    def inner(table: int, index: int) -> int:
        at = field(table, index)
        return at + number("<I", at)

    root = number("<I", 0)
    kind = number("<B", field(root, 1)) if field(root, 1) else 0
    if kind == _DICTIONARY:
        return field(inner(inner(root, 2), 1), 3) != 0
    return kind == _RECORD_BATCH and field(inner(root, 2), 3) != 0
