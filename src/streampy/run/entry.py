"""An open input: what the user pushes by hand is born here.

Knows nothing of who pushes; any thread may.
"""

from __future__ import annotations

from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any

from streampy.flow.ledger import Ledger
from streampy.model.item import NO_META, Batch, Header, Reason, Tombstone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from streampy.run.inlet import Inlet
    from streampy.run.trace.births import TracedEntry


class Entry:
    """The way into a unit that is linked to nothing."""

    def __init__(
        self,
        unit: str,
        inlet: Inlet,
        ledger: Ledger,
        now: Callable[[], float],
        traced: TracedEntry | None = None,
    ) -> None:
        """Traced: marks what is traced; None where nothing is."""
        self.ledger = ledger
        self.ports = tuple(inlet.pipes)
        self.unit = unit
        self._inlet = inlet
        self._now = now
        self._traced = traced
        self._seq = 0
        self._lock = Lock()
        self._has_ended = False

    def header(self, meta: Mapping[str, Any] | None = None, deadline: float = inf) -> Header:
        """The identity of the next item."""
        with self._lock:
            self._seq += 1
            header = Header(self.unit, self._seq - 1, self._now(), (), deadline, meta or NO_META)
            return header if self._traced is None else self._traced.mark(header)

    def put(self, header: Header, values: Mapping[str, Any], until: float) -> None:
        """Put one item in, with a value for each input; where that fails it counts as dropped.

        Raises TimeoutError, or ValueError once the entry has ended, and where a pipe can't take it.
        """
        if self._has_ended:
            raise ValueError(f"{self.unit!r} takes no more items: the process is draining or has ended")
        with self._lock:
            self.ledger.add("born", header)
            if len(values) > 1:
                self.ledger.add("split", header, len(values) - 1)
        left = dict(values)
        try:
            for port, value in values.items():
                dropped = self._inlet.put(port, Batch([value], [header]), until)
                del left[port]
                if dropped:
                    with self._lock:
                        self.ledger.ended(dropped, Reason.DROPPED)
        except Exception:
            self._give_up(header, left)
            raise

    def _give_up(self, header: Header, ports: Iterable[str]) -> None:
        """The item did not come into these pipes."""
        lost = [header for _ in ports]
        with self._lock:
            self.ledger.ended(lost, Reason.DROPPED)
        for port in ports:
            self._inlet.miss(port, Tombstone(header, Reason.DROPPED, f"{self.unit}.{port}"))
        if self._inlet.loop is not None:
            self._inlet.loop.leave(1)

    def end(self) -> None:
        """Nothing more is pushed."""
        with self._lock:
            if self._has_ended:
                return
            self._has_ended = True
        for port in self.ports:
            self._inlet.end(port)
