"""Values without parts that msgpack has no form of its own for, as a code and bytes.

Knows nothing of messages. What comes back may be whatever the bytes claim, so each way back checks its bytes, and may
raise anything: the codec makes one error of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgpack import ExtType

_DELTA: Final = struct.Struct("<iii")
_COMPLEX: Final = struct.Struct("<dd")


def _int_bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


def _time_bytes(value: datetime | time) -> bytes:
    return bytes([value.fold]) + value.isoformat().encode()


def _delta_bytes(value: timedelta) -> bytes:
    return _DELTA.pack(value.days, value.seconds, value.microseconds)


def _text(data: bytes) -> str:
    return data.decode("ascii")


_FORMS: Final[tuple[tuple[int, type, Callable[[Any], bytes], Callable[[bytes], Any]], ...]] = (
    (1, int, _int_bytes, lambda data: int.from_bytes(data, "little", signed=True)),
    (2, Decimal, lambda value: str(value).encode(), lambda data: Decimal(_text(data))),
    (3, UUID, lambda value: value.bytes, lambda data: UUID(bytes=data)),
    (4, datetime, _time_bytes, lambda data: datetime.fromisoformat(_text(data[1:])).replace(fold=data[0])),
    (5, date, lambda value: value.isoformat().encode(), lambda data: date.fromisoformat(_text(data))),
    (6, time, _time_bytes, lambda data: time.fromisoformat(_text(data[1:])).replace(fold=data[0])),
    (7, timedelta, _delta_bytes, lambda data: timedelta(*_DELTA.unpack(data))),
    (8, complex, lambda value: _COMPLEX.pack(value.real, value.imag), lambda data: complex(*_COMPLEX.unpack(data))),
)
"""Code, class, and the ways there and back. `int` is for those beyond 64 bits; time zones become their offsets."""
_BACK: Final = {code: back for code, _, _, back in _FORMS}


def _to(code: int, there: Callable[[Any], bytes]) -> Callable[[Any], Any]:
    return lambda value: ExtType(code, there(value))


TO_WIRE: Final[dict[type, Callable[[Any], Any]]] = {kind: _to(code, there) for code, kind, there, _ in _FORMS}
"""By class, what msgpack is given."""


def from_wire(code: int, data: bytes) -> Any:
    """The value again. Raises LookupError for a code that nobody has, and whatever the class raises."""
    if (back := _BACK.get(code)) is None:
        raise LookupError(f"a value of the unknown code {code}")
    return back(data)
