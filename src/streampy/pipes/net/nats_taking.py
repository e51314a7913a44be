"""Letters out of a consumer of NATS: asked for as there is room for them, kept as long as somebody works on them.

Knows nothing of what they say, nor where they come from.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, final

from nats.js.errors import NotFoundError

from streampy.pipes.net.nats_said import TROUBLES, status, told
from streampy.pipes.net.nats_storing import PIECES

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

OURS: Final = 4.0
"""Seconds without a word, after which a letter that somebody took is given to another one."""
AT_ONCE: Final = 256
"""Letters that the server is asked for at once."""
_ASKED: Final = 30.0
"""Seconds for which it is asked."""
_NOTHING: Final = frozenset({"404", "408"})
"""What it says when nothing has come in that time."""


@dataclass(slots=True, eq=False)
class Taken:
    """See `Receipt`."""

    taking: Taking
    message: Msg
    ours_until: float
    pieces: Sequence[int] = ()

    def done(self) -> None:
        """See `Receipt`."""
        self.taking.soon(lambda: self.taking.done(self))

    def drop(self) -> None:
        """See `Receipt`."""
        self.taking.soon(lambda: self.taking.taken.pop(self, None))


@final
class Taking:
    """Of one consumer. In the loop."""

    def __init__(
        self,
        client: Client,
        stream: str,
        consumer: str,
        window: int,
        hear: Callable[[bytes, Taken], object],
        *,
        trouble: Callable[[str], object],
        soon: Callable[[Callable[[], object]], object],
    ) -> None:
        """Window: letters that are here at once. hear: is given them. soon: calls something in the loop."""
        self._client = client
        self._js = client.jetstream()
        self.stream, self.consumer = stream, consumer
        self._window = window
        self._hear, self._trouble, self.soon = hear, trouble, soon
        self._inbox = ""
        self._asked = 0
        """Letters that the server was asked for, and has not given."""
        self._asked_at = 0.0
        self.taken: dict[Taken, None] = {}
        """Letters that are here."""
        self.is_over = False
        """Whether no more are wanted."""
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Taking of {self.consumer}: {len(self.taken)} letters here>"

    async def open(self) -> None:
        """Letters come from now on. Raises TROUBLES."""
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(self._inbox, cb=self._came)
        await self._ask()

    async def again(self) -> None:
        """The server has forgotten what it was asked for."""
        self._asked = 0
        await self._ask()

    async def tend(self) -> None:
        """What goes by the clock: letters that are worked on stay here."""
        now = monotonic()
        if self._asked_at + _ASKED + 1.0 < now:
            self._asked = 0
        await self._ask()
        for taken in [one for one in self.taken if one.ours_until < now]:
            taken.ours_until = now + OURS / 4
            with suppress(*TROUBLES):
                await taken.message.in_progress()

    async def _ask(self) -> None:
        """For as many letters as there is room for, once that is half of all, unless it was asked already."""
        room = min(self._window - len(self.taken), AT_ONCE)
        enough = max(1, min(self._window, AT_ONCE) // 2)
        if self._asked or room < enough or self.is_over or not self._client.is_connected:
            return
        self._asked, self._asked_at = room, monotonic()
        request = json.dumps({"batch": room, "expires": int(_ASKED * 1e9)}).encode()
        with suppress(*TROUBLES):
            await self._client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self.consumer}", request, self._inbox)

    async def _came(self, message: Msg) -> None:
        if said := status(message):  # nothing came in time; or the server is not ready, and is asked later
            self._asked = 0
            if said in _NOTHING:
                await self._ask()
            return
        self._asked = max(0, self._asked - 1)
        if self.is_over:
            await message.nak()
            return
        taken = Taken(self, message, monotonic() + OURS / 4)
        self.taken[taken] = None
        if message.headers and PIECES in message.headers:
            taken.pieces = json.loads(message.data)
            self._spawn(self._gather(taken))
        else:
            self._hear(message.data, taken)
        await self._ask()

    async def _gather(self, taken: Taken) -> None:
        """A letter in pieces."""
        try:
            found = [await self._js.get_msg(self.stream, place) for place in taken.pieces]
        except NotFoundError:
            await self._finish(taken)  # it was done before: they go last
        except TROUBLES as error:
            self._trouble(f"a large letter can't be read now: {told(error)}; tried again")
            self.taken.pop(taken, None)  # nobody says that it is ours: it comes again
        else:
            self._hear(b"".join(one.data or b"" for one in found), taken)

    def done(self, taken: Taken) -> None:
        """It is not needed any more."""
        self._spawn(self._finish(taken))

    async def _finish(self, taken: Taken) -> None:
        self.taken.pop(taken, None)
        with suppress(*TROUBLES):  # it comes again then, and is known
            await taken.message.ack()
            for place in taken.pieces:
                await self._js.delete_msg(self.stream, place)
        await self._ask()

    async def close(self) -> None:
        """What is done is told to the server, which need not wait for the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for taken in list(self.taken):
            await taken.message.nak()

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
