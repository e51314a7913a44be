"""Map, shuffle, reduce: values grouped by a key, and each group folded into one. Map is in `basic`.

Knows nothing of where the values come from.
"""

import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import streampy as sp
from streampy.units.functions import Function, Key, function_of, key_of


@dataclass(frozen=True, slots=True)
class Group:
    """The values that have a key in common, in the order in which they came."""

    key: Any
    values: list[Any]


@dataclass(frozen=True, slots=True)
class Reduced:
    """What became of a group."""

    key: Any
    value: Any


class Shuffle(sp.Unit):
    """Group values by a key: at the end of the stream, or each time that so many have come.

    Without `every` it holds the whole stream in memory, and an endless stream gives nothing.

    >>> sp.testing.feed(Shuffle, settings={"key": 0}, values=["ant", "bee", "ape"])
    [Group(key='a', values=['ant', 'ape']), Group(key='b', values=['bee'])]
    """

    def __init__(self, *, key: Key, every: float = inf) -> None:
        """Choose the groups.

        Args:
            key: a path or a function; what it gives can be hashed.
            every: how many values are grouped together, at least 1.

        """
        if every < 1:
            raise ValueError(f"Shuffle: got every={every}, expected at least 1")
        self.key = key_of(key)
        self.every = every

    def work(self, values: Iterator[Any]) -> Iterator[Group]:
        """Give the groups in the order in which their keys first came; each belongs to the item that came last."""
        groups: dict[Any, list[Any]] = {}
        count = 0
        for value in values:
            groups.setdefault(self.key(value), []).append(value)
            count += 1
            if count >= self.every:
                yield from (Group(key, group) for key, group in groups.items())
                groups, count = {}, 0
        yield from (Group(key, group) for key, group in groups.items())


class Reduce(sp.Unit):
    """Fold the values of each group into one: `function(function(first, second), third)`, and so on.

    >>> sp.testing.feed(Reduce, settings={"function": "operator:add"}, group=[Group("a", [1, 2, 3])])
    [Reduced(key='a', value=6)]
    >>> sp.testing.feed(Reduce, settings={"function": "builtins:max", "initial": 5}, group=[Group("a", [1, 9])])
    [Reduced(key='a', value=9)]
    """

    def __init__(self, *, function: Function, value: Key = "", initial: Any = None) -> None:
        """Choose how to fold.

        Args:
            function: of what came of it so far, and the next value.
            value: what of each value is folded: a path or a function; by default the value itself.
            initial: with what to begin, copied for each group; by default with the first value.

        """
        self.function = function_of(function)
        self.value = key_of(value)
        self.initial = initial

    def work(self, group: Group) -> Reduced:
        """Fold one group. Raises TypeError where it is empty, and there is nothing to begin with."""
        values = map(self.value, group.values)
        if self.initial is None:
            return Reduced(group.key, functools.reduce(self.function, values))
        return Reduced(group.key, functools.reduce(self.function, values, copy.deepcopy(self.initial)))
