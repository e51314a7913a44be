"""A connection to one running segment, for a program with an event loop: many ask at once, each gets its own answer.

Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import Any, Final, Self, final

from streampy.model.segments import parse_address
from streampy.run.control.client import Gone, Refused

_LINE: Final = 1 << 26
"""Bytes of an answer: a snapshot of a thousand units is one or two million, pictures as many."""
_PATIENCE: Final = 10.0
"""Seconds for an answer, beyond those that the verb itself may take."""
_TAKES: Final = ("timeout", "seconds", "wait")


@final
class Link:
    """Opened by `open`; of one event loop."""

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self.address = address
        self.gone = asyncio.Event()
        """The segment has ended, or can't be reached any more."""
        self._reader, self._writer = reader, writer
        self._token = token
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._hearing = asyncio.get_running_loop().create_task(self._hear())

    @classmethod
    async def open(cls, address: str, token: str = "") -> Self:
        """Connect. Raises Gone where nobody answers."""
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await _connect(address)
        except (OSError, TimeoutError) as error:
            raise Gone(f"nobody answers at {address}: {error}") from error
        return cls(address, reader, writer, token)

    def __repr__(self) -> str:
        return f"<Link to {self.address}{', gone' if self.gone.is_set() else ''}>"

    async def ask(self, verb: str, fields: dict[str, Any] | None = None) -> Any:
        """Have something done. Raises Refused where it was not, Gone where the segment has ended."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        given = fields or {}
        seconds = _PATIENCE + sum(float(given.get(name) or 0.0) for name in _TAKES)
        try:
            await self._say({**given, "id": number, "do": verb})
            async with asyncio.timeout(seconds):
                return _result(await answer)
        except TimeoutError:
            raise Gone(f"the segment at {self.address} did not answer within {seconds:g} s") from None
        finally:
            self._answers.pop(number, None)

    async def _say(self, request: dict[str, Any]) -> None:
        if self.gone.is_set():
            raise Gone(f"the segment at {self.address} has ended")
        if self._token:
            request["token"] = self._token
        try:
            self._writer.write(json.dumps(request, allow_nan=False).encode() + b"\n")
            await self._writer.drain()
        except OSError as error:
            raise Gone(f"the segment at {self.address} has ended") from error

    async def _hear(self) -> None:
        try:
            while (line := await self._reader.readline()).endswith(b"\n"):
                told = json.loads(line)
                answer = self._answers.get(told.get("id"))
                if answer is not None and not answer.done():
                    answer.set_result(told)
        except (OSError, ValueError):
            pass
        finally:
            self.gone.set()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Gone(f"the segment at {self.address} has ended"))

    async def close(self) -> None:
        """Ask no more."""
        self._hearing.cancel()
        with suppress(asyncio.CancelledError):
            await self._hearing
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


async def watch(address: str, token: str, every: float) -> AsyncIterator[dict[str, Any]]:
    """`state`, `uptime` and `stats` every so many seconds, until the segment ends. Raises Gone where nobody answers."""
    try:
        reader, writer = await _connect(address)
    except OSError as error:
        raise Gone(f"nobody answers at {address}: {error}") from error
    try:
        request = {"id": 1, "do": "watch", "every": every} | ({"token": token} if token else {})
        writer.write(json.dumps(request).encode() + b"\n")
        with suppress(OSError, ValueError):
            while (line := await reader.readline()).endswith(b"\n"):
                told = json.loads(line)
                if told.get("event") == "stats":
                    yield told["data"]
                elif "event" in told or not told.get("ok"):
                    return
    finally:
        writer.close()


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("tcp://"):
        host, port = parse_address(address)
        return await asyncio.open_connection(host, port, limit=_LINE)
    return await asyncio.open_unix_connection(address, limit=_LINE)


def _result(told: dict[str, Any]) -> Any:
    if told.get("ok"):
        return told["result"]
    error = told["error"]
    raise Refused(error["kind"], error["message"], error["traceback"])
