"""One message on its way out: what msgpack is given for what it does not know, and the buffers that lie apart.

Knows nothing of what the message is for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final, final

from msgpack import ExtType, packb

from streampy.model.item import Item
from streampy.pipes.net.arrays import plain_of, scalar_plain_of
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.headers import columns_of
from streampy.pipes.net.marks import APART, KEYS, LARGE, Mark
from streampy.pipes.net.registered import WireTypes
from streampy.pipes.net.scalars import TO_WIRE
from streampy.pipes.net.tables import bytes_of

_ROOM: Final = 1 << 12
"""Bytes with which a head is begun: msgpack's own megabyte takes longer to get than most heads to fill."""
_RAW: Final = frozenset({bytes, bytearray, memoryview})


@final
class Encoding:
    """Makes one message. `is_thorough`: large bytes are also looked for in lists and dicts, which takes a walk."""

    __slots__ = ("_is_thorough", "_most", "_types", "buffers")

    def __init__(self, types: WireTypes, most: int, *, is_thorough: bool = False) -> None:
        self.buffers: list[Buffer] = []
        self._types = types
        self._most = most
        """Buffers."""
        self._is_thorough = is_thorough

    def pack(self, value: Any) -> bytes:
        """The head. Raises TypeError, ValueError, OverflowError."""
        head: bytes = packb(value, default=self._default, strict_types=True, buf_size=_ROOM)
        return head

    def lift_all(self, values: Any) -> list[Any]:
        """A list of the values, large bytes laid apart."""
        if not self._is_thorough and _RAW.isdisjoint(map(type, values)):
            return list(values)
        return list(map(self.lift, values))

    def lift(self, value: Any) -> Any:
        """The value, or what stands for it where it is large bytes."""
        kind = type(value)
        if kind in _RAW:
            view = memoryview(value)
            if view.nbytes < LARGE or not view.contiguous or len(self.buffers) >= self._most:
                return value
            self.buffers.append(view.cast("B"))
            return ExtType(APART, (len(self.buffers) - 1).to_bytes(2, "little"))
        if self._is_thorough and kind is list:
            return list(map(self.lift, value))
        if self._is_thorough and kind is dict:
            return {key: self.lift(one) for key, one in value.items()}
        return value

    def put(self, data: memoryview) -> int | bytes:
        """The number of a buffer, or the bytes themselves where they are few."""
        if len(data) < LARGE or len(self.buffers) >= self._most:
            return bytes(data)
        self.buffers.append(data)
        return len(self.buffers) - 1

    def _default(self, value: Any) -> Any:
        """What msgpack is to write instead."""
        kind = type(value)
        if (parts := _WITH_PARTS.get(kind)) is not None:
            return parts(self, value)
        if (scalar := TO_WIRE.get(kind)) is not None:
            return scalar(value)
        if (way := self._types.way_of(kind)) is not None:
            plain = way.to_plain(value)
            lifted = self.lift_all(plain) if type(plain) is list else self.lift(plain)
            return {ExtType(Mark.NAMED, way.name.encode()): lifted}
        return self._foreign(kind, value)

    def _foreign(self, kind: type, value: Any) -> Any:
        """Of a library that is here only where somebody imported it."""
        numpy, pyarrow = sys.modules.get("numpy"), sys.modules.get("pyarrow")
        if numpy is not None and kind in {numpy.ndarray, numpy.memmap}:
            return {KEYS[Mark.ARRAY]: plain_of(value, self.put)}
        if numpy is not None and isinstance(value, numpy.generic):
            return {KEYS[Mark.SCALAR]: scalar_plain_of(value, self.put)}
        if pyarrow is not None and kind is pyarrow.Table:
            return {KEYS[Mark.TABLE]: self.put(bytes_of(value))}
        if pyarrow is not None and kind is pyarrow.RecordBatch:
            return {KEYS[Mark.RECORD_BATCH]: self.put(bytes_of(value))}
        raise TypeError(f"an object of {kind.__module__}.{kind.__qualname__}")


_WITH_PARTS: Final[dict[type, Callable[[Encoding, Any], Any]]] = {
    tuple: lambda encoding, value: {KEYS[Mark.TUPLE]: encoding.lift_all(value)},
    set: lambda encoding, value: {KEYS[Mark.SET]: encoding.lift_all(value)},
    frozenset: lambda encoding, value: {KEYS[Mark.FROZENSET]: encoding.lift_all(value)},
    Item: lambda encoding, value: {KEYS[Mark.ITEM]: [encoding.lift(value.value), columns_of([value.header])]},
}
