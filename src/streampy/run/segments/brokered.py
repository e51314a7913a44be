"""One other segment, reached by way of a broker: what is asked goes into its queue, what is answered comes back.

Knows nothing of any one broker. All replicas of a segment take from its queue, so for whoever asks there is one line,
on which everything is asked; each OS process that is there has another one, on which it answers, and says what else it
has to say. A letter out of the queue is done when all items in it were answered, and the answers are stored.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import RunError
from streampy.model.segments import UNANSWERED, Ack, LinkSpec
from streampy.pipes.base import Cancelled
from streampy.pipes.net.broker import Broker, Mailbox, Receipt
from streampy.pipes.net.errors import LinkError, ProtocolError
from streampy.run.segments.brokered_lines import BrokerLine, QueueLine
from streampy.run.segments.desk import Desk
from streampy.run.segments.ends import Ends
from streampy.run.segments.letters import Letter, Writing
from streampy.run.segments.wire import Parcels, Peer, Word

if TYPE_CHECKING:
    from streampy.model.item import Header
    from streampy.model.plan import Plan
    from streampy.run.backend import Backend
    from streampy.run.segments.neighbours import Neighbours
    from streampy.run.segments.packing import Packing

_log: Final = logging.getLogger("streampy.run")
_CALL: Final = 0.5
"""Seconds after which an OS process tells others again that it is there."""
_LOST_AFTER: Final = 2.5
"""Seconds without a word, after which one is not there any more."""
_LAST: Final = 10.0
"""Seconds in which what was said last must be stored."""
_KNOWN: Final = 1 << 14
"""Letters out of the queue that were done, and are known should they come again."""
_SPAN: Final = 1 << 20
"""Numbers of items of one letter that nobody asks after."""
MakeBroker = Callable[["BrokerNetwork", Mailbox], Broker]


class _Open:
    """A letter out of the queue of which not all was answered."""

    def __init__(self, receipt: Receipt, numbers: Sequence[int]) -> None:
        self.receipt = receipt
        self.numbers = set(numbers)


@final
class BrokerNetwork:
    """See `Network`, and `Reader`."""

    def __init__(
        self,
        plan: Plan,
        segment: str,
        wire: LinkSpec,
        backend: Backend,
        *,
        packing: Packing,
        serves: bool,
        make: MakeBroker,
    ) -> None:
        """Make: connects to the broker."""
        (self._other,) = wire.ends - {segment}
        self._plan, self._segment, self._wire = plan, segment, wire
        self._backend = backend
        self._packing = packing
        self._serves = serves
        self._make = make
        self.keeps = wire.ack is Ack.PROCESSED
        self.queue = QueueLine(self, self._other)
        self._lock = backend.lock()
        self._bell = backend.bell(self._lock)
        self._serials = count(1)
        self._lines: dict[str, BrokerLine] = {}
        self._here: dict[str, float] = {}
        """Those that are there, and when they were heard last."""
        self._open: dict[str, dict[int, _Open]] = {}
        """By who asked and the letter."""
        self._of: dict[str, dict[int, int]] = {}
        """By who asked and the item, the letter."""
        self._done: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._ends: list[Letter] = []
        """Somebody sends nothing more, but what he sent is not all here."""
        self._is_away = self._is_closed = False
        self._opening: Broker | None = None
        self._broker: Broker | None = None
        """Once it is open."""
        self._post, self._queued = Desk(backend), Desk(backend)

    def __repr__(self) -> str:
        return f"<BrokerNetwork of {self._segment}: {len(self._here)} there>"

    @property
    def broker(self) -> Broker:
        """The connection to it."""
        assert self._broker is not None, "nothing is said before `start`"  # noqa: S101 - narrows the type
        return self._broker

    def pack(self, value: Any, link: str, header: Header) -> Any:
        """See `Network.pack`."""
        return self._packing.pack_value(value, link, header)

    def tell_all(self, word: Word, what: Any) -> None:
        """See `Network.tell_all`."""
        with self._lock:
            lines = [self._lines[who] for who in list(self._here) if who in self._lines]
        for line in lines:
            line.say(word, what)

    @property
    def is_here(self) -> bool:
        """See `Network.is_here`: each has a thread of its own."""
        return False

    def write(self, word: Word, what: Any) -> bytes:
        """A letter. Raises RunError where it is too large for any connection."""
        try:
            return self._writing.write(next(self._serials), word, what)
        except ValueError as error:
            raise RunError(f"{self._segment} -> {self._other}: {error}") from error

    def start(self, neighbours: Neighbours, patience: float) -> None:
        """See `Network.start`: back when the broker is there; the other segment need not be."""
        self._neighbours = neighbours
        me = neighbours.instance
        self._writing = Writing(self._segment, me, self._other, serves=self._serves, packing=self._packing)
        box = Mailbox(self._plan.name, self._segment, self._other, me, self._window)
        broker = self._opening = self._make(self, box)
        try:
            broker.open(self._backend.now() + patience)
        except (LinkError, OSError, ValueError) as error:
            if self._is_closed:
                raise Cancelled(f"links.{self._wire}.via: {error}") from None
            raise RunError(f"segment {self._segment!r}, links.{self._wire}.via: {error}") from None
        self._broker = broker
        neighbours.opened(self.queue)
        neighbours.launch(self._post.work, f"letters of {self._other}")
        neighbours.launch(self._queued.work, f"queue of {self._other}")
        neighbours.launch(self._keep_calling, f"calls to {self._other}")

    @property
    def _window(self) -> int:
        """Letters of the queue that are here at once; all that the sender asks where they may wait for each other."""
        for link in self._plan.crossings:
            sender = self._plan.segment_of(link.sender)
            leads_here = sender == self._other and self._plan.segment_of(link.receiver) == self._segment
            if leads_here and Ends(self._plan, sender, {}, self._backend).gathers(link):
                return UNANSWERED
        return self._wire.window

    def _keep_calling(self) -> None:
        """What its thread does: tells that it is there, and looks who is not."""
        with self._lock:
            while not self._is_closed:
                self.broker.call(self.write(Word.HELLO, (self._neighbours.instance, self._serves)))
                self._post.put(self._look)
                try:
                    self._bell.wait(self._backend.now() + _CALL)
                except TimeoutError:
                    continue

    def on_queued(self, letter: bytes, receipt: Receipt) -> None:
        """See `Reader`."""
        self._queued.put(lambda: self._hear_queued(letter, receipt))

    def on_told(self, letter: bytes, receipt: Receipt) -> None:
        """See `Reader`."""
        self._post.put(lambda: self._hear_told(letter, receipt))

    def on_called(self, letter: bytes) -> None:
        """See `Reader`."""
        self._post.put(lambda: self._hear_called(letter))

    def on_away(self) -> None:
        """See `Reader`."""
        self._is_away = True
        _log.warning("segment %s: the broker of %s can't be reached; tried again", self._segment, self._wire)

    def on_back(self, *, forgot: bool) -> None:
        """See `Reader`."""
        _log.warning("segment %s: the broker of %s is there again", self._segment, self._wire)
        self._post.put(lambda: self._back(forgot=forgot))

    def on_drained(self) -> None:
        """See `Reader`."""
        self._post.put(lambda: self._neighbours.drained(self.queue))

    def on_trouble(self, text: str) -> None:
        """See `Reader`."""
        _log.warning("segment %s: %s", self._segment, text)

    def _back(self, *, forgot: bool) -> None:
        """Nobody could be heard meanwhile: so nobody is lost yet."""
        now = self._backend.now()
        self._here = dict.fromkeys(self._here, now)
        self._is_away = False
        if forgot:
            self._neighbours.opened(self.queue)

    def _read(self, letter: bytes, receipt: Receipt | None = None) -> Letter | None:
        """None where it is none: nobody could read it, so nobody is to get it again."""
        try:
            return self._writing.read(letter)
        except ProtocolError as error:
            _log.error("segment %s: a letter of %s is thrown away: %s", self._segment, self._other, error)
            if receipt is not None:
                receipt.done()
            return None

    def _hear_queued(self, letter: bytes, receipt: Receipt) -> None:
        read = self._read(letter, receipt)
        if read is None:
            return
        who, word, what = read.peer.instance, read.word, read.what
        if (who, read.serial) in self._done or word not in {Word.ITEMS, Word.NEWS}:
            receipt.done()
            return
        if word is Word.ITEMS and not what.numbers:
            first = read.serial * _SPAN
            what = Parcels(what.link, range(first, first + len(what.headers)), what.headers, what.values, ())
        numbers = what.numbers if word is Word.ITEMS else [what.number] if what.number else []
        line = self._line(read.peer)
        with self._lock:
            letters = self._open.setdefault(who, {})
            if read.serial in letters:  # it came again, and is worked on
                letters[read.serial].receipt.drop()
                letters[read.serial].receipt = receipt
                return
            asked_before = self._settle(who, numbers)
            letters[read.serial] = _Open(receipt, numbers)
            self._of.setdefault(who, {}).update(dict.fromkeys(numbers, read.serial))
        for one in asked_before:
            one.done()
        self._hear(line, word, what)
        if not numbers:
            self.stored(line, (), read.serial)

    def stored(self, line: BrokerLine, numbers: Sequence[int], serial: int | None = None) -> None:
        """The answer to these is stored, so nobody need be asked again. Any thread."""
        who = line.peer.instance
        with self._lock:
            over = self._settle(who, numbers, () if serial is None else (serial,))
        for receipt in over:
            receipt.done()
        if over and self._ends:
            self._post.put(self._hear_ends)
        if numbers:
            self._post.put(lambda: self._hear(line, Word.HEARD, list(numbers)))

    def _settle(self, who: str, numbers: Sequence[int], serials: Sequence[int] = ()) -> list[Receipt]:
        """Nobody need be asked for these; returns the receipts of letters of which that is all. The lock is held."""
        over = []
        known = self._of.get(who, {})
        for one in {known.pop(number) for number in numbers if number in known}.union(serials):
            opened = self._open[who][one]
            opened.numbers.difference_update(numbers)
            if not opened.numbers:
                over.append(opened.receipt)
                del self._open[who][one]
                self._done[who, one] = None
        while len(self._done) > _KNOWN:
            self._done.popitem(last=False)
        return over

    def _hear_told(self, letter: bytes, receipt: Receipt) -> None:
        receipt.done()  # nobody else could do anything with it
        read = self._read(letter)
        if read is None:
            return
        line = self._met(read.peer)
        if read.word is Word.END:
            self._ends.append(read)
            self._hear_ends()
        elif read.word is not Word.HELLO:
            self._hear(line, read.word, read.what)

    def _hear_ends(self) -> None:
        """Nothing more comes over a link: that is so once all that was sent before is here."""
        with self._lock:
            count = sum(map(len, self._open.values()))
        if not self._ends or len(self._queued) or not self.broker.has_all(count):
            return
        ends, self._ends = self._ends, []
        for read in ends:
            self._hear(self._line(read.peer), read.word, read.what)

    def _hear_called(self, letter: bytes) -> None:
        read = self._read(letter)
        if read is None:
            return
        if read.word is Word.HELLO:
            self._met(read.peer)
        elif read.peer.instance in self._here:  # it takes its leave
            self._lose(read.peer.instance, for_good=True)

    def _met(self, peer: Peer) -> BrokerLine:
        """Somebody is there."""
        is_new = peer.instance not in self._here
        self._here[peer.instance] = self._backend.now()
        line = self._line(peer)
        if is_new:
            self._neighbours.came(line)
        return line

    def _line(self, peer: Peer) -> BrokerLine:
        with self._lock:
            line = self._lines.get(peer.instance)
            is_new = line is None
            if line is None:
                line = self._lines[peer.instance] = BrokerLine(self, peer)
        if is_new:
            self._neighbours.host.meet(line)
        return line

    def _look(self) -> None:
        """Who was not heard for long is not there; while the broker is away nobody can be heard."""
        if self._is_away:
            return
        late = self._backend.now() - _LOST_AFTER
        for who in [who for who, heard in self._here.items() if heard < late]:
            _log.warning("segment %s: nothing was heard of %s for %g s", self._segment, who, _LOST_AFTER)
            self._lose(who, for_good=False)
        self._hear_ends()

    def _lose(self, who: str, *, for_good: bool) -> None:
        del self._here[who]
        line = self._lines[who]
        self._neighbours.went(line, for_good=for_good)
        with self._lock:
            is_idle = not self._open.get(who)
            if is_idle:  # nothing of it is worked on here
                self._lines.pop(who)
                self._open.pop(who, None)
                self._of.pop(who, None)
        if is_idle:
            self._neighbours.host.went(line, for_good=True)

    def _hear(self, line: BrokerLine, word: Word, what: Any) -> None:
        try:
            self._neighbours.hear(line, word, what)
        except ProtocolError as error:
            _log.error("segment %s: a letter of %s is thrown away: %s", self._segment, line.peer.instance, error)
            if word in {Word.ITEMS, Word.NEWS}:
                numbers = what.numbers if word is Word.ITEMS else [what.number]
                self.stored(line, list(numbers))

    def finish(self) -> None:
        """See `Network.finish`."""
        if self._broker is not None:
            self._broker.retire()
        elif self._opening is not None:
            self._opening.give_up()

    def cancel(self) -> None:
        """See `Network.cancel`."""
        with self._lock:
            self._is_closed = True
            self._bell.ring()
        if self._opening is not None:
            self._opening.give_up()
        self._post.close()
        self._queued.close()

    def close(self) -> None:
        """See `Network.close`."""
        self.cancel()
        if self._broker is None:
            return
        self.broker.call(self.write(Word.GOING, None))
        self.broker.close(self._backend.now() + _LAST)
        if self.broker.waiting:
            _log.error(
                "segment %s: %d letters to %s are lost: the broker did not store them within %g s",
                self._segment,
                self.broker.waiting,
                self._other,
                _LAST,
            )
