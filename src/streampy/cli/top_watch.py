"""Keeps the latest of all segments that run: each is watched by a thread, and new ones are looked for.

Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Final, Self, final

from streampy.errors import StreamPyError
from streampy.run.control.client import Client, choose, find

Segment = dict[str, Any]
"""A snapshot: who it is, its plan, and its newest stats."""
_LOOK_FOR: Final = 1.0
"""Seconds after which it is looked for new ones."""
_FIRST: Final = 5.0
"""Seconds for which it is waited for the first figures."""


@final
class Watching:
    """While it is open. Any thread."""

    def __init__(self, which: str, connect: Sequence[str], token: str, *, every: float) -> None:
        """Which: as of `streampy ctl`, "" for all; connect: addresses beside those found here; every: seconds."""
        self._which = which
        self._connect = connect
        self._token = token
        self._every = every
        self._segments: dict[str, Segment] = {}
        """By address."""
        self._watched: dict[str, Thread] = {}
        self._changed = Condition()
        self._number = 0
        """Counts what has come."""
        self._closed = Event()
        self._seeker = Thread(target=self._seek, name="streampy top", daemon=True)

    def __enter__(self) -> Self:
        """Begin. Raises Gone where nobody answers at an address that was given, NoSuch where `which` is none."""
        self._look()
        self._seeker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()

    def segments(self) -> list[Segment]:
        """The newest of each that has told something, by name."""
        with self._changed:
            found = [one for one in self._segments.values() if "plan" in one]
        return sorted(found, key=lambda one: (one["process"], one["run"], one["segment"], one["replica"]))

    def wait_for_news(self) -> None:
        """Return when something came since the last time, or nothing runs; a look takes its time at the beginning."""
        with self._changed:
            number = self._number
            is_new = self._changed.wait_for(lambda: self._number > number, _FIRST if self._watched else self._every)
            if is_new:
                self._changed.wait_for(self._has_all, self._every)

    def do(self, segment: Segment, verb: str, told: Callable[[str], object], **fields: Any) -> None:
        """Have something done, in a thread of its own; `told` is given what went wrong, or ""."""

        def ask() -> None:
            try:
                with Client(segment["address"], self._token) as client:
                    client.do(verb, **fields)
            except Exception as error:  # whatever it is, it is shown
                told(f"{verb} {fields.get('unit', segment['process'])}: {error}")
            else:
                told("")

        Thread(target=ask, name=f"streampy top {verb}", daemon=True).start()

    def _has_all(self) -> bool:
        return all("stats" in self._segments.get(address, {}) for address in self._watched)

    def _seek(self) -> None:
        while not self._closed.wait(_LOOK_FOR):
            with suppress(StreamPyError):  # as long as it is so, there is nothing new
                self._look()

    def _look(self) -> None:
        there = find(self._connect, self._token)
        if self._which and (there or not self._watched):
            there = choose(there, self._which)
        for one in there:
            if one.address not in self._watched:
                thread = Thread(target=self._watch, args=(one.address,), name=f"watch {one.name}", daemon=True)
                self._watched[one.address] = thread
                thread.start()

    def _watch(self, address: str) -> None:
        try:
            with Client(address, self._token) as client:
                for told in client.watch(every=self._every):
                    if self._closed.is_set():
                        return
                    self._note(address, told)
        except StreamPyError:  # it has ended, or does not let us look any more: `find` tells whether it is there
            pass
        finally:
            with self._changed:
                self._segments.pop(address, None)
                self._watched.pop(address, None)
                self._number += 1
                self._changed.notify_all()

    def _note(self, address: str, told: dict[str, Any]) -> None:
        with self._changed:
            before = self._segments.get(address, {})
            self._segments[address] = {**before, "address": address, **told}
            self._number += 1
            self._changed.notify_all()
