"""Bytes to and from one TCP socket that never blocks, with TLS or without.

Knows nothing of frames.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Final, Protocol, final

from streampy.pipes.net.frames import Buffer

_MOST_PIECES: Final = 1000
"""Of one system call, which takes 1024."""
_RECORD: Final = 1 << 14
"""Bytes of a TLS record at most: so many small pieces are joined to one."""
_CHUNK: Final = 1 << 17
"""Bytes that are encrypted at once: meanwhile nothing is received."""


class Transport(Protocol):
    """What a connection needs of its socket. One thread at a time may send, and one may receive."""

    def fileno(self) -> int:
        """The file descriptor."""

    is_dry_after_less: bool
    """Whether nothing more is there when less has come than there was room for."""

    def connect(self, address: tuple[str, int]) -> None:
        """Begin to. Raises OSError."""

    def check_connected(self) -> None:
        """Raises OSError where the connection did not come to be."""

    def secure(self) -> bool:
        """Go on with the handshake of TLS. False: it waits to receive. Raises BlockingIOError: it waits to send."""

    def send(self, buffers: Sequence[Buffer]) -> int:
        """How many of the bytes were taken. Raises BlockingIOError: none, send the same again; OSError."""

    def send_piece(self, piece: bytes) -> int:
        """As `send`, for one buffer."""

    def receive(self, place: memoryview) -> int:
        """How many bytes have come; 0 at the end of the stream. Raises BlockingIOError: none now; OSError."""

    @property
    def has_more(self) -> bool:
        """Whether there is something to receive that the socket no longer tells of."""

    def discard(self) -> int:
        """Receive without a look at it. As `receive`."""

    def finish(self) -> None:
        """Nothing more is sent: the other end sees the end of the stream."""

    def close(self) -> None:
        """The socket is gone."""


@final
class Plain:
    """Without TLS."""

    has_more: Final = False
    is_dry_after_less = True

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self.fileno = end.fileno
        self.receive = end.recv_into
        self.send_piece = end.send  # Python ignores SIGPIPE

    def connect(self, address: tuple[str, int]) -> None:
        """See `Transport`."""
        _connect(self._socket, address)

    def check_connected(self) -> None:
        """See `Transport`."""
        _check_connected(self._socket)

    def secure(self) -> bool:
        """See `Transport`: there is none."""
        return True

    def send(self, buffers: Sequence[Buffer]) -> int:
        """See `Transport`."""
        return self._socket.sendmsg(buffers[:_MOST_PIECES], (), socket.MSG_NOSIGNAL)

    def discard(self) -> int:
        """See `Transport`."""
        return len(self._socket.recv(_RECORD))

    def finish(self) -> None:
        """See `Transport`."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """See `Transport`."""
        self._socket.close()


@final
class Secured:
    """With TLS. OpenSSL's state is one for both ways, so sending and receiving take turns."""

    is_dry_after_less = False

    def __init__(self, end: socket.socket, context: ssl.SSLContext, server_name: str | None = None) -> None:
        self._socket = end
        self._context = context
        self._server_name = server_name
        """None at the end that listens."""
        self._tls: ssl.SSLSocket | None = None
        """Takes the place of the socket, under the same file descriptor, once that is connected."""
        self._lock = Lock()
        self._chunk: Buffer | None = None
        """What OpenSSL has begun to send: it must be given the same again."""

    def fileno(self) -> int:
        """See `Transport`."""
        return self._socket.fileno()

    def connect(self, address: tuple[str, int]) -> None:
        """See `Transport`."""
        _connect(self._socket, address)

    def check_connected(self) -> None:
        """See `Transport`."""
        _check_connected(self._socket)

    def secure(self) -> bool:
        """See `Transport`."""
        if self._tls is None:
            self._tls = self._socket = self._context.wrap_socket(
                self._socket,
                server_side=self._server_name is None,
                do_handshake_on_connect=False,
                server_hostname=self._server_name,
            )
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLWantWriteError:
            raise BlockingIOError from None
        return True

    def send(self, buffers: Sequence[Buffer]) -> int:
        """See `Transport`."""
        with self._lock:
            if self._chunk is None:
                self._chunk = _first(buffers)
            try:
                count = self._socket.send(self._chunk)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise BlockingIOError from None
            self._chunk = None
            return count

    def send_piece(self, piece: bytes) -> int:
        """See `Transport`."""
        return self.send((piece,))

    def receive(self, place: memoryview) -> int:
        """See `Transport`."""
        with self._lock:
            try:
                return self._socket.recv_into(place)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise BlockingIOError from None
            except ssl.SSLZeroReturnError:
                return 0

    @property
    def has_more(self) -> bool:
        """See `Transport`."""
        with self._lock:
            return self._tls is not None and self._tls.pending() > 0

    def discard(self) -> int:
        """See `Transport`: as it is, still encrypted."""
        return len(socket.socket.recv(self._socket, _RECORD))

    def finish(self) -> None:
        """See `Transport`."""
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_WR)  # that of TLS forgets the keys

    def close(self) -> None:
        """See `Transport`."""
        self._socket.close()


def _connect(end: socket.socket, address: tuple[str, int]) -> None:
    if (error := end.connect_ex(address)) not in {0, errno.EINPROGRESS}:
        raise OSError(error, os.strerror(error))


def _check_connected(end: socket.socket) -> None:
    if error := end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, os.strerror(error))


def _first(buffers: Sequence[Buffer]) -> Buffer:
    """What goes next: small pieces joined, or a piece of a large one."""
    if len(buffers) == 1 or len(buffers[0]) >= _RECORD:
        return memoryview(buffers[0])[:_CHUNK]
    joined, size = [], 0
    for buffer in buffers:
        piece = memoryview(buffer)[: _RECORD - size]
        joined.append(piece)
        size += len(piece)
        if size == _RECORD:
            break
    return b"".join(joined)
