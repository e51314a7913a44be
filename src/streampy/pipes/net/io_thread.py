"""The one thread that waits for all connections of a segment: for bytes, for room to send, and for the time.

Knows nothing of frames. Whatever it calls must not wait. It is epoll itself, because with asyncio other threads can
send only by waking its loop, while here they send at once; see docs/decisions.md for what was measured.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from math import inf
from threading import Lock, Thread, get_ident
from time import monotonic
from typing import Final, Protocol, Self, final

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
_LONGEST: Final = 86400.0
"""Seconds: more than this at a stretch epoll need not wait."""


class Watched(Protocol):
    """What has a file that is waited for. Only the I/O thread calls it."""

    def fileno(self) -> int:
        """The file descriptor; the same as long as it is watched."""

    def ready(self, events: int) -> bool:
        """Something can be done, see `READ` and `WRITE`. True: call again soon, epoll will not tell. Raises nothing."""

    def tick(self, now: float) -> float:
        """The time that was asked for has come; returns the next one, `inf` for none. Raises nothing."""

    def abandon(self) -> None:
        """The I/O thread ends. Raises nothing."""


@final
class IoThread:
    """Runs from `start` to `close`."""

    def __init__(self, name: str = "net") -> None:
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, READ)
        self._watched: dict[int, Watched] = {}
        self._again: dict[Watched, None] = {}
        """Those that must be called though epoll does not tell."""
        self._calls: deque[Callable[[], None]] = deque()
        self._due: dict[Watched, float] = {}
        self._heap: list[tuple[float, int, Watched]] = []
        """When whose time comes; what `_due` says otherwise no longer counts."""
        self._next = inf
        """When the first of them is due."""
        self._numbers = count()
        self._is_open = True
        self._is_over = False
        """Whether nothing is called any more; under the lock."""
        self._lock = Lock()
        self._thread = Thread(target=self._run, name=f"streampy {name}", daemon=True)

    def __repr__(self) -> str:
        state = "open" if self._is_open else "closed"
        return f"<IoThread {self._thread.name!r} {state}, {len(self._watched)} watched>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def close(self) -> None:
        """Abandon what is still watched, and end; waits until that is done. From any thread but its own."""
        with suppress(RuntimeError):  # a second time
            self.call(self._stop)
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join()

    @property
    def is_here(self) -> bool:
        """Whether the caller is this thread."""
        return get_ident() == self._thread.ident

    def call(self, what: Callable[[], None]) -> None:
        """Soon, in this thread. For any thread. Raises RuntimeError once it is closed."""
        with self._lock:
            if self._is_over:
                raise RuntimeError(f"{self!r}: nothing is called any more")
            self._calls.append(what)
            os.eventfd_write(self._wake, 1)

    def watch(self, one: Watched, events: int) -> None:
        """From now on. In this thread."""
        self._watched[one.fileno()] = one
        self._epoll.register(one.fileno(), events)

    def change(self, one: Watched, events: int) -> None:
        """What is waited for. Any thread, while it is watched."""
        self._epoll.modify(one.fileno(), events)

    def forget(self, one: Watched) -> None:
        """No more, before its file is closed. In this thread."""
        if self._watched.pop(one.fileno(), None) is not None:
            self._epoll.unregister(one.fileno())
        self._again.pop(one, None)
        self._due.pop(one, None)

    def schedule(self, one: Watched, due: float) -> None:
        """Call its `tick` then (`time.monotonic`), not when it was to be before. In this thread."""
        if due == inf:
            self._due.pop(one, None)
            return
        self._due[one] = due
        heappush(self._heap, (due, next(self._numbers), one))
        self._next = min(self._next, due)

    def _run(self) -> None:
        try:
            now = monotonic()
            while self._is_open:
                now = self._turn(now)
        finally:
            with self._lock:
                self._is_over = True
            self._take_calls()  # what they begin is abandoned at once
            for one in list(self._watched.values()):
                one.abandon()
            self._epoll.close()
            os.close(self._wake)

    def _turn(self, now: float) -> float:
        """Wait once, and call who is to be called; what time it is then."""
        again = None
        if self._again:
            again, self._again = self._again, {}
        wait = 0.0 if again or self._next <= now else min(self._next - now, _LONGEST)
        for file, events in self._epoll.poll(wait):
            one = self._watched.get(file)
            if one is None:
                if file == self._wake:
                    self._take_calls()
            elif one.ready(events):
                self._again[one] = None
        for one in again or ():
            if one.fileno() in self._watched and one.ready(READ):
                self._again[one] = None
        now = monotonic()
        if now >= self._next:
            self._tell_time(now)
        return now

    def _take_calls(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._calls:
            self._calls.popleft()()

    def _tell_time(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            due, _, one = heappop(self._heap)
            if self._due.get(one) == due:
                self.schedule(one, one.tick(now))
        self._next = self._heap[0][0] if self._heap else inf

    def _stop(self) -> None:
        self._is_open = False
