"""What segments say to each other, who they are, and what each must be given to say it.

Knows nothing of how it gets there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from streampy.model.item import Header

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.segments.neighbours import Neighbours

_AT = "@"


class Word(IntEnum):
    """What is said; the docstrings say what goes with it. As kinds of frames: those from 32 on are ours."""

    HELLO = 32
    """`Hello`: the first word of both."""
    ITEMS = 33
    """`Parcels`: items that go over one link."""
    NEWS = 34
    """`Tidings`: what a join over there must know."""
    ANSWER = 35
    """`Answer`: what became of items that were sent."""
    HEARD = 36
    """Numbers of items whose answer was heard: it need not be kept any more."""
    END = 37
    """A link: nothing more comes over it."""
    GOING = 38
    """Nothing: this segment ends what it has, and wants nothing new."""
    SPARED = 39
    """Nothing: whoever said GOING gets nothing new any more."""
    ASKS = 41
    """A number, and numbers of items: of all up to the first one these alone are still asked for. On a new line."""
    FAILED = 40
    """What `tell_error` gave: the process is put out."""


class Told(IntEnum):
    """What became of an item: the first element of each tuple; the second one is its header."""

    PUT = 1
    """It goes over a link: the link, the value."""
    COUNT = 2
    """What a ledger counted: its word, how many."""
    BURY = 3
    """See `Mourning.bury`: unit, input, the reason, where, ways."""
    CLOSE = 4
    """See `Mourning.close`: unit, input, how many, ways."""
    MOVED = 5
    """An item of a family that came here on several ways: what became of it is told to whoever sent the first one: 1 to
    whoever sent this one, -1 to that other one."""


MOURNING: Final = frozenset({Told.BURY, Told.CLOSE})
"""What a join must know."""
COUNTED: Final = frozenset({"split", "joined", "delivered", "filtered", "dropped", "failed", "expired"})
"""What a ledger counts and the sender's must count too."""
What = tuple[Any, ...]


class Hello(NamedTuple):
    """Who is there."""

    instance: str
    serves: bool


class Parcels(NamedTuple):
    """Items that go over one link together."""

    link: str
    numbers: Sequence[int]
    """As their sender counts them; none of items that nobody asks after any more (`ack: none`)."""
    headers: Sequence[Header]
    values: Sequence[Any]
    """Packed when they are said, see `Yard.pack`; the values themselves when they are heard."""
    path: Sequence[str]
    """The segments that wait for an answer, the one that asked first in front; none with `ack: none`."""
    heard: Sequence[int] = ()
    """As HEARD."""


class Tidings(NamedTuple):
    """News of an item."""

    number: int
    """As of items; 0 where nobody asks what becomes of it."""
    told: What
    path: Sequence[str]
    """See `Parcels`."""


class Answer(NamedTuple):
    """What became of families."""

    visits: Sequence[tuple[Sequence[int], Sequence[What]]]
    """Of each family the numbers of its items, and all that became of them, in the order in which it happened."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another segment's OS process."""

    segment: str
    instance: str
    """Of this OS process: no other one, before or after it, has the same. "" stands for whoever takes it."""
    serves: bool = False
    """Whether it goes on when a neighbour has ended, for there may be others."""
    ahead: float = 0.0
    """Seconds by which its clock (`time.monotonic`) is ahead of that of this OS process."""


class Line(Protocol):
    """A connection to another segment's OS process. Any thread may say; it hears in a thread of its own."""

    @property
    def peer(self) -> Peer:
        """Who is there."""

    @property
    def asked(self) -> Line:
        """The line on which it is asked what this one answers: itself, or one on which all replicas are asked."""

    @property
    def is_full(self) -> bool:
        """Whether much is still to be sent; `Neighbours.drained` is called when it is not any more."""

    def say(self, word: Word, what: Any = None) -> None:
        """Have something sent, behind all that was said before. Never waits; to who is gone it is said in vain."""

    def __hash__(self) -> int:
        """Each line is another one."""

    def close(self) -> None:
        """Say no more: once all was sent, the connection ends."""


class Network(Protocol):
    """Who has the lines."""

    def start(self, neighbours: Neighbours, patience: float) -> None:
        """Begin to listen and to dial; back when all that are dialled are there.

        Raises RunError past `patience`, Cancelled where the process is stopped before; both say who is missing.
        """

    def pack(self, value: Any, link: str, header: Header) -> Any:
        """The value of an item as it travels. Raises TypeError where a part of it can't, and says which of which."""

    def tell_all(self, word: Word, what: Any) -> None:
        """Say it on all lines, also to those who have not said yet who they are."""

    @property
    def is_here(self) -> bool:
        """Whether the caller is the thread of all lines, which must not wait."""

    def finish(self) -> None:
        """Nothing new is wanted."""

    def cancel(self) -> None:
        """The process is being stopped: nobody is dialled any more, and whoever waits in `start` comes back."""

    def close(self) -> None:
        """No more lines: those that are there end when all was sent."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the segments of a process, as it runs in one OS process."""

    plan: Plan
    """Of the whole process."""
    segment: str
    network: Network
    expects: Mapping[str, int] = field(default_factory=dict)
    """Of other segments how many OS processes there are; none of those of which nobody knows."""


def at_home(header: Header, peer: Peer, instance: str) -> Header:
    """The header of an item that came from a peer, as this OS process (`instance`) has it.

    Streams of other segments bear the name of the OS process where they began, for each may have a `camera`.
    """
    name, at, home = header.stream.partition(_AT)
    stream = name if home == instance else header.stream if at else f"{name}{_AT}{peer.instance}"
    _, seq, born, path, deadline, meta = header
    return Header(stream, seq, born - peer.ahead, path, deadline - peer.ahead, meta)


def home_of(header: Header) -> str:
    """The OS process in which the stream of an item began; "" where it is this one."""
    return header.stream.partition(_AT)[2]


def told_at_home(told: What, peer: Peer, instance: str) -> What:
    """As `at_home`, for what is told."""
    kind, header, *rest = told
    return kind, at_home(header, peer, instance), *rest
