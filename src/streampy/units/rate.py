"""How many items go on, and when: samples, a bound on the rate, a delay, no repeats.

Knows nothing of what is in the items.
"""

import math
import random
from typing import Any

import streampy as sp
from streampy.units.functions import Key, key_of


class Sample(sp.Unit):
    """Let every n-th item pass, or each with a probability, or both; all others end as filtered.

    >>> sp.testing.feed(Sample, settings={"every": 3}, value=range(7))
    [0, 3, 6]
    """

    def __init__(self, *, every: int = 1, probability: float = 1.0, seed: int | None = None) -> None:
        """Choose how many pass.

        Args:
            every: of how many items the first one passes, at least 1. Each worker counts its own.
            probability: 0..1, of each that `every` lets through.
            seed: the same seed lets the same items through; without one each run differs.

        """
        if every < 1 or not 0 <= probability <= 1:
            raise ValueError(f"Sample: got every={every}, probability={probability}, expected at least 1, and 0 to 1")
        self.every = every
        self.probability = probability
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._count = -1

    def work(self, value: Any) -> Any | None:
        """Give the value, or nothing."""
        self._count = (self._count + 1) % self.every
        return value if self._count == 0 and self._random.random() < self.probability else None


class Throttle(sp.Unit):
    """Let at most n items a second pass, evenly. Nothing is lost: it holds its sender back.

    Where late is worse than lost, give it a pipe that drops: `pipe: {capacity: 1, overflow: drop_oldest}`.

    >>> sp.testing.feed(Throttle, settings={"per_second": 1000}, value=[1, 2])
    [1, 2]
    """

    def __init__(self, *, per_second: float) -> None:
        """Choose the most items a second, of one worker; above 0."""
        if not per_second > 0:
            raise ValueError(f"Throttle: got per_second={per_second}, expected more than 0")
        self.pause = 1 / per_second
        self._next = -math.inf

    def work(self, value: Any) -> Any:
        """Wait for the item's turn; once the process is cancelled, nobody waits."""
        worker = sp.worker()
        now = worker.now()
        if now < self._next:
            worker.sleep(self._next - now)
        self._next = max(now, self._next) + self.pause
        return value


class Delay(sp.Unit):
    """Send each item on when it is so old: a stream is shifted in time, its rate stays.

    The items wait in the unit's pipe, which must hold what comes in that time (1024 items, unless configured): where it
    is full, the sender waits. An item that is older already goes on at once.

    >>> sp.testing.feed(Delay, settings={"seconds": 0.01}, value=[1, 2])
    [1, 2]
    """

    value = sp.Pipe(capacity=1024)  # without a pipe the source would wait with each item

    def __init__(self, *, seconds: float) -> None:
        """Choose the age in seconds, since the item was born at its source."""
        self.seconds = seconds

    def work(self, value: sp.Item[Any]) -> Any:
        """Wait until the item is old enough; once the process is cancelled, nobody waits."""
        worker = sp.worker()
        rest = value.born + self.seconds - worker.now()
        if rest > 0:
            worker.sleep(rest)
        return value.value


class Dedupe(sp.Unit):
    """Let pass what did not come before; repeats end as filtered.

    It remembers the keys that were seen last, so its memory is bounded, and a repeat after many others passes again.

    >>> sp.testing.feed(Dedupe, value=["a", "b", "a"])
    ['a', 'b']
    >>> sp.testing.feed(Dedupe, settings={"key": "id"}, value=[{"id": 1, "x": 1}, {"id": 1, "x": 2}])
    [{'id': 1, 'x': 1}]
    """

    def __init__(self, *, key: Key = "", remember: int = 10_000) -> None:
        """Choose what counts as the same.

        Args:
            key: a path or a function; what it gives can be hashed. By default the value itself.
            remember: how many keys, at least 1. Each worker remembers its own.

        """
        if remember < 1:
            raise ValueError(f"Dedupe: got remember={remember}, expected at least 1")
        self.key = key_of(key)
        self.remember = remember
        self._seen: dict[Any, None] = {}

    def work(self, value: Any) -> Any | None:
        """Give the value, or nothing. Raises TypeError where the key can't be hashed."""
        key = self.key(value)
        is_new = key not in self._seen
        self._seen.pop(key, None)
        self._seen[key] = None  # the youngest stands last
        if len(self._seen) > self.remember:
            del self._seen[next(iter(self._seen))]
        return value if is_new else None
