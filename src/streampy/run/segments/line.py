"""A connection as a line: what is said goes out as frames, what comes is heard by a thread of its own.

Knows nothing of what is done with what is heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Final, final

from streampy.pipes.base import Cancelled
from streampy.pipes.net.errors import LinkError, ProtocolError
from streampy.pipes.net.frames import Frame
from streampy.run.segments.wire import Hello, Line, Peer, Word

if TYPE_CHECKING:
    from streampy.pipes.net.connection import Connection
    from streampy.run.backend import Backend
    from streampy.run.segments.packing import Packing

_WORDS: Final = frozenset(map(int, Word))


@final
class NetLine:
    """See `Line`. The I/O thread gives it frames; `live` is what its own thread does."""

    def __init__(self, connection: Connection, packing: Packing, hello: Hello, backend: Backend) -> None:
        self._connection = connection
        self._packing = packing
        self._hello = hello
        self._lock = backend.lock()
        self._arrived = backend.bell(self._lock)
        self._frames: deque[Frame] = deque()
        self._is_down = False
        self.is_left = False
        """Whether it ended because both ends took their leave."""
        self._peer: Peer | None = None

    def __repr__(self) -> str:
        return f"<NetLine {self._connection!r}>"

    @property
    def peer(self) -> Peer:
        """See `Line.peer`; from the first word of the other end on."""
        assert self._peer is not None, "nobody is told of it before"  # noqa: S101 - narrows the type
        return self._peer

    @property
    def is_met(self) -> bool:
        """Whether it is known who is there."""
        return self._peer is not None

    @property
    def asked(self) -> Line:
        """See `Line.asked`."""
        return self

    @property
    def is_full(self) -> bool:
        """See `Line.is_full`."""
        return self._connection.is_full

    def say(self, word: Word, what: Any = None) -> None:
        """See `Line.say`."""
        packed = self._packing.pack(word, what)
        with suppress(LinkError):  # its end is told by the I/O thread
            self._connection.post(Frame(packed.word, parts=packed.parts))

    def close(self) -> None:
        """See `Line.close`."""
        self._connection.leave()

    def abort(self, error: LinkError) -> None:
        """End it at once."""
        self._connection.abort(error)

    def came(self, frame: Frame) -> None:
        """A frame is there. In the I/O thread."""
        if frame.kind not in _WORDS:
            raise ProtocolError("a message", f"a frame of kind {frame.kind}", "one of those that segments use")
        with self._lock:
            self._frames.append(frame)
            self._arrived.ring()

    def down(self, *, is_left: bool) -> None:
        """Nothing more comes. In the I/O thread."""
        with self._lock:
            self.is_left = is_left
            self._is_down = True
            self._arrived.ring()

    def live(
        self,
        met: Callable[[NetLine], object],
        hear: Callable[[NetLine, Word, Any], object],
        went: Callable[[NetLine], object],
    ) -> None:
        """From its first word to its end: what its thread does.

        met: called once it is known who is there. hear: with each word; it may wait, and raise Cancelled. went: at the
        end, if it was met.
        """
        self.say(Word.HELLO, self._hello)
        try:
            while (frame := self._next()) is not None:
                self._heard(frame, met, hear)
        except Cancelled:
            pass
        except LinkError as error:
            self.abort(error)
        if self._peer is not None:
            went(self)

    def _next(self) -> Frame | None:
        with self._lock:
            while not self._frames and not self._is_down:
                self._arrived.wait(inf)
            return self._frames.popleft() if self._frames else None

    def _heard(
        self, frame: Frame, met: Callable[[NetLine], object], hear: Callable[[NetLine, Word, Any], object]
    ) -> None:
        word = Word(frame.kind)
        what = self._packing.unpack(word, frame.parts)
        if word is not Word.HELLO:
            hear(self, word, what)
        elif self._peer is None:
            clock = self._connection.clock.seconds
            self._peer = Peer(self._connection.peer.segment, what.instance, what.serves, clock)
            met(self)
