"""A small HTTP server with one page, `/metrics`, for `streampy run --metrics`; `streampy ui` has its own.

Knows nothing of what is told: it asks whoever it is given each time that somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from threading import Thread
from types import TracebackType
from typing import Final, Self, final

from streampy.errors import StreamPyError
from streampy.web.metrics import CONTENT_TYPE

_PATIENCE: Final = 5.0
"""Seconds that somebody may take to ask: who connects and says nothing must not keep a thread."""


@final
class Scraped:
    """The page, from `with` to the end of it; each who looks is answered in a thread of its own."""

    def __init__(self, where: str, look: Callable[[], str]) -> None:
        """Where: `HOST:PORT`, port 0 for any that is free. Raises StreamPyError where it can't listen there."""
        host, _, port = where.rpartition(":")
        if not host or not port.isdecimal():
            raise StreamPyError(f"got {where!r}, expected HOST:PORT, such as 127.0.0.1:9000")
        host = host.strip("[]")
        server = _Server6 if ":" in host else _Server
        try:
            self._server = server((host, int(port)), type("Page", (_Page,), {"look": staticmethod(look)}))
        except (OSError, OverflowError) as error:
            raise StreamPyError(f"can't listen at {where}: {error}") from error
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="streampy metrics", daemon=True)

    def __repr__(self) -> str:
        return f"<Scraped at {self.url}>"

    @property
    def url(self) -> str:
        """Where it is found."""
        host, port = self._server.server_address[:2]
        return f"http://{f'[{host!s}]' if ':' in str(host) else host!s}:{port}/metrics"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Server6(_Server):
    address_family = AF_INET6


class _Page(BaseHTTPRequestHandler):
    look: Callable[[], str]
    timeout = _PATIENCE
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell the metrics."""
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND, explain="there is only /metrics")
            return
        text = type(self).look().encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing: somebody looks each few seconds."""
