"""One message on its way in: what msgpack's extensions and marked maps become.

Knows nothing of what the message is for. What is wrong raises whatever it raises: the codec makes one error of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, final

from msgpack import unpackb

from streampy.model.item import Item
from streampy.pipes.net.arrays import array_of, scalar_of
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.headers import headers_of
from streampy.pipes.net.marks import APART, Mark
from streampy.pipes.net.registered import WireTypes
from streampy.pipes.net.scalars import from_wire
from streampy.pipes.net.tables import batch_of, table_of


@final
class _Found:
    """A mark that was read; one that is not the only key of a map is an error. Equal to nothing but itself."""

    __slots__ = ("mark", "name")

    def __init__(self, mark: int, name: str = "") -> None:
        self.mark, self.name = mark, name


_FOUND: Final = {int(mark): _Found(mark) for mark in Mark if mark is not Mark.NAMED}


@final
class Decoding:
    """Reads one message."""

    __slots__ = ("_buffers", "_marks", "_types")

    def __init__(self, types: WireTypes, buffers: Sequence[Buffer]) -> None:
        self._types = types
        self._buffers = buffers
        self._marks = 0
        """That were read and not yet resolved."""

    def unpack(self, head: Buffer) -> Any:
        """The value. Raises anything."""
        value = unpackb(head, strict_map_key=False, object_hook=self._resolve, ext_hook=self._extension, timestamp=1)
        if self._marks:
            raise ValueError("a mark that is not the only key of a map")
        return value

    def get(self, place: Any) -> memoryview:
        """The bytes that `Encoding.put` was given."""
        if type(place) is bytes:
            return memoryview(place)
        if type(place) is not int or not 0 <= place < len(self._buffers):
            raise ValueError(f"a buffer that is not there: {place!r} of {len(self._buffers)}")
        return memoryview(self._buffers[place]).cast("B").toreadonly()

    def _extension(self, code: int, data: bytes) -> Any:
        if code == APART:
            return bytes(self.get(int.from_bytes(data, "little")))
        if code < Mark.TUPLE:
            return from_wire(code, data)
        self._marks += 1
        return _Found(code, data.decode()) if code == Mark.NAMED else _FOUND[code]

    def _resolve(self, plain: dict[Any, Any]) -> Any:
        if len(plain) == 1:
            (found,) = plain
            if type(found) is _Found:
                self._marks -= 1
                if found.mark == Mark.NAMED:
                    return self._types.make(found.name, plain[found])
                return _BACK[found.mark](self, plain[found])
        return plain


def _listed(kind: type) -> Callable[[Decoding, Any], Any]:
    def make(_: Decoding, plain: Any) -> Any:
        if type(plain) is not list:
            raise ValueError(f"a {kind.__name__} is made of a list")
        return kind(plain)

    return make


def _item(_: Decoding, plain: Any) -> Item[Any]:
    value, columns = plain
    return Item(value, headers_of(columns, 1)[0])


_BACK: Final[dict[int, Callable[[Decoding, Any], Any]]] = {
    Mark.TUPLE: _listed(tuple),
    Mark.SET: _listed(set),
    Mark.FROZENSET: _listed(frozenset),
    Mark.ITEM: _item,
    Mark.ARRAY: lambda decoding, plain: array_of(plain, decoding.get),
    Mark.SCALAR: lambda decoding, plain: scalar_of(plain, decoding.get),
    Mark.TABLE: lambda decoding, plain: table_of(decoding.get(plain)),
    Mark.RECORD_BATCH: lambda decoding, plain: batch_of(decoding.get(plain)),
}
