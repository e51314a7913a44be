"""An item, its identity, and the batch that moves.

Knows nothing of pipes or workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Any, Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _NoMeta(Mapping[str, Any]):
    """Empty for ever. In a pickle it is its name, so that it stays the one that there is."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __reduce__(self) -> str:
        return "NO_META"

    def __repr__(self) -> str:
        return "{}"


NO_META: Mapping[str, Any] = _NoMeta()


TRACE: Final = ("traceparent", "tracestate")
"""What an item that is traced carries in its `meta`: W3C trace context."""


def keep_trace(before: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `meta` that a unit gives an item, with the trace that it had before."""
    if TRACE[0] not in before or TRACE[0] in given:
        return given
    return {**{key: before[key] for key in TRACE if key in before}, **given}


class Header(NamedTuple):
    """The identity of an item, inherited by whatever a unit makes of it.

    A tuple, because one is made for each item that is born: that costs a tenth of an instance with slots.
    """

    stream: str
    """Which source it came from: the name of the source unit (`camera`, or `camera#1` for its second worker)."""
    seq: int
    """Its number in the stream, from 0."""
    born: float
    """When the source emitted it: seconds, `time.monotonic`."""
    path: tuple[int, ...] = ()
    """Which part it is, a number from 0 for each fan-out that it went through."""
    deadline: float = inf
    """Seconds, `time.monotonic`: past it nobody wants the result."""
    meta: Mapping[str, Any] = NO_META
    """What the user gave it on its way; not interpreted."""

    @property
    def key(self) -> str:
        """For people: `camera #17` or `camera #17.0.2` for a part."""
        return f"{self.stream} #{'.'.join(map(str, (self.seq, *self.path)))}"

    def part(self, index: int) -> Header:
        """Identity of the `index`-th part of this item."""
        return Header(self.stream, self.seq, self.born, (*self.path, index), self.deadline, self.meta)


class Item(NamedTuple, Generic[T]):
    """A value with its header: what a port annotated `Item[T]` is given.

    A source may also emit one, to give its own `meta`, `deadline` or `born`.
    """

    value: T
    header: Header

    @property
    def stream(self) -> str:
        """Which source it came from."""
        return self.header.stream

    @property
    def seq(self) -> int:
        """Its number in the stream, from 0."""
        return self.header.seq

    @property
    def path(self) -> tuple[int, ...]:
        """Which part it is, a number for each fan-out."""
        return self.header.path

    @property
    def born(self) -> float:
        """Seconds, `time.monotonic`."""
        return self.header.born

    @property
    def deadline(self) -> float:
        """Seconds, `time.monotonic`; `inf` without one."""
        return self.header.deadline

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the user gave it."""
        return self.header.meta


class Batch(list[T]):
    """The items that a unit is given at once: a list of their values, and `headers` beside it.

    This very object travels through fused units, so a unit must not change the one it is given, nor its headers.
    """

    __slots__ = ("headers",)

    def __init__(self, values: Iterable[T] = (), headers: Sequence[Header] | None = None) -> None:
        self.extend(values)  # half the time of super().__init__
        self.headers: Sequence[Header] = [] if headers is None else headers

    @property
    def items(self) -> list[Item[T]]:
        """The values with their headers."""
        return [Item(value, header) for value, header in zip(self, self.headers, strict=True)]


class Replayed(NamedTuple):
    """An item that was born in another run: a source that emits one keeps all of its identity."""

    value: Any
    header: Header
    port: str
    """The output that it is given to."""


class Latest(Generic[T_co]):
    """Annotation only: the port is given the newest value known (None until the first one has come)."""


class Reason(StrEnum):
    """Why an item ended without a result; the ledger's words."""

    FILTERED = "filtered"
    DROPPED = "dropped"
    FAILED = "failed"
    EXPIRED = "expired"


class Tombstone(NamedTuple):
    """What remains of an item that ended: it runs on to the joins, which then know that nothing will come."""

    header: Header
    reason: Reason
    where: str
    """The unit or pipe at which it ended."""
    cause: BaseException | None = None
