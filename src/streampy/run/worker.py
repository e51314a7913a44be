"""What a unit can ask of the worker that runs it: `streampy.worker()`.

Knows nothing of how the worker gets its items.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from streampy.run.backend import Flag


@dataclass(slots=True)
class Worker:
    """The place of a unit: which unit it is, and which of its workers."""

    unit: str
    index: int = 0
    count: int = 1
    device: str = "cpu"
    asked_to_stop: Flag = field(default_factory=Event, repr=False)
    expected: int | None = None
    """How many items the source said it would emit."""
    clock: Callable[[], float] = field(default=monotonic, repr=False)
    post: Callable[[str, str, tuple[Any, ...], dict[str, Any]], object] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """`detect`, or `detect#1` where it has several workers."""
        return self.unit if self.count == 1 else f"{self.unit}#{self.index}"

    @property
    def logger(self) -> logging.Logger:
        """`streampy.unit.NAME`."""
        return logging.getLogger(f"streampy.unit.{self.unit}")

    @property
    def stopping(self) -> bool:
        """Whether the process is being stopped, so that a source or a long work should come to its end."""
        return self.asked_to_stop.is_set()

    def now(self) -> float:
        """The time of the run: seconds from an arbitrary start, as in `item.born`; by it `sleep` sleeps.

        In a run that is `time.monotonic`; in a test (`streampy.testing`) a time that moves without anybody waiting.
        """
        return self.clock()

    def sleep(self, seconds: float) -> bool:
        """Wait, but not longer than the process runs; returns whether it is being stopped."""
        return self.asked_to_stop.wait(seconds)

    def fire(self, unit: str, event: str, /, *values: Any, **named: Any) -> None:
        """Fire an event at a unit of the process, its own too, and don't wait: see `Running.fire`.

        What the method raises is logged. Raises StreamPyError for an event that is not there. Alone it does nothing.
        """
        if self.post is not None:
            self.post(unit, event, values, named)

    def expect(self, items: int) -> None:
        """A source tells how many items it will emit, so that progress can be shown."""
        self.expected = items


class Desk(Protocol):
    """Where a worker sits; fused units share one, so who is being called changes."""

    @property
    def worker(self) -> Worker:
        """The worker that is called now."""


_desk: ContextVar[Desk] = ContextVar("streampy_desk")


def sit_down(desk: Desk) -> None:
    """From here on, code of this thread or task runs as this worker."""
    _desk.set(desk)


def sitting() -> Desk | None:
    """Where the calling code sits; None outside of a run."""
    return _desk.get(None)


def worker() -> Worker:
    """The worker that runs the calling unit. Outside of a run: one that stands alone, so that units can be tried."""
    desk = _desk.get(None)
    return Worker("alone") if desk is None else desk.worker
