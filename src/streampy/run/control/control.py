"""The control of one running segment: a thread that listens on a unix socket, and on TCP where that is asked for.

Knows nothing of items. It sleeps while nobody asks. What a client asks is done in a thread of its own, so whoever waits
holds nobody up, and what many look at is looked at once.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import signal
import socket
from collections.abc import Callable
from itertools import count
from threading import Event, Lock
from time import time
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import StreamPyError
from streampy.run.control.figures import Figures
from streampy.run.control.folder import listen, name_of, remove_mine
from streampy.run.control.graph import tell_plan
from streampy.run.control.journal import Journal
from streampy.run.control.verbs import Verbs
from streampy.run.control.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from streampy.run.control.settings import ControlSettings
    from streampy.run.running import Running

_log: Final = logging.getLogger("streampy.run")
_numbers: Final = count(1)
"""Of the runs in this OS process."""
_FRESH: Final = 0.1
"""Seconds for which what was seen is good enough for the next who asks."""
_MOST_JOBS: Final = 64
"""What is done at once, for all clients."""
_MOST_CLIENTS: Final = 256
_LAST: Final = 0.5
"""Seconds in which those who watch are told of the end."""
_LINE: Final = 1 << 20
"""Bytes of a request."""


class TooMuch(StreamPyError):
    """Too much is asked at once; it may be asked again later."""


@final
class Control:
    """Opened before the units start, closed when they have left. Any thread may close it, and more than once."""

    def __init__(self, running: Running, settings: ControlSettings, door: socket.socket | None) -> None:
        """Door: a TCP socket that listens, which is closed with it; see `ControlSettings.listen`."""
        self.settings = settings
        self._running = running
        self._segment = running._segment
        self._verbs = Verbs(running)
        self._figures = Figures(running)
        self._journal = Journal()
        self._started = time()
        self._sockets: list[tuple[socket.socket, bool]] = [] if door is None else [(door, True)]
        """Each with whether it is reached by TCP."""
        self._path: Path | None = None
        self._lock = Lock()
        self._is_closed = False
        self._has_left = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._plan = ""
        self._version = ""
        self._seen_at = -1.0
        self._seen = ""
        self._looking: asyncio.Task[str] | None = None
        self._jobs = 0
        self._clients = 0
        self.id = name_of(self._segment.plan.name, self._segment.segment, settings.replica, next(_numbers))

    def __repr__(self) -> str:
        return f"<Control {self.id}: {self._clients} clients{', closed' if self._is_closed else ''}>"

    def open(self) -> None:
        """Listen from now on.

        Where there is no folder for the socket the process runs all the same, and a warning says why.
        """
        try:
            listening, self._path = listen(self.id)
            self._sockets.insert(0, (listening, False))
        except (StreamPyError, OSError) as error:
            _log.warning("this process can't be steered from outside: %s; `control: off` says that it need not", error)
        if not self._sockets:
            return
        atexit.register(self._remove)
        self._journal.open()
        self._segment.at_end.append(self.close)
        self._segment.backend.launch(self._main, "control")

    @property
    def addresses(self) -> list[str]:
        """Where it is reached: the path of the unix socket, and `tcp://HOST:PORT`."""
        told = [] if self._path is None else [str(self._path)]
        for listening, is_tcp in self._sockets:
            if is_tcp:
                host, port = listening.getsockname()[:2]
                told.append(f"tcp://{f'[{host}]' if ':' in host else host}:{port}")
        return told

    def close(self) -> None:
        """Take the socket away, tell those who watch, and let the thread end. Does not wait for it."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            if self._loop is not None and self._closing is not None:
                atexit.register(self._take_leave)  # first, for its thread takes it back when it ends
                self._loop.call_soon_threadsafe(self._closing.set)
        self._remove()
        self._journal.close()
        atexit.unregister(self._remove)

    def _remove(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _take_leave(self) -> None:
        """The program is about to end, and its threads with it: who asked for that may not have his answer yet."""
        self._has_left.wait(2 * _LAST)

    # in its thread

    def _main(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._live())
        finally:
            self._has_left.set()
            atexit.unregister(self._take_leave)

    async def _live(self) -> None:
        self._closing = asyncio.Event()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            if self._is_closed:
                self._closing.set()
        servers = [await self._serve(listening, is_tcp=is_tcp) for listening, is_tcp in self._sockets]
        await self._closing.wait()
        for server in servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=_LAST)

    async def _serve(self, listening: socket.socket, *, is_tcp: bool) -> asyncio.Server:
        token = self.settings.token if is_tcp else ""

        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._clients >= _MOST_CLIENTS or self.is_closing:
                writer.transport.abort()
                return
            self._clients += 1
            try:
                await Visit(self, reader, writer, token).live()
            except asyncio.CancelledError:  # it is the end; Python 3.11 would log that as an error
                return
            finally:
                self._clients -= 1

        if is_tcp:
            listening.setblocking(False)
            return await asyncio.start_server(visit, sock=listening, limit=_LINE)
        return await asyncio.start_unix_server(visit, sock=listening, limit=_LINE)

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is told."""
        return self._is_closed

    async def until_closing(self, seconds: float | None) -> bool:
        """Wait so long (None: for ever), or until nothing more is told; returns whether that is so."""
        assert self._closing is not None, "there is a visitor, so it runs"  # noqa: S101 - narrows the type
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True

    # what is told

    def head(self) -> dict[str, Any]:
        """Who this is."""
        now = time()
        return {
            "id": self.id,
            "process": self._segment.plan.name,
            "segment": self._segment.segment,
            "replica": self.settings.replica,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "version": self._version or self._read_version(),
            "run": self.settings.run or os.getpid(),
            "state": self.state,
            "started": self._started,
            "uptime": now - self._started,
        }

    def _read_version(self) -> str:
        from importlib.metadata import version  # noqa: PLC0415 - looks through all packages, for whoever asks first

        self._version = version("streampy")
        return self._version

    @property
    def state(self) -> str:
        """See `Segment.state`; at the very end what it came to."""
        state = self._segment.state
        return "stopped" if self._is_closed and state != "failed" else state

    async def live_stats(self) -> str:
        """State, time and figures, as JSON; looked at anew where the last look is a tenth of a second old."""
        loop = asyncio.get_running_loop()
        if self._seen and loop.time() - self._seen_at < _FRESH:
            return self._seen
        if self._looking is None:
            self._looking = loop.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> str:
        me = asyncio.current_task()
        try:
            seen: str = await self.in_thread(self._take)
            if self._looking is me:
                self._seen, self._seen_at = seen, asyncio.get_running_loop().time()
        finally:
            if self._looking is me:
                self._looking = None
        return seen

    def _take(self) -> str:
        is_up = self._segment.state != "starting"
        stats = self._figures.take() if is_up else None
        if stats is not None:
            stats["errors"] = self._journal.errors(self._segment.errors)
            stats["log"] = self._journal.lines()
        return json.dumps({"state": self.state, "uptime": time() - self._started, "stats": stats})

    async def snapshot(self) -> str:
        """All there is to know, as JSON."""
        if not self._plan:
            self._plan = await self.in_thread(lambda: json.dumps(tell_plan(self._segment.plan, self._segment.whole)))
        live = await self.live_stats()
        head = json.dumps(self.head())
        stats = json.dumps(json.loads(live)["stats"])
        return f'{head[:-1]}, "plan": {self._plan}, "stats": {stats}}}'

    async def do(self, verb: str, fields: Mapping[str, Any]) -> Any:
        """See `Verbs.do`."""
        try:
            return await self.in_thread(lambda: self._verbs.do(verb, fields))
        finally:  # what was seen before is no answer to who asks what came of it
            self._seen, self._looking = "", None

    async def in_thread(self, what: Callable[[], Any]) -> Any:
        """Have something done in a thread of its own, which may wait. Raises what it raises, and TooMuch."""
        if self._jobs >= _MOST_JOBS:
            raise TooMuch(f"{self._jobs} things are being done already: ask again later")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(error: BaseException | None, value: Any) -> None:
            self._jobs -= 1
            if answer.cancelled():
                return
            answer.set_result(value) if error is None else answer.set_exception(error)

        def work() -> None:
            error: Exception | None = None
            value = None
            try:
                value = what()
            except StopIteration as stopped:  # a future does not take it
                error = RuntimeError(f"raised {stopped!r}")
            except Exception as raised:
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error, value)

        self._jobs += 1
        self._segment.backend.launch(work, "control job")
        return await answer

    def kill(self) -> None:
        """End this OS process at once, and with it those of its workers; what they have in shared memory is let go."""
        from streampy.memory.sweep import clear_mine  # noqa: PLC0415 - rarely needed

        remove_mine()
        clear_mine()
        os.kill(os.getpid(), signal.SIGKILL)
