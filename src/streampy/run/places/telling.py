"""Before the inlet of a worker on its own: what came of the items is told to the main OS process before it waits.

Knows nothing of what is told. See `Inlet`, for which it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from streampy.run.inlet import Inlet, Taken
    from streampy.run.mail import Mailbox
    from streampy.run.places.report import Report


@final
class TellingInlet:
    """One worker's. Its thread or task gets; any thread may knock."""

    def __init__(self, inlet: Inlet, report: Report) -> None:
        self._inlet = inlet
        self._report = report

    def get(self, mail: Mailbox, appetite: float = 1.0) -> Taken | None:
        """See `Inlet.get`."""
        if self._report.has_news and not self._inlet.has_due():
            self._report.send()
        return self._inlet.get(mail, appetite)

    async def get_async(self, mail: Mailbox, appetite: float = 1.0) -> Taken | None:
        """See `Inlet.get_async`."""
        if self._report.has_news and not self._inlet.has_due():
            await self._report.send_async()
        return await self._inlet.get_async(mail, appetite)

    def done(self, taken: Taken) -> None:
        """See `Inlet.done`."""
        self._inlet.done(taken)

    def knock(self) -> None:
        """See `Inlet.knock`."""
        self._inlet.knock()
