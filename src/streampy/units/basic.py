"""The units that any process needs: map, filter, fan out, gather, take a part, split.

Knows nothing of files, windows and models.
"""

from collections.abc import Iterator
from typing import Any

import streampy as sp
from streampy.units.functions import Function, Key, function_of, key_of


class Map(sp.Unit):
    """Give what a function makes of each value.

    >>> sp.testing.feed(Map, settings={"function": "math:sqrt"}, value=[4.0, 9.0])
    [2.0, 3.0]
    """

    def __init__(self, *, function: Function) -> None:
        """Choose the function: of one value, never None (Filter puts values out)."""
        self.function = function_of(function)

    def work(self, value: Any) -> Any:
        """Call the function."""
        return self.function(value)


class Filter(sp.Unit):
    """Let pass what fulfils a condition; all else ends as filtered.

    >>> sp.testing.feed(Filter, settings={"condition": 0, "equals": "a"}, value=["ant", "bee", "ape"])
    ['ant', 'ape']
    """

    def __init__(self, *, condition: Key, equals: Any = None) -> None:
        """Choose what passes.

        Args:
            condition: a function of a value, or the path of a part of it.
            equals: what the condition must give; without it, anything that counts as true.

        """
        self.condition = key_of(condition)
        self.equals = equals

    def work(self, value: Any) -> Any | None:
        """Give the value, or nothing. Raises LookupError where a value has no such part."""
        return value if _holds(self.condition(value), self.equals) else None


class YesNo(sp.Outputs):
    """The outputs of Split."""

    yes: Any = None
    no: Any = None


class Split(sp.Unit):
    """Send what fulfils a condition to the output `yes`, all else to `no`; link them as `from: split.yes`.

    To split into more than two, link one Filter with `equals` for each value to the same sender.

    >>> sp.testing.feed(Split, settings={"condition": "builtins:str.isupper"}, value=["A", "b"])
    [('yes', 'A'), ('no', 'b')]
    """

    def __init__(self, *, condition: Key, equals: Any = None) -> None:
        """Choose the condition: as for Filter."""
        self.condition = key_of(condition)
        self.equals = equals

    def work(self, value: Any) -> YesNo:
        """Give the value at one of the outputs."""
        return YesNo(yes=value) if _holds(self.condition(value), self.equals) else YesNo(no=value)


class FlatMap(sp.Unit):
    """Give all that a function makes of each value: its results become the parts of the item.

    >>> sp.testing.feed(FlatMap, settings={"function": "builtins:str.split"}, value=["to be", ""])
    ['to', 'be']
    """

    def __init__(self, *, function: Function) -> None:
        """Choose the function: of one value; it returns a list, or yields."""
        self.function = function_of(function)

    def work(self, value: Any) -> Iterator[Any]:
        """Call the function."""
        yield from self.function(value)


class Explode(sp.Unit):
    """Take each value apart: the elements of a list become the parts of the item. Implode gathers them again.

    >>> sp.testing.feed(Explode, value=[[1, 2], [], [3]])
    [1, 2, 3]
    """

    def work(self, value: Any) -> Iterator[Any]:
        """Give the elements."""
        yield from value


class Implode(sp.Unit):
    """Gather the parts into which an item was taken, in their order: `[]` where none came through.

    It waits for all of them, but not for what was filtered, dropped, or has failed on the way: a join knows of that.

    >>> sp.testing.feed(Implode, parts=[[1, 2], []])
    [[1, 2], []]
    """

    def work(self, parts: list[Any]) -> list[Any]:
        """Give the parts."""
        return list(parts)


class GetField(sp.Unit):
    """Take a part out of each value: a key of a mapping, a number in a list, an attribute, or a path of them.

    >>> sp.testing.feed(GetField, settings={"path": "user.name"}, value=[{"user": {"name": "Ada"}}])
    ['Ada']
    """

    def __init__(self, *, path: str | int, default: Any = None) -> None:
        """Choose the part.

        Args:
            path: such as `name`, `user.name`, `0` or `faces.0.box`.
            default: what to give where there is no such part; without it that is an error.

        """
        self.part = key_of(path)
        self.default = default

    def work(self, value: Any) -> Any:
        """Give the part. Raises LookupError where there is none, and no default."""
        try:
            return self.part(value)
        except LookupError:
            if self.default is None:
                raise
            return self.default


class KeyBy(sp.Unit):
    """Write a key into the header of each item, where units that take an `Item[T]` find it as `item.meta["key"]`.

    >>> def meta(value: sp.Item[object]) -> dict[str, object]:
    ...     return dict(value.meta)
    >>> process = sp.Process("keys").add("key", KeyBy, key="user").add("meta", meta, from_="key")
    >>> with sp.run(process) as running:
    ...     running.call("key", {"user": "Ada"})
    {'key': 'Ada'}
    """

    def __init__(self, *, key: Key, name: str = "key") -> None:
        """Choose the key: a path or a function; and the name under which it stands in `meta`."""
        self.key = key_of(key)
        self.name = name

    def work(self, value: sp.Item[Any]) -> sp.Item[Any]:
        """Give the same value with the key in its header."""
        meta = {**value.meta, self.name: self.key(value.value)}
        return sp.Item(value.value, value.header._replace(meta=meta))


class Merge(sp.Unit):
    """Pass on what comes, from any number of senders: `from: [left, right]`.

    Every input of every unit can be linked to many outputs, so this unit is only a name for the place where streams
    meet. They are mixed as they come; within each stream the order is kept. To put the items of two streams together
    pair by pair, write a unit with two inputs.

    >>> sp.testing.feed(Merge, value=[1, 2])
    [1, 2]
    """

    def work(self, value: Any) -> Any:
        """Give the value."""
        return value


def _holds(given: Any, equals: Any) -> bool:
    return bool(given) if equals is None else bool(given == equals)
