"""One client of a control: it asks by lines of JSON, and is answered so.

Knows nothing of what is asked. What it has not read yet is never more than one answer of each kind: who watches is
given the newest when it is ready for it.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from concurrent import futures
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import StreamPyError
from streampy.run.control.verbs import BadRequest, Field

if TYPE_CHECKING:
    from streampy.run.control.control import Control

_AT_ONCE: Final = 16
"""Requests of one client that are being answered."""
_INTRODUCE: Final = 5.0
"""Seconds in which a client that needs a token has to say it."""
_EVERY: Final = Field(float, 1.0, 0.1, 60.0)
"""Seconds between two looks of who watches."""
_TEXT: Final = 20_000
_OURS: Final = (
    *(str(Path(__file__).parents[2] / room) for room in ("run", "pipes")),
    str(Path(futures.__file__).parent),
)
"""Where lines lie that say nothing to the author of a unit."""


class Unauthorized(StreamPyError):
    """The token is missing, or is another one."""


@final
class Visit:
    """From its first line to its last."""

    def __init__(
        self, control: Control, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str
    ) -> None:
        """Token: which the first line must bear; "" where anybody may ask who could connect."""
        self._control = control
        self._reader = reader
        self._writer = writer
        self._token = token
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        writer.transport.set_write_buffer_limits(0)

    async def live(self) -> None:
        """Answer until the client has gone, or says what is no request."""
        try:
            if await self._is_let_in():
                await self._answer_all()
        except (ConnectionError, TimeoutError):
            return
        except BadRequest as error:
            with suppress(ConnectionError):
                await self._refuse(None, error)
        finally:
            for task in self._tasks:
                task.cancel()
            self._writer.close()

    async def _is_let_in(self) -> bool:
        if not self._token:
            return True
        async with asyncio.timeout(_INTRODUCE):
            request = await self._next()
        if request is None:
            return False
        given = request.pop("token", "")
        if not (isinstance(given, str) and compare_digest(given.encode(), self._token.encode())):
            await self._refuse(request.get("id"), Unauthorized("the token is missing, or is another one"))
            return False
        await self._begin(request)
        return True

    async def _answer_all(self) -> None:
        closing = asyncio.ensure_future(self._control.until_closing(None))
        try:
            while not self._control.is_closing:
                coming = asyncio.ensure_future(self._next())
                done, _ = await asyncio.wait({coming, closing}, return_when=asyncio.FIRST_COMPLETED)
                if coming not in done:
                    coming.cancel()
                    break
                request = coming.result()
                if request is None:
                    return
                request.pop("token", None)
                await self._begin(request)
        finally:
            closing.cancel()
        if self._tasks:  # those who watch are told of the end
            await asyncio.wait(self._tasks)

    async def _next(self) -> dict[str, Any] | None:
        """The next request; None where there is none. Raises BadRequest."""
        try:
            line = await self._reader.readline()
        except ValueError:
            raise BadRequest("the line is too long") from None
        if not line:
            return None
        try:
            request = json.loads(line)
        except ValueError as error:
            raise BadRequest(f"expected a line of JSON: {error}") from None
        except RecursionError:
            raise BadRequest("expected a line of JSON, and got one that is nested too deep") from None
        if not isinstance(request, dict) or not isinstance(request.get("do"), str):
            raise BadRequest('expected an object with a text "do"')
        return request

    async def _begin(self, request: dict[str, Any]) -> None:
        if len(self._tasks) >= _AT_ONCE:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.get_running_loop().create_task(self._see_to(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_to(self, request: dict[str, Any]) -> None:
        number = request.pop("id", None)
        with suppress(ConnectionError):
            try:
                await self._do(number, request.pop("do"), request)
            except Exception as error:
                await self._refuse(number, error)

    async def _do(self, number: Any, verb: str, fields: dict[str, Any]) -> None:
        match verb:
            case "hello":
                await self._say(number, json.dumps(self._control.head()))
            case "snapshot":
                await self._say(number, await self._control.snapshot())
            case "stats" if "unit" not in fields:
                await self._say(number, await self._control.live_stats())
            case "stats":
                await self._say(number, await self._stats_of(fields["unit"]))
            case "watch":
                await self._watch(number, _EVERY.read("every", fields.get("every", _EVERY.default)))
            case "kill" if "unit" not in fields:
                await self._say(number, "null")
                self._control.kill()
            case _:
                result = await self._control.do(verb, fields)
                await self._say(number, json.dumps(result))

    async def _stats_of(self, unit: Any) -> str:
        stats = json.loads(await self._control.live_stats())["stats"]
        await self._control.do("stats", {"unit": unit})  # says whether it is there
        return json.dumps(None if stats is None else stats["units"][unit])

    async def _watch(self, number: Any, every: float) -> None:
        """Tell how it goes, until the end; no more often than the client takes it."""
        await self._say(number, await self._control.snapshot())
        told = json.dumps(number)
        while not await self._control.until_closing(every):
            live = await self._control.live_stats()
            await self._write(f'{{"id": {told}, "event": "stats", "data": {live}}}\n')
        state = json.dumps({"state": self._control.state})
        await self._write(f'{{"id": {told}, "event": "end", "data": {state}}}\n')

    async def _say(self, number: Any, result: str) -> None:
        await self._write(f'{{"id": {json.dumps(number)}, "ok": true, "result": {result}}}\n')

    async def _refuse(self, number: Any, error: Exception) -> None:
        told = json.dumps({"id": number, "ok": False, "error": tell(error)})
        await self._write(f"{told}\n")

    async def _write(self, line: str) -> None:
        """Returns when the client's kernel has all of it. Raises ConnectionError where it is gone."""
        async with self._lock:
            self._writer.write(line.encode())
            await self._writer.drain()


def tell(error: BaseException) -> dict[str, str]:
    """An error as JSON has it; of one that is not StreamPy's own with its traceback, from the user's first line on."""
    is_ours = isinstance(error, StreamPyError | TimeoutError)
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OURS)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(theirs)] if theirs else []
    trace = "" if is_ours else "".join([*lines, *traceback.format_exception_only(error)])[-_TEXT:]
    return {
        "kind": type(error).__name__,
        "message": str(error) or type(error).__name__,
        "traceback": trace,
    }
