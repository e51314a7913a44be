"""Runs the HTTP server until it is told to end.

Knows nothing of routes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from signal import SIGINT
from types import FrameType
from typing import Final, final

import uvicorn

from streampy.run.control.settings import is_loopback
from streampy.web.app import make_app
from streampy.web.guard import LOOPBACK, Guard
from streampy.web.view import View

_LAST: Final = 2
"""Seconds in which those that are being answered must have their answer when it ends."""
_MOST: Final = 1000
"""Clients at once."""


@final
class Server:
    """One address."""

    def __init__(
        self, host: str, port: int, *, token: str = "", names: Sequence[str] = (), also: Sequence[str] = ()
    ) -> None:
        """Port: 0 for any. names: by which it may be called, beside those of loopback and its own; also: see `View`.

        Raises OSError where it can't listen, ValueError where it could be reached from elsewhere without a token.
        """
        if not token and not is_loopback(host):
            raise ValueError(f"{host} can be reached from other machines, so it needs a token")
        self.host, self.token = host, token
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=256)
        self.port = int(self._socket.getsockname()[1])
        self._names = frozenset({*LOOPBACK, *names}) if is_loopback(host) else frozenset()
        self._also = also
        self._end: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"

    def run(self) -> None:
        """Serve until Ctrl-C, SIGTERM, or `close`."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        view = View(self._also, self.token)
        app = make_app(view, token=bool(self.token))
        guarded = Guard(app, token=self.token, names=self._names, cookie=f"streampy-{self.port}")
        config = uvicorn.Config(
            guarded,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_LAST,
            limit_concurrency=_MOST,
            ws_max_size=1 << 16,
        )
        server = _Uvicorn(config, view)
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.call_soon_threadsafe(server.handle_exit, 0, None)

        self._end = end
        await server.serve(sockets=[self._socket])

    def close(self) -> None:
        """End it. For any thread."""
        if self._end is not None:
            self._end()


@final
class _Uvicorn(uvicorn.Server):
    """Tells those who watch of the end, for whom it would wait otherwise."""

    def __init__(self, config: uvicorn.Config, view: View) -> None:
        super().__init__(config)
        self._view = view

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn, which would end by the signal once more when all is done."""
        del frame
        self.force_exit = self.should_exit and sig == SIGINT
        self.should_exit = True
        self._view.is_closed.set()
        self._closing = asyncio.ensure_future(self._view.close())
