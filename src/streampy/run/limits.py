"""Tells the inlets that let only so many items in at once when one of them has come to its end, wherever that was.

Knows nothing of inlets, but that they want to hear of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from streampy.flow.families import Families, Family, family
from streampy.flow.ledger import Ledger
from streampy.model.item import Header


class Listener(Protocol):
    """Who waits for the end of items."""

    def ended(self, families: Sequence[Family]) -> None:
        """All that became of some items has come to its end."""


class Limits:
    """What all ledgers of a process count together, where anybody listens. Any thread may tell it."""

    def __init__(self, listeners: Iterable[Listener], lock: AbstractContextManager[None]) -> None:
        self._listeners = list(listeners)
        self.counted: Callable[[str, Sequence[Header], int], None] | None = None
        """Who hears of each single thing that is counted."""
        self._families = Families()
        self._lock = lock

    def ledger(self) -> Ledger:
        """An account whose counts are heard."""
        return HeardLedger(self) if self._listeners else Ledger()

    def note(self, what: str, header: Header, count: int) -> None:
        """Something was counted."""
        self.note_each(what, (header,), count)

    def note_each(self, what: str, headers: Sequence[Header], count: int) -> None:
        """The same was counted of each of them."""
        if self.counted is not None:
            self.counted(what, headers, count)
        with self._lock:
            ended = [family(header) for header in headers if self._families.count(what, header, count)]
        if ended:
            for listener in self._listeners:
                listener.ended(ended)

    def is_alive(self, family: Family) -> bool:
        """Whether anything of it is on its way."""
        with self._lock:
            return family in self._families

    @property
    def are_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def listen(self, listener: Listener) -> None:
        """Let this one hear, too. Before any ledger is made."""
        self._listeners.append(listener)


class HeardLedger(Ledger):
    """A ledger that tells what it counts."""

    __slots__ = ("_held", "_limits")
    is_heard = True

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._held: set[tuple[Family, tuple[int, ...]]] = set()

    def add(self, what: str, header: Header, count: int = 1) -> None:
        """See `Ledger.add`."""
        super().add(what, header, count)
        if count:
            self._limits.note(what, header, count)

    def add_each(self, what: str, headers: Sequence[Header], times: int = 1) -> None:
        """See `Ledger.add_each`."""
        super().add_each(what, headers, times)
        if times:
            self._limits.note_each(what, headers, times)

    def born(self, headers: Iterable[Header]) -> None:
        """See `Ledger.born`."""
        self._limits.note_each("born", list(headers), 1)

    def hold(self, header: Header) -> None:
        """See `Ledger.hold`."""
        self.hold_each((header,))

    def release(self, header: Header) -> None:
        """See `Ledger.release`."""
        self.release_each((header,))

    def hold_each(self, headers: Iterable[Header]) -> None:
        """See `Ledger.hold_each`."""
        fresh = {}
        for header in headers:
            item = family(header), header.path
            if item not in self._held:
                self._held.add(item)
                fresh[item] = header
        self._limits.note_each("held", list(fresh.values()), 1)

    def release_each(self, headers: Iterable[Header]) -> None:
        """See `Ledger.release_each`."""
        held = {}
        for header in headers:
            item = family(header), header.path
            if item in self._held:  # a worker that hung may come back when another one has done its work
                self._held.remove(item)
                held[item] = header
        self._limits.note_each("let go", list(held.values()), 1)

    def until(self, header: Header, what: Callable[[], None]) -> PutOff:
        """See `Ledger.until`."""
        return PutOff(header, what, self._limits)


class PutOff:
    """Something that is done later, or `drop`ped: until then an item is on its way."""

    __slots__ = ("_header", "_limits", "_what")

    def __init__(self, header: Header, what: Callable[[], None], limits: Limits) -> None:
        self._header = header
        self._what = what
        self._limits = limits
        limits.note("held", header, 1)

    def __call__(self) -> None:
        """Do it now."""
        try:
            self._what()
        finally:
            self.drop()

    def drop(self) -> None:
        """It never was."""
        self._limits.note("let go", self._header, 1)
