"""A small web server for pictures that follow each other: whoever looks gets the newest one, as JPEG after JPEG.

Knows nothing of units, frames or faces. Showing a picture never waits: each is encoded once, by a thread of its own,
where anybody looks; who is slow gets fewer of them.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from math import inf
from threading import Condition, Thread
from time import monotonic
from typing import Any, Final, Self, final
from urllib.parse import unquote, urlsplit

import cv2

from streampy.units.video.types import Image

_AGAIN: Final = 5.0
"""Seconds without anything new, after which the last is said again: who is gone without a word is noticed by that."""
_STUCK: Final = 10.0
"""Seconds after which a viewer that takes nothing is sent away."""
_UNDER_WAY: Final = 1 << 18
"""Bytes that may wait in the kernel for a viewer who is slow: a few pictures, so that it does not see the past."""
_EVENTS: Final = 256
"""Events that are kept for a viewer who is slow; of more, the oldest are lost."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PARTS: Final = "picture"


@dataclass(slots=True, eq=False)
class _Stream:
    """What is shown of one stream."""

    waiting: Image | None = None
    """The newest picture, until it is encoded."""
    due: float = -inf
    """When the next one may be taken."""
    jpeg: bytes = b""
    number: int = 0
    """Of `jpeg`, from 1."""
    viewers: int = 0


@final
class LiveServer:
    """Serves from `start` to `close`; any thread may show.

    `/` is a page with all streams, `/video/NAME` one of them as `multipart/x-mixed-replace`, which an `<img>` shows,
    `/events` what is told beside, as server-sent events: `streams`, a list of names, and `item`.
    """

    def __init__(self, *, host: str, port: int, quality: int, fps: float, viewers: int) -> None:
        """See `LiveVideo`."""
        self._host = host
        self._port = port
        self._quality = quality
        self._period = 1 / fps
        self._most = viewers
        self._changed = Condition()
        self._streams: dict[str, _Stream] = {}
        self._listeners: list[deque[bytes]] = []
        self._visits: dict[socket.socket, Thread] = {}
        self._threads: list[Thread] = []
        self._is_closed = False
        self._trouble: Exception | None = None
        """Why there will be no more pictures."""
        self._socket: socket.socket | None = None

    def __repr__(self) -> str:
        encoded = sum(one.number for one in self._streams.values())
        shown = f"{len(self._streams)} streams, {encoded} pictures encoded"
        return f"<LiveServer {self.url}: {shown}, {len(self._visits)} viewers>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Let viewers in. Raises OSError where the port is taken, or the address is not of this machine."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.create_server((self._host, self._port), family=family)
        self._port = self._socket.getsockname()[1]
        for work in (partial(self._let_in, self._socket), self._encode):
            self._threads.append(Thread(target=work, name="streampy live", daemon=True))
            self._threads[-1].start()

    @property
    def url(self) -> str:
        """Where a browser of this machine finds the page."""
        host = self._host or "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/"

    def show(self, stream: str, image: Image, about: Callable[[], Mapping[str, Any]]) -> None:
        """Show a picture, which is not changed from now on, and tell about it. Waits for nobody.

        about: called where anybody listens; must be what JSON can say.

        Raises:
            Exception: a picture that was shown before could not be encoded.

        """
        now = monotonic()
        with self._changed:
            if self._trouble is not None:
                raise self._trouble
            one = self._streams.get(stream)
            if one is None:
                one = self._streams[stream] = _Stream()
                self._tell("streams", sorted(self._streams))
            if self._listeners:
                self._tell("item", about())
            if now >= one.due:
                one.due = max(one.due + self._period, now - self._period)
                one.waiting = image
                self._changed.notify_all()

    def _tell(self, event: str, what: object) -> None:
        told = _event(event, what)
        for listener in self._listeners:
            listener.append(told)
        self._changed.notify_all()

    def close(self) -> None:
        """Send all viewers away; back when nothing of it is left. A second time does nothing."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            visits = dict(self._visits)
        for one in [*filter(None, [self._socket]), *visits]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in [*self._threads, *visits.values()]:
            thread.join()
        if self._socket is not None:
            self._socket.close()

    def _let_in(self, listening: socket.socket) -> None:
        """What the thread at the door does."""
        while True:
            try:
                connection, address = listening.accept()
            except OSError:
                if self._is_closed:
                    return
                continue  # it was gone before it was let in
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNDER_WAY)
            with self._changed:
                if self._is_closed or len(self._visits) >= self._most:
                    connection.close()
                    continue
                thread = Thread(target=self._serve, args=(connection, address), name="streampy viewer", daemon=True)
                self._visits[connection] = thread
                thread.start()

    def _serve(self, connection: socket.socket, address: Any) -> None:
        """What a viewer's thread does."""
        try:
            with connection, suppress(OSError):  # it may leave whenever it likes
                _Visit(connection, address, self)
        finally:
            with self._changed:
                self._visits.pop(connection, None)

    def _encode(self) -> None:
        """What the encoder does: each picture once, the newest one where several came meanwhile."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._next() is not None)
                one = self._next()
                if self._is_closed or one is None:
                    return
                image, one.waiting = one.waiting, None
            try:
                _, jpeg = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, self._quality))  # type: ignore[arg-type]
            except Exception as error:
                with self._changed:
                    self._trouble = error  # for whoever shows the next one
                    self._changed.notify_all()
                return
            with self._changed:
                one.jpeg = jpeg.tobytes()
                one.number += 1
                self._changed.notify_all()

    def _next(self) -> _Stream | None:
        """One whose picture is wanted."""
        return next((one for one in self._streams.values() if one.viewers and one.waiting is not None), None)

    def is_welcome(self, host: str) -> bool:
        """Whether who asks for this host means this server.

        A page of somebody else can't have its own name lead here, and so read what only this machine may see.
        """
        with suppress(ValueError):  # what is no host
            return self._host not in _LOOPBACK or (urlsplit(f"//{host}").hostname or "") in _LOOPBACK
        return False

    @contextmanager
    def watching(self, stream: str) -> Iterator[Iterator[bytes]]:
        """The pictures of a stream from now on, until the end. Raises KeyError for one that is not known."""
        with self._changed:
            one = self._streams[stream]
            one.viewers += 1
            self._changed.notify_all()
        try:
            yield self._pictures(one)
        finally:
            with self._changed:
                one.viewers -= 1

    def _pictures(self, one: _Stream) -> Iterator[bytes]:
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(partial(self._is_newer, one, seen), _AGAIN)
                if self._is_closed or self._trouble is not None:
                    return
                seen, jpeg = one.number, one.jpeg
            if jpeg:
                yield jpeg

    def _is_newer(self, one: _Stream, seen: int) -> bool:
        return self._is_closed or self._trouble is not None or one.number > seen

    @contextmanager
    def listening(self) -> Iterator[Iterator[bytes]]:
        """What is told from now on, after the names of the streams, until the end."""
        with self._changed:
            events = deque([_event("streams", sorted(self._streams))], maxlen=_EVENTS)
            self._listeners.append(events)
        try:
            yield self._events(events)
        finally:
            with self._changed:
                self._listeners[:] = [one for one in self._listeners if one is not events]

    def _events(self, events: deque[bytes]) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or events, _AGAIN)
                if self._is_closed:
                    return
                told = b"".join(events) or b":\n\n"
                events.clear()
            yield told


class _Visit(BaseHTTPRequestHandler):
    """One connection of a viewer."""

    timeout = _STUCK

    def __init__(self, connection: socket.socket, address: Any, live: LiveServer) -> None:
        self._live = live
        super().__init__(connection, address, None)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer."""
        path = self.path.partition("?")[0]
        if not self._live.is_welcome(self.headers.get("Host", "")):
            self.send_error(HTTPStatus.FORBIDDEN, "this page is for this machine alone")
        elif path == "/":
            self._begin("text/html; charset=utf-8")
            self.wfile.write((files(__package__) / "live_page.html").read_bytes())
        elif path == "/events":
            self._begin("text/event-stream")
            with self._live.listening() as events:
                for event in events:
                    self.wfile.write(event)
        elif path.startswith("/video/"):
            self._show(unquote(path.removeprefix("/video/")))
        else:
            self.send_error(HTTPStatus.NOT_FOUND, "there is /, /events, and /video/NAME of each stream")

    def _show(self, stream: str) -> None:
        try:
            watching = self._live.watching(stream)
            with watching as pictures:
                self._begin(f"multipart/x-mixed-replace; boundary={_PARTS}")
                for jpeg in pictures:
                    head = f"--{_PARTS}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
        except KeyError:
            self.send_error(HTTPStatus.NOT_FOUND, "there is no such stream, or it gave nothing yet")

    def _begin(self, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()

    def version_string(self) -> str:
        """Who answers; not which versions are here."""
        return "StreamPy"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named so there
        """Say nothing: viewers come and go."""


def _event(name: str, what: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(what)}\n\n".encode()
