"""The settings of a pipe, of a join, and of what happens when a unit fails.

Knows nothing of the queue and the table that obey them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from math import inf
from typing import Any

from streampy.model.measure import parse_duration, parse_rate, parse_size
from streampy.model.suggest import choose, choose_word

ON_ERROR_WORDS = ("stop", "skip", "retry", "dead_letter")
"""The short forms of `on_error`."""
ON_CRASH_WORDS = ("stop", "restart")
"""The short forms of `on_crash`."""


class Overflow(StrEnum):
    """What a full pipe does with what comes next."""

    BLOCK = "block"
    """The sender waits: back-pressure up to the source. Nothing is lost."""
    DROP_OLDEST = "drop_oldest"
    """The oldest waiting item ends as dropped."""
    DROP_NEWEST = "drop_newest"
    """The arriving item ends as dropped."""
    LATEST = "latest"
    """Only the newest item waits; all others end as dropped."""
    FAIL = "fail"
    """The process fails: here an overload is an error."""


class Order(StrEnum):
    """Which of the items that wait is handed over first."""

    FIFO = "fifo"
    """The one that came first."""
    PRIORITY = "priority"
    """The one with the highest `meta["priority"]` (a number, 0 without one); of equal ones the one that came first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """The queue at an input port. Durations are seconds (or `"5ms"`), sizes bytes (or `"64MB"`).

    capacity: items that may wait. bytes: how much they may weigh together.
    batch: how many items a unit is given at once at the most; wait: how long the oldest may wait for more of them.
    overflow: what happens when it is full. stale: items older than this are refused before work is spent on them.
    in_flight: how many of the items that it handed over may be on their way at once: the next one is handed over when
    all that became of an earlier one has come to its end, at whatever exit. So an overload is met at the entry.
    order: `fifo`, or `priority`: the highest `meta["priority"]` of their headers first.
    rate: how many items a second are handed to the unit at the most, evenly spaced: a number, or `"10/s"`, `"600/m"`.
    item: how large one item is, in bytes, where that is known: between OS processes the shared memory for as many as
    can be on their way is then reserved at the start, else with the first of them. Items may be larger all the same.
    from_: in the class of a unit, what the input is linked to where the process does not say.
    """

    capacity: int = 64
    bytes: float = inf
    batch: int = 1
    wait: float = 0.0
    overflow: Overflow = Overflow.BLOCK
    stale: float = inf
    in_flight: float = inf
    order: Order = Order.FIFO
    rate: float = inf
    item: float | None = None
    from_: str | Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, parse in _PIPE.items():
            object.__setattr__(self, name, _read(self, name, parse))
        if self.capacity < 1:
            raise ValueError(f"capacity: got {self.capacity}, expected at least 1 item")
        if self.batch < 1:
            raise ValueError(f"batch: got {self.batch}, expected at least 1 item")
        if self.in_flight < 1:
            raise ValueError(f"in_flight: got {self.in_flight:g}, expected at least 1 item")
        if self.item is not None and not 0 < self.item < inf:
            raise ValueError(f"item: got {self.item:g}, expected the bytes of one item, above 0")
        if self.batch > self.capacity:
            raise ValueError(
                f"batch: got {self.batch}, expected at most the capacity ({self.capacity}): it could never be full"
            )

    @property
    def can_drop(self) -> bool:
        """Whether a full pipe lets its sender go on."""
        return self.overflow is not Overflow.BLOCK

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked of it but a capacity and batches: all that comes is handed over, in its order."""
        return replace(self, capacity=Pipe().capacity, batch=1, wait=0.0, item=None, from_=()) == Pipe()

    @property
    def most(self) -> int:
        """How many items can wait in it at once, by what is known of their size."""
        room = 1 if self.overflow is Overflow.LATEST else self.capacity
        return room if self.item is None or self.bytes == inf else max(1, min(room, int(self.bytes // self.item)))


class Late(StrEnum):
    """What a join does with an item whose parts are not there in time."""

    PARTIAL = "partial"
    DROP = "drop"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """How the inputs of a unit meet.

    wait: seconds from the first part until the item goes on without the missing ones (`inf`: complete or not at all;
    nothing hangs, because what ended elsewhere says so). late: what then.
    capacity: how many items may wait at once; the oldest is then treated as late. 0: as many as the pipes on the ways
    to the join can hold, so that none is ever put out before its time.
    key: `"ancestor"` (the identity in the headers), `"seq"` (the n-th with the n-th of each stream), the name of a
    field or a key of the values, or a function from a value to a hashable.
    """

    wait: float = inf
    late: Late = Late.PARTIAL
    capacity: int = 0
    key: str | Callable[[Any], Any] = "ancestor"

    def __post_init__(self) -> None:
        object.__setattr__(self, "wait", _read(self, "wait", parse_duration))
        object.__setattr__(self, "late", _read(self, "late", partial(choose, Late)))
        if self.capacity < 0:
            raise ValueError(f"capacity: got {self.capacity}, expected at least 1 item, or 0 for as many as can come")


class Then(StrEnum):
    """What becomes of an item on which a unit raised."""

    STOP = "stop"
    SKIP = "skip"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnError:
    """What happens when a unit raises: `retry` more tries, then `then`.

    backoff: seconds before the first new try; doubled for each further one, up to `backoff_most`.
    """

    retry: int = 0
    then: Then = Then.STOP
    backoff: float = 0.05
    backoff_most: float = field(default=5.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "then", _read(self, "then", partial(choose, Then)))
        for name in ("backoff", "backoff_most"):
            object.__setattr__(self, name, _read(self, name, parse_duration))
        if self.retry < 0:
            raise ValueError(f"retry: got {self.retry}, expected 0 or more tries")

    @classmethod
    def of(cls, short: str | OnError) -> OnError:
        """From the short form: `stop`, `skip`, `retry` (three times, then stop) or `dead_letter`."""
        if isinstance(short, OnError):
            return short
        word = choose_word(short, ON_ERROR_WORDS)
        return cls(retry=3) if word == "retry" else cls(then=Then(word))


class Crashed(StrEnum):
    """What becomes of a process of which a worker died."""

    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCrash:
    """What happens when a worker dies: its unit did not come back in time, or ended the worker itself (`sys.exit`).

    Where it lives in an OS process of its own, that one may die too: it was killed, crashed, or ran out of memory.
    Workers that share an OS process die with it together.
    restart: a new one takes its place and its items. An item on which `attempts` workers died is dead-lettered.
    backoff: seconds before the first restart; doubled for each further one within a minute, up to `backoff_most`.
    limit: so many restarts within a minute are too many: the process stops.
    """

    then: Crashed = Crashed.STOP
    attempts: int = 2
    backoff: float = 0.1
    backoff_most: float = 5.0
    limit: int = 30

    def __post_init__(self) -> None:
        object.__setattr__(self, "then", _read(self, "then", partial(choose, Crashed)))
        for name in ("backoff", "backoff_most"):
            object.__setattr__(self, name, _read(self, name, parse_duration))
        for name in ("attempts", "limit"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected at least 1")

    @property
    def restarts(self) -> bool:
        """Whether a dead worker is replaced."""
        return self.then is Crashed.RESTART

    @classmethod
    def of(cls, short: str | OnCrash) -> OnCrash:
        """From the short form: `stop` or `restart`."""
        return short if isinstance(short, OnCrash) else cls(then=Crashed(choose_word(short, ON_CRASH_WORDS)))


def _read_ends(value: object) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value
    if isinstance(several, Sequence) and all(isinstance(end, str) and end for end in several):
        return tuple(several)
    raise ValueError(f"got {value!r}, expected the name of a unit, `unit.port`, or several of them")


_PIPE: dict[str, Callable[[Any], Any]] = {
    "wait": parse_duration,
    "stale": parse_duration,
    "bytes": parse_size,
    "item": lambda size: None if size is None else parse_size(size),
    "rate": parse_rate,
    "overflow": partial(choose, Overflow),
    "order": partial(choose, Order),
    "from_": _read_ends,
}
"""How those settings are read that may be given as text."""


def _read(settings: Pipe | Join | OnError | OnCrash, name: str, parse: Callable[[Any], Any]) -> Any:
    """The value of a setting, parsed; what is wrong is told with the setting's name."""
    try:
        return parse(getattr(settings, name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
