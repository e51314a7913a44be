"""What one connection sends: by any thread, in one order, each frame whole; the rest waits in an outbox with a limit.

Knows nothing of what comes, nor of when the connection opens and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition, Lock
from time import monotonic
from typing import Final, final

from streampy.pipes.base import patience
from streampy.pipes.net.errors import LinkError, PeerLost
from streampy.pipes.net.frames import Buffer, Frame, Kind, to_piece, to_wire
from streampy.pipes.net.io_thread import READ, WRITE, IoThread, Watched
from streampy.pipes.net.limits import GREETING
from streampy.pipes.net.outbox import Outbox
from streampy.pipes.net.transport import Transport

_FAIR: Final = 4 << 20
"""Bytes that are sent before it is another connection's turn."""
_POSTED: Final = 4 << 20
"""Bytes that `post` may add to a full outbox."""


@final
class Outgoing:
    """Whoever sends, sends itself what the kernel takes at once; the I/O thread sends what is left."""

    __slots__ = (
        "_io",
        "_is_writing",
        "_lock",
        "_most",
        "_outbox",
        "_reason",
        "_room",
        "_transport",
        "_was_full",
        "_watched",
        "_where",
        "has_left",
        "is_open",
        "limits",
        "sent",
    )

    def __init__(self, io: IoThread, transport: Transport, watched: Watched, where: str, most: int) -> None:
        self.limits = GREETING
        """Of frames."""
        self.is_open = False
        """Whether frames may be sent by whoever uses the connection."""
        self.has_left = False
        """Whether BYE was sent, or waits to be."""
        self.sent = 0
        """Bytes that the kernel has taken."""
        self._io = io
        self._transport = transport
        self._watched = watched
        self._where = where
        self._most = most
        self._lock = Lock()
        self._room = Condition(self._lock)
        self._outbox = Outbox()
        self._is_writing = False
        """Whether epoll tells when there is room to send."""
        self._was_full = False
        """Whether it was, and nobody was told that it is not any more."""
        self._reason: LinkError | None = None
        """Why nothing can be sent any more."""

    @property
    def waiting(self) -> int:
        """Bytes in the outbox."""
        return self._outbox.size

    @property
    def is_full(self) -> bool:
        """Whether who sends must wait."""
        return self._outbox.size >= self._most

    def send(self, frame: Frame, until: float) -> None:
        """See `Connection.send`."""
        piece = to_piece(frame, self.limits)
        buffers = to_wire(frame, self.limits) if piece is None else None
        with self._lock:
            if not self.is_open:
                raise self._closed()
            if self._outbox.size >= self._most:
                self._wait_for_room(until)
            if piece is not None:
                self._send_piece(piece)
            elif buffers is not None:
                self._send(buffers)

    def post(self, frame: Frame) -> None:
        """See `Connection.post`."""
        buffers = to_wire(frame, self.limits)
        with self._lock:
            if not self.is_open:
                raise self._closed()
            self._post(buffers)

    def say(self, data: bytes) -> None:
        """Send what is no affair of the owner's: the handshake, heartbeats. Raises LinkError."""
        with self._lock:
            self._post([data])

    def open(self) -> None:
        """From now on frames may be sent."""
        with self._lock:
            self.is_open = True

    def leave(self) -> None:
        """From now on none may be sent; BYE follows the last one."""
        with self._lock:
            if self.is_open:
                self.is_open, self.has_left = False, True
                self._post(to_wire(Frame(Kind.BYE), self.limits))
                self._room.notify_all()

    def flush(self) -> tuple[bool, bool]:
        """Send on what waits. In the I/O thread.

        Returns whether nothing does any more, and whether there is room again where there was none.
        """
        with self._lock:
            total = 0
            while self._outbox.size and total < _FAIR:
                try:
                    count = self._transport.send(self._outbox.first())
                except BlockingIOError:
                    break
                self._outbox.sent(count)
                total += count
            self.sent += total
            self._watch_for_room()
            has_room = self._outbox.size < self._most
            has_drained = has_room and self._was_full  # noted when it was filled: by now others may have filled it
            if has_room:
                self._room.notify_all()
                self._was_full = False
            return not self._outbox.size, has_drained

    def stop(self, reason: LinkError | None, words: Sequence[Buffer] | None) -> bool:
        """Nothing is sent any more, but for the last words; whether these, and the end of the stream, could be sent.

        In the I/O thread. words: None for an end without any; they can't be said amid another frame.
        """
        with self._lock:
            self.is_open = False
            self._reason = reason
            can_speak = words is not None and not self._outbox.size
            self._outbox.clear()
            self._room.notify_all()
            if not can_speak:
                return False
            try:
                if words:
                    self._transport.send(words)
            except OSError:
                return False
            self._transport.finish()
            self._watch_for_room()
            return True

    # What follows holds the lock.

    def _wait_for_room(self, until: float) -> None:
        while self._outbox.size >= self._most:
            if self._io.is_here or monotonic() >= until:
                raise TimeoutError(f"{self._where} takes nothing: {self._outbox.size} bytes wait to be sent")
            self._room.wait(patience(until))
            if not self.is_open:
                raise self._closed()

    def _send_piece(self, piece: bytes) -> None:
        """As `_send`, for what most frames are."""
        if self._outbox.size:
            self._outbox.add((piece,))
            self._watch_for_room()
            return
        try:
            count = self._transport.send_piece(piece)
        except BlockingIOError:
            count = 0
        except OSError as error:
            raise self._broken(error) from error
        self.sent += count
        if count < len(piece):
            self._outbox.add((memoryview(piece)[count:],))
            self._watch_for_room()

    def _send(self, buffers: Sequence[Buffer]) -> None:
        """What the kernel takes now; the rest into the outbox."""
        was_empty = not self._outbox.size
        self._outbox.add(buffers)
        if not was_empty:
            self._watch_for_room()
            return
        try:
            count = self._transport.send(buffers)
        except BlockingIOError:
            count = 0
        except OSError as error:
            self._outbox.clear()
            raise self._broken(error) from error
        self.sent += count
        self._outbox.sent(count)
        self._watch_for_room()

    def _post(self, buffers: Sequence[Buffer]) -> None:
        if self._outbox.size >= self._most + self.limits.frame + _POSTED:
            raise PeerLost(f"{self._where} takes nothing: {self._outbox.size} bytes wait to be sent")
        self._send(buffers)

    def _watch_for_room(self) -> None:
        """As long as something waits."""
        self._was_full = self._was_full or self._outbox.size >= self._most
        wants = self._outbox.size > 0
        if wants is not self._is_writing:
            self._is_writing = wants
            self._io.change(self._watched, READ | WRITE if wants else READ)

    def _broken(self, error: OSError) -> PeerLost:
        """The I/O thread is told, too, and will say more."""
        return PeerLost(f"{self._where}: {error.strerror or error}")

    def _closed(self) -> LinkError:
        if self._reason is not None:
            return type(self._reason)(*self._reason.args)
        return LinkError(f"{self._where}: {'this end has left' if self.has_left else 'not open'}")
