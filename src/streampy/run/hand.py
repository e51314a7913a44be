"""What a worker has in its hands, kept where it outlives the worker: another one goes on with it.

Knows nothing of why a worker died. What it made of the items leaves only when all are done, so nothing is seen twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streampy.run.limits import PutOff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streampy.model.item import Batch, Header
    from streampy.run.call import Call
    from streampy.run.inlet import Taken
    from streampy.run.turnstile import Sent


class Hand:
    """A batch on its way through a unit whose workers may die."""

    def __init__(self, taken: Taken, call: Call, *, is_apart: bool) -> None:
        self.taken = taken
        self.sent: Sent = []
        """What came of the items that are done."""
        self.deaths = 0
        """Workers that died on the next item."""
        self.error: BaseException = RuntimeError("no worker died yet")
        """Of what the last one died."""
        self.is_apart = is_apart or len(taken.batch) <= 1
        """Whether the items are worked on one by one, so that it shows on which of them a worker dies."""
        self._done = 0
        self._meter = call.meter
        self._ledger = call.outlet.ledger
        self._kept = 0
        self._counts = call.meter.counts

    @property
    def next(self) -> tuple[Header, Any]:
        """The item that is to be worked on."""
        batch = self.taken.batch
        return batch.headers[self._done], batch[self._done]

    @property
    def items(self) -> Iterator[tuple[Header, Any]]:
        """Those that are not done; each is done when the next is asked for."""
        while self._done < len(self.taken.batch):
            self._begin()
            yield self.next
            self._done, self.deaths = self._done + 1, 0

    @property
    def whole(self) -> Batch[Any]:
        """The batch, to be worked on at once; `finish` says when that is done."""
        self._begin()
        return self.taken.batch

    def finish(self) -> None:
        """All items are done."""
        self._done = len(self.taken.batch)

    @property
    def is_done(self) -> bool:
        """Whether all items are done."""
        return self._done >= len(self.taken.batch)

    def _begin(self) -> None:
        self._kept = len(self.sent)
        self._counts = self._meter.counts

    def take_apart(self) -> None:
        """The unit raised on the whole batch: its items are worked on one by one."""
        self._meter.counts = self._counts
        self.is_apart = True

    def drop(self) -> None:
        """The worker died: what it made of the item at hand never was."""
        if self.is_done:
            return
        self._ledger.release(self.next[0])
        for one in self.sent[self._kept :]:
            if isinstance(one, PutOff):
                one.drop()
        del self.sent[self._kept :]
        self._meter.counts = self._counts
        self.deaths += self.is_apart
        self.is_apart = True
