"""Which classes of the user may cross the network, and as what: named by both ends, never by what came.

Knows nothing of bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple, final


class Way(NamedTuple):
    """How a class goes and comes."""

    name: str
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]


@final
class WireTypes:
    """The classes that one end knows. Register all before the first connection."""

    __slots__ = ("_kinds", "_ways")

    def __init__(self) -> None:
        self._ways: dict[type, Way] = {}
        self._kinds: dict[str, type] = {}

    def __repr__(self) -> str:
        return f"<WireTypes {', '.join(self._kinds) or 'none'}>"

    def register(
        self,
        kind: type,
        name: str = "",
        to_plain: Callable[[Any], Any] | None = None,
        from_plain: Callable[[Any], Any] | None = None,
    ) -> None:
        """Let objects of exactly this class cross the network.

        Args:
            kind: a class. A dataclass or NamedTuple needs nothing more: its fields go, in their order.
            name: what it is called between the two ends; by default its own name.
            to_plain: what goes instead: anything that can go, other registered objects too.
            from_plain: makes the object again. What it is given came from the network: it must believe nothing.

        Raises:
            TypeError: it is neither a dataclass nor a NamedTuple, and one of the functions is missing.
            ValueError: another class has the name.

        """
        name = name or kind.__name__
        if to_plain is None or from_plain is None:
            own = _fields_of(kind)
            to_plain, from_plain = to_plain or own[0], from_plain or own[1]
        if self._kinds.get(name, kind) is not kind:
            raise ValueError(f"{kind!r} can't be called {name!r}: {self._kinds[name]!r} is; give another name")
        if kind in self._ways:
            self._kinds.pop(self._ways[kind].name)
        self._ways[kind] = Way(name, to_plain, from_plain)
        self._kinds[name] = kind

    def way_of(self, kind: type) -> Way | None:
        """How objects of this class go; None where it is not registered."""
        return self._ways.get(kind)

    def make(self, name: str, plain: Any) -> Any:
        """The object again. Raises LookupError where nobody has that name, and whatever the class raises."""
        if (kind := self._kinds.get(name)) is None:
            raise LookupError(f"an object of {name!r}, which is not registered here; register it at both ends")
        return self._ways[kind].from_plain(plain)


def _fields_of(kind: type) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    if issubclass(kind, tuple) and (names := getattr(kind, "_fields", None)) is not None:
        return list, lambda plain: kind(*_so_many(plain, len(names)))
    if dataclasses.is_dataclass(kind):
        fields = dataclasses.fields(kind)
        if all(field.init for field in fields):
            return (
                lambda value: [getattr(value, field.name) for field in fields],
                lambda plain: kind(
                    **dict(zip((field.name for field in fields), _so_many(plain, len(fields)), strict=True))
                ),
            )
    raise TypeError(
        f"{kind!r} is no NamedTuple, and no dataclass whose fields are all arguments; give `to_plain` and `from_plain`"
    )


def _so_many(plain: Any, count: int) -> list[Any]:
    if type(plain) is not list or len(plain) != count:
        raise ValueError(f"expected a list of {count} fields")
    return plain
