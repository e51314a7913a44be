"""The way into a worker's units in an OS process of its own: what the main one gives it.

Knows nothing of pipes and joins; they are over there. See `Inlet`, for which it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from streampy.model.item import Batch
from streampy.run.inlet import Taken
from streampy.run.places.wire import Line, Say, unpack_batch

if TYPE_CHECKING:
    from streampy.pipes.frames import Message
    from streampy.run.mail import Mailbox
    from streampy.run.places.report import Report


@final
class Hatch:
    """One worker's. Its thread or task gets; any thread may knock."""

    def __init__(self, line: Line, report: Report) -> None:
        self._line = line
        self._report = report
        self._is_owing = False
        """Whether the last batch is done, and nobody was told so."""

    def get(self, mail: Mailbox, appetite: float = 1.0) -> Taken | None:
        """See `Inlet.get`. Says first that what was given before is done."""
        self._report.appetite = appetite
        if self._is_owing:
            self._is_owing = False
            self._report.send(is_last=True)
        while (message := self._line.hear(mail.__bool__)) is not None:
            if message.kind != Say.TAKEN:
                return self._taken(message)
            self._report.taken(message)
        return Taken(Batch())

    async def get_async(self, mail: Mailbox, appetite: float = 1.0) -> Taken | None:
        """As `get`, for a task of the event loop."""
        self._report.appetite = appetite
        if self._is_owing:
            self._is_owing = False
            await self._report.send_async(is_last=True)
        while (message := await self._line.hear_async(mail.__bool__)) is not None:
            if message.kind != Say.TAKEN:
                return self._taken(message)
            self._report.taken(message)
        return Taken(Batch())

    def _taken(self, message: Message) -> Taken | None:
        self._report.all_taken()
        given = self._line.unpack(message.parts[0])
        return None if message.kind == Say.OVER else Taken(unpack_batch(given))

    def done(self, taken: Taken) -> None:
        """See `Inlet.done`."""
        self._is_owing = bool(taken.batch)

    def knock(self) -> None:
        """See `Inlet.knock`."""
        self._line.wake()
