"""Batches and values as bytes that may come from anybody: nothing in them is ever run, or believed.

Knows nothing of frames and connections. The head is msgpack; large arrays, tables and bytes lie in buffers beside it,
uncopied. What msgpack has no form for is an extension with bytes (see `scalars`), or, where it has parts, a map with
one key, which is a mark: `{TUPLE: [1, 2]}`. So all is decoded in one go, in time and memory in line with its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

from streampy.model.item import Batch
from streampy.pipes.net.culprit import blame
from streampy.pipes.net.decoding import Decoding
from streampy.pipes.net.encoding import Encoding
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.headers import columns_of, headers_of
from streampy.pipes.net.limits import Limits
from streampy.pipes.net.registered import WireTypes

_LARGE_HEAD: Final = 1 << 14
"""Bytes of head for each value from which on large bytes are looked for in lists and dicts, too."""
_SHOWN: Final = 200


class Message(NamedTuple):
    """A value on its way. The buffers are the value's own memory: it must not change until they are sent."""

    head: bytes
    buffers: Sequence[Buffer]

    @property
    def parts(self) -> list[Buffer]:
        """As a frame carries them."""
        return [self.head, *self.buffers]


@final
class WireCodec:
    """Any thread, and several at once. Register all types first.

    What comes out equals what went in, and is of the same types, but for: bytearray and memoryview are bytes, time
    zones are offsets, arrays are read-only. Arrays and tables are views of the buffers, for as long as they live.
    """

    __slots__ = ("_most", "_types")

    def __init__(self, types: WireTypes | None = None, limits: Limits | None = None) -> None:
        self._types = types or WireTypes()
        self._most = (limits or Limits()).parts - 1

    def without_buffers(self) -> WireCodec:
        """The same, with all in the head."""
        return WireCodec(self._types, Limits(parts=1))

    def encode(self, value: Any, path: str = "value") -> Message:
        """A value. Raises TypeError where a part of it has no safe form, and says which; `path`: what it is called."""
        try:
            encoding = Encoding(self._types, self._most)
            head = encoding.pack(encoding.lift(value))
            if len(head) > _LARGE_HEAD:
                encoding = Encoding(self._types, self._most, is_thorough=True)
                head = encoding.pack(encoding.lift(value))
            return Message(head, encoding.buffers)
        except Exception as error:
            raise self._blame(value, path, error) from error

    def decode(self, head: Buffer, buffers: Sequence[Buffer] = ()) -> Any:
        """What was encoded. Raises ProtocolError, and nothing else, whatever the bytes are."""
        try:
            return Decoding(self._types, buffers).unpack(head)
        except Exception as error:  # msgpack, numpy, pyarrow, registered classes: each has its own
            raise _nonsense(error) from error

    def encode_batch(self, batch: Batch[Any]) -> Message:
        """Headers and values. Raises TypeError where a part has no safe form, and says of which item."""
        columns = columns_of(batch.headers)
        try:
            encoding = Encoding(self._types, self._most)
            head = encoding.pack([columns, encoding.lift_all(batch)])
            if len(head) > _LARGE_HEAD * (len(batch) + 1):
                encoding = Encoding(self._types, self._most, is_thorough=True)
                head = encoding.pack([columns, encoding.lift_all(batch)])
            return Message(head, encoding.buffers)
        except Exception as error:
            for header, value in zip(batch.headers, batch, strict=False):
                if not self._can_go(value):
                    raise self._blame(value, f"item {header.key}: value", error) from error
            metas = {header.key: {**header.meta} for header in batch.headers}
            raise self._blame(metas, "meta", error) from error

    def decode_batch(self, head: Buffer, buffers: Sequence[Buffer] = ()) -> Batch[Any]:
        """What was encoded by `encode_batch`. Raises ProtocolError, and nothing else, whatever the bytes are."""
        try:
            columns, values = Decoding(self._types, buffers).unpack(head)
            if type(values) is not list:
                raise ValueError("the values of a batch are a list")  # noqa: TRY301 - as all else that can be wrong
            return Batch(values, headers_of(columns, len(values)))
        except Exception as error:  # as above
            raise _nonsense(error) from error

    def _can_go(self, value: Any) -> bool:
        try:
            Encoding(self._types, self._most).pack(value)
        except Exception:  # whatever it is, `blame` will tell
            return False
        return True

    def _blame(self, value: Any, path: str, error: Exception) -> TypeError:
        found = blame(lambda part: Encoding(self._types, self._most).pack(part), value, path, self._types)
        for note in getattr(error, "__notes__", ()):
            found.add_note(note)
        return found


def _nonsense(error: Exception) -> ProtocolError:
    told = f"{type(error).__name__}: {error}"[:_SHOWN]
    return ProtocolError("a message", f"bytes that are none ({told})", "what the same codec has encoded")
