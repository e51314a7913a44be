"""A connection as a line: what is said goes out as frames, what comes is heard.

By a thread of its own, or, where that needs no wait, by the I/O thread: waking another one takes about as long. Knows
nothing of what is done with what is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Final, final

from streampy.pipes.base import Cancelled
from streampy.pipes.net.errors import LinkError, ProtocolError
from streampy.pipes.net.frames import Frame
from streampy.run.segments.wire import Answer, Hello, Line, Peer, Word

if TYPE_CHECKING:
    from streampy.pipes.net.connection import Connection
    from streampy.run.backend import Backend
    from streampy.run.segments.packing import Packing

_WORDS: Final = frozenset(map(int, Word))
_QUICK: Final = frozenset({int(Word.ITEMS), int(Word.ANSWER), int(Word.HEARD)})
_MOST_BEGUN: Final = 1 << 20
"""Words about one family."""
_LIGHT: Final = 1 << 15
"""Bytes to be decoded, at most."""


@final
class NetLine:
    """See `Line`. The I/O thread gives it frames; `live` is what its own thread does."""

    def __init__(
        self,
        connection: Connection,
        packing: Packing,
        backend: Backend,
        may_hear: Callable[[], bool],
    ) -> None:
        """may_hear: whether what comes can be heard without a wait."""
        self._connection = connection
        self._packing = packing
        self._lock = backend.lock()
        self._arrived = backend.bell(self._lock)
        self._frames: list[Frame] = []
        self._saying = backend.lock()
        """What goes in several frames is said without anything between."""
        self._begun: list[Any] = []
        """What was told of a family of which more is told."""
        self._is_down = self._is_hearing = False
        self._hear: Callable[[NetLine, Word, Any], object] | None = None
        """What hears, once it is known who is there."""
        self._may_hear = may_hear
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
        with suppress(LinkError), self._saying:  # its end is told by the I/O thread
            for packed in self._packing.pack(word, what):
                self._connection.post(Frame(packed.word, parts=packed.parts))

    def greet(self, hello: Hello) -> None:
        """The first word: before all others are told of this line."""
        self.say(Word.HELLO, hello)

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

    def paused(self) -> None:
        """All that has come is there. In the I/O thread, which hears it where that needs no wait: it wakes nobody."""
        with self._lock:
            hear, frames = self._hear, self._frames
            if self._is_hearing or hear is None or not all(map(_is_light, frames)) or not self._may_hear():
                self._arrived.ring()
                return
            self._frames = []
            self._is_hearing = True
        try:
            for word, what in _joined(map(self._unpacked, frames)):
                hear(self, word, what)
        except Cancelled:
            pass
        finally:
            with self._lock:
                self._is_hearing = False
                if self._frames:
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
        try:
            while frames := self._next():
                for word, what in _joined(map(self._unpacked, frames)):
                    self._heard(word, what, met, hear)
        except Cancelled:
            pass
        except LinkError as error:
            self.abort(error)
        if self._peer is not None:
            went(self)

    def _next(self) -> list[Frame]:
        """All that came; none at the end."""
        with self._lock:
            self._is_hearing = False
            while not self._frames and not self._is_down:
                self._arrived.wait(inf)
            frames, self._frames = self._frames, []
            self._is_hearing = True
            return frames

    def _unpacked(self, frame: Frame) -> tuple[Word, Any]:
        word = Word(frame.kind)
        what = self._packing.unpack(word, frame.parts)
        return word, self._whole(what) if word is Word.ANSWER else what

    def _whole(self, answer: Answer) -> Answer:
        """Without what is only the beginning of an answer, which is kept until its end is there."""
        visits = []
        for numbers, told in answer.visits:
            self._begun.extend(told)
            if numbers:
                visits.append((numbers, self._begun))
                self._begun = []
            elif len(self._begun) > _MOST_BEGUN:
                raise ProtocolError("an answer", f"more than {_MOST_BEGUN} words", "its end")
        return Answer(visits)

    def _heard(
        self, word: Word, what: Any, met: Callable[[NetLine], object], hear: Callable[[NetLine, Word, Any], object]
    ) -> None:
        if word is not Word.HELLO:
            hear(self, word, what)
        elif self._peer is None:
            clock = self._connection.clock.seconds
            self._peer = Peer(self._connection.peer.segment, what.instance, what.serves, clock)
            met(self)
            self._hear = hear


def _is_light(frame: Frame) -> bool:
    """Whether the I/O thread may hear it: it must not be kept from other connections for long."""
    return frame.kind in _QUICK and sum(map(len, frame.parts[:1])) <= _LIGHT


def _joined(said: Iterable[tuple[Word, Any]]) -> Iterator[tuple[Word, Any]]:
    """What is said one behind the other, as if it had been said at once: to hear it together takes much less."""
    last: tuple[Word, Any] | None = None
    for word, what in said:
        both = None if last is None or last[0] is not word else _join(word, last[1], what)
        if last is not None and both is None:
            yield last
        last = word, what if both is None else both
    if last is not None:
        yield last


def _join(word: Word, one: Any, other: Any) -> Any:
    """The one, and the other one in it; None where they can't be heard together. All that was unpacked is lists."""
    match word:
        case Word.HEARD:
            one.extend(other)
        case Word.ANSWER:
            one.visits.extend(other.visits)
        case Word.ITEMS if (one.link, one.path, not one.numbers) == (other.link, other.path, not other.numbers):
            one.numbers.extend(other.numbers)
            one.headers.extend(other.headers)
            one.values.extend(other.values)
            one.heard.extend(other.heard)
        case _:
            return None
    return one
