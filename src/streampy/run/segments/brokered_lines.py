"""The two kinds of lines to a segment that is reached by way of a broker: one to its queue, one to each OS process.

Know nothing of any one broker, nor of what becomes of what they say.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, final

from streampy.run.segments.wire import Line, Peer, Word, home_of

if TYPE_CHECKING:
    from streampy.run.segments.brokered import BrokerNetwork


@final
class QueueLine:
    """The line on which all replicas are asked. See `Line`."""

    def __init__(self, network: BrokerNetwork, segment: str) -> None:
        self.peer = Peer(segment, "")
        self.asked: Line = self
        self._network = network

    def __repr__(self) -> str:
        return f"<QueueLine to {self.peer.segment}>"

    @property
    def is_full(self) -> bool:
        """See `Line.is_full`."""
        return self._network.broker.is_full

    def say(self, word: Word, what: Any = None) -> None:
        """See `Line.say`. What began over there and is not answered goes back to where it began."""
        if word in {Word.HEARD, Word.ASKS}:  # it is known, see `BrokerLine`
            return
        if word is Word.ITEMS:
            what = what._replace(heard=())  # the same; and who reads it may be another one
        letter = self._network.write(word, what)
        home = home_of(what.headers[0]) if word is Word.ITEMS and not what.numbers else ""
        if home:
            self._network.broker.tell(home, letter)
        else:
            self._network.broker.queue(letter)

    def close(self) -> None:
        """See `Line.close`."""


@final
class BrokerLine:
    """The line to one OS process. See `Line`."""

    def __init__(self, network: BrokerNetwork, peer: Peer) -> None:
        self.peer = peer
        self._network = network

    def __repr__(self) -> str:
        return f"<BrokerLine to {self.peer.instance}>"

    @property
    def asked(self) -> Line:
        """See `Line.asked`."""
        return self._network.queue

    @property
    def is_full(self) -> bool:
        """See `Line.is_full`."""
        return False

    def say(self, word: Word, what: Any = None) -> None:
        """See `Line.say`. That an answer is stored is as good as that it was heard."""
        if word is not Word.ANSWER:
            self._network.broker.tell(self.peer.instance, self._network.write(word, what))
            return
        answered = [number for numbers, _ in what.visits for number in numbers]
        if self._network.keeps:
            letter = self._network.write(word, what)
            self._network.broker.tell(self.peer.instance, letter, partial(self._network.stored, self, answered))
        else:
            self._network.stored(self, answered)

    def close(self) -> None:
        """See `Line.close`."""
