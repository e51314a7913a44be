"""Which part of a value it was that can't cross the network: looked for only once that has failed.

Knows nothing of how values are encoded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Final

from streampy.model.item import Item
from streampy.pipes.net.registered import WireTypes

_DEEPEST: Final = 100
"""Levels that are told: what is deeper, or holds itself, is wrong by that alone."""
_SHORT: Final = 80
_EXPECTED: Final = (
    "None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, datetime, date, time, timedelta, "
    "Decimal, UUID, a NumPy array or scalar of a fixed dtype, an Arrow table, an Item, or an object of a class that is "
    "registered at both ends; turn it into one of these before it leaves, or register its class"
)


def blame(encode: Callable[[Any], Any], value: Any, path: str, types: WireTypes) -> TypeError:
    """The error that says which part can't be encoded; `encode` has just failed with the whole.

    path: what the whole is called.
    """
    for _ in range(_DEEPEST):
        for told, part in _parts(value, path, types):
            if (error := _fails(encode, part)) is not None:
                value, path = part, told
                break
        else:
            break
    else:
        return TypeError(
            f"{path[:_SHORT]}...: got something nested deeper than {_DEEPEST}, or that holds itself; expected less"
        )
    error = _fails(encode, value)
    kind = type(value)
    return TypeError(
        f"{path}: got {kind.__module__}.{kind.__qualname__} {_short(value)} ({error}); expected {_EXPECTED}"
    )


def _fails(encode: Callable[[Any], Any], part: Any) -> Exception | None:
    try:
        encode(part)
    except Exception as error:  # whatever the user's `to_plain` raises, too
        return error
    return None


def _parts(value: Any, path: str, types: WireTypes) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is dict:
        for key, one in value.items():
            yield f"{path} has the key {_short(key)}", key
            yield f"{path}[{_short(key)}]", one
    elif kind in {list, tuple}:
        for index, one in enumerate(value):
            yield f"{path}[{index}]", one
    elif kind in {set, frozenset}:
        for one in value:
            yield f"{path} has the member {_short(one)}", one
    elif kind is Item:
        yield f"{path}.value", value.value
    elif types.way_of(kind) is not None:
        for name in _names(kind):
            yield f"{path}.{name}", getattr(value, name, None)


def _names(kind: type) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return tuple(getattr(kind, "_fields", ()))


def _short(value: Any) -> str:
    try:
        told = repr(value)
    except Exception:  # the author's
        return "(its repr fails)"
    return told if len(told) <= _SHORT else f"{told[:_SHORT]}..."
