"""Letters on their way into NATS: sent, confirmed, and sent again where they were not.

Knows nothing of what they say, nor who takes them. A letter that is larger than the server takes lies in its stream in
pieces; what is sent last says in which places.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, final

from streampy.pipes.net.nats_said import TROUBLES, read, status

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

PIECES: Final = "Streampy-Pieces"
"""The header of a letter that says where its pieces lie."""
_FULL: Final = 32 << 20
"""Bytes that are not stored yet, from which on nothing more is asked for."""
_AGAIN: Final = 5.0
"""Seconds without an answer, after which a letter is sent again: the server knows it by its number."""
_LATER: Final = 1.0
"""Seconds until a letter is sent again that the server would not take."""
_HEADERS: Final = 1024
"""Bytes that they may take of a message."""
_PIECE: Final = 5 / 8
"""Of what the server takes in one message: what it gives out again it writes in base64."""
_LYING: Final = "=pieces"
"""Where they lie: no segment is called so."""
_NOT_THERE: Final = "503"


@dataclass(slots=True, eq=False)
class _Put:
    """What is to be stored."""

    subject: str
    payload: bytes
    then: Callable[[int], object]
    """Is given its place in the stream."""
    headers: dict[str, str]
    again_at: float = 0.0


@final
class Storing:
    """Of one connection. In its loop, but for `is_full`, `waiting` and `begin`."""

    def __init__(
        self,
        client: Client,
        name: str,
        *,
        trouble: Callable[[str], object],
        missing: Callable[[], object],
        drained: Callable[[], object],
    ) -> None:
        """Name: in front of the numbers by which the server knows letters.

        trouble: is told what the server says where it does not store one. missing: where there is no stream. drained:
        there is room again, after it was full.
        """
        self._client = client
        self._name = name
        self._trouble, self._missing, self._drained = trouble, missing, drained
        self._numbers = count(1)
        self._outbox: deque[_Put] = deque()
        self._sent: dict[int, _Put] = {}
        self._acks = ""
        self._wake = asyncio.Event()
        self._all_stored = asyncio.Event()
        self._lock = Lock()
        self._bytes = 0
        self.waiting = 0
        """Letters that are not stored yet."""
        self._was_full = False

    def __repr__(self) -> str:
        return f"<Storing of {self._name}: {self.waiting} letters wait>"

    @property
    def is_full(self) -> bool:
        """Whether much waits."""
        return self._bytes >= _FULL

    async def open(self) -> None:
        """Confirmations are heard from now on. Raises TROUBLES."""
        self._acks = self._client.new_inbox()
        await self._client.subscribe(f"{self._acks}.*", cb=self._on_stored)

    def begin(self, letter: bytes, then: Callable[[], object]) -> Callable[[int], object]:
        """A letter waits from now on; returns what is to be called when it is stored. Any thread."""
        with self._lock:
            self._bytes += len(letter)
            self.waiting += 1
            self._was_full = self._was_full or self._bytes >= _FULL

        def stored(_: int) -> None:
            with self._lock:
                self._bytes -= len(letter)
                self.waiting -= 1
                is_drained = self._was_full and self._bytes < _FULL // 2
                self._was_full = self._was_full and not is_drained
            if not self.waiting:
                self._all_stored.set()
            then()
            if is_drained:
                self._drained()

        return stored

    def send(self, root: str, to: str, letter: bytes, then: Callable[[int], object]) -> None:
        """Store it. root, to: its subject, in two parts."""
        most = self._client.max_payload
        if len(letter) <= most - _HEADERS:
            self._add(_Put(f"{root}.{to}", letter, then, self._id()))
            return
        size = int(most * _PIECE)
        pieces = [letter[at : at + size] for at in range(0, len(letter), size)]
        places: dict[int, int] = {}

        def lies(index: int, place: int) -> None:
            places[index] = place
            if len(places) == len(pieces):
                lying = json.dumps([places[one] for one in range(len(pieces))])
                self._add(_Put(f"{root}.{to}", lying.encode(), then, {**self._id(), PIECES: "1"}))

        for index, piece in enumerate(pieces):
            self._add(_Put(f"{root}.{_LYING}", piece, partial(lies, index), self._id()))

    def _add(self, put: _Put) -> None:
        self._outbox.append(put)
        self._wake.set()

    def _id(self) -> dict[str, str]:
        return {"Nats-Msg-Id": f"{self._name}-{next(self._numbers)}"}

    async def write(self) -> None:
        """What its task does: gives the server what is to be stored, in its order."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox and self._client.is_connected:
                put = self._outbox.popleft()
                number = next(self._numbers)
                put.again_at = monotonic() + _AGAIN
                self._sent[number] = put
                with suppress(*TROUBLES):  # `again` will do it again
                    await self._client.publish(put.subject, put.payload, f"{self._acks}.{number}", dict(put.headers))

    async def _on_stored(self, message: Msg) -> None:
        put = self._sent.pop(int(message.subject.rpartition(".")[2]), None)
        if put is None:
            return
        said = read(message)
        if "seq" in said:
            put.then(int(said["seq"]))
            return
        put.again_at = monotonic() + _LATER
        self._sent[next(self._numbers)] = put
        self._trouble(said.get("error", {}).get("description", "") or "no stream takes it")
        if status(message) == _NOT_THERE:
            self._missing()

    def again(self, *, is_all: bool = False) -> None:
        """What the server has not confirmed for long is sent once more."""
        now = monotonic()
        late = [number for number, put in self._sent.items() if is_all or put.again_at <= now]
        self._outbox.extendleft(self._sent.pop(number) for number in reversed(late))
        self._wake.set()

    async def flush(self, until: float) -> None:
        """Wait until all is stored, at the latest until then (`time.monotonic`)."""
        while self.waiting and monotonic() < until:
            self._all_stored.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(until - monotonic()):
                    await self._all_stored.wait()
