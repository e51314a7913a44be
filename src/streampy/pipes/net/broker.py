"""What a broker has to offer to two segments that reach each other through it, and what it tells them.

Knows nothing of any one broker, nor of what the letters say. A letter is some bytes, of any size up to a frame's. There
are two ways for one: into the queue of a segment, of which each letter goes to one of its OS processes, or to one OS
process by name. Both are stored until they were taken, in this order as a rule. What is called out is not stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from streampy.pipes.net.tls import Tls

_PLAIN: Final = re.compile(r"[A-Za-z0-9-]")


@dataclass(frozen=True, slots=True)
class Account:
    """Where the broker is, and what it must be shown."""

    url: str
    token: str = ""
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Who takes letters here, and to whom they go; names without anything that a broker reads in them."""

    process: str
    segment: str
    other: str
    """The segment at the other end."""
    instance: str
    """This OS process."""
    window: int
    """Letters of the queue that it may have at once."""


class Receipt(Protocol):
    """Of a letter that came, and that the broker still keeps. Any thread."""

    def done(self) -> None:
        """It is not needed any more. Till then, should this OS process be no more, another one is given it."""

    def drop(self) -> None:
        """The same letter came once more: what is to be said of it is said with the later receipt."""


class Reader(Protocol):
    """Whom the letters are for. It is called in the broker's thread, and must not wait."""

    def on_queued(self, letter: bytes, receipt: Receipt) -> None:
        """A letter out of this segment's queue; perhaps one that was there before."""

    def on_told(self, letter: bytes, receipt: Receipt) -> None:
        """A letter to this OS process; perhaps one that was there before."""

    def on_called(self, letter: bytes) -> None:
        """Somebody in the other segment called out."""

    def on_away(self) -> None:
        """The broker can't be reached; this is tried again and again."""

    def on_back(self, *, forgot: bool) -> None:
        """The broker is there again. forgot: it has nothing any more of what was stored."""

    def on_drained(self) -> None:
        """There is room again, after it was full."""

    def on_trouble(self, text: str) -> None:
        """The broker will not do something, for now."""


class Broker(Protocol):
    """A connection to one. Any thread may call."""

    @property
    def is_full(self) -> bool:
        """Whether much is still to be stored."""

    @property
    def waiting(self) -> int:
        """Letters that are not stored yet."""

    def open(self, until: float) -> None:
        """Connect; letters come from now on. Waits. Raises LinkError, past `until` (`time.monotonic`) too."""

    def give_up(self) -> None:
        """Whoever waits in `open` is to come back soon."""

    def queue(self, letter: bytes) -> None:
        """Into the queue of the other segment. Never waits."""

    def tell(self, instance: str, letter: bytes, then: Callable[[], object] = bool) -> None:
        """To one OS process of the other segment. Never waits. then: is called when it is stored, in its thread."""

    def call(self, letter: bytes) -> None:
        """To all OS processes of the other segment that are there now."""

    def retire(self) -> None:
        """Take no more letters out of the queue; what came and is not done stays here."""

    def has_all(self, count: int) -> bool:
        """Whether nothing is in this segment's queue but so many letters, that it has here. Waits."""

    def close(self, until: float) -> None:
        """Let go, once all is stored, at the latest then. What is not done is given to others. Raises nothing."""


def plain(name: str) -> str:
    """A name that means nothing to any broker, and differs from those of all others."""
    return "".join(one if _PLAIN.fullmatch(one) else f"_{ord(one):x}_" for one in name)
