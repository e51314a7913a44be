"""The end at which batches come out of a pipe between two OS processes: what came waits in a pipe of this one.

Knows nothing of units. Here it is decided what is dropped, and here room is granted.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from threading import Thread
from typing import Any, Final, Self, final

from streampy.flow.batcher import Handed
from streampy.model.headers import have_deadlines
from streampy.model.item import Batch, Header
from streampy.model.pipe import Order, Pipe
from streampy.pipes.base import Cancelled, rung
from streampy.pipes.channel import Channel, PeerDied
from streampy.pipes.codec import Codec, Inline
from streampy.pipes.doorbell import Doorbell
from streampy.pipes.frames import Kind, Message, headers_of
from streampy.pipes.guard import Guard
from streampy.pipes.local import LocalPipe
from streampy.pipes.news import News, hear_nothing, pack_answer
from streampy.pipes.thrown import pack_error, unpack_error

_READS: Final = 64
"""Messages that are read at a stretch: then what came is handed over, and who else wants the lock has a turn."""
_MANY: Final = 64
"""Items that are handed over together although more may come: waiting for those would not make them cheaper."""
_SHARE: Final = 4
"""Of its room the receiver keeps less than one part in so many to itself, while it has something to do."""


@final
class SharedReceiver:
    """Where batches come out. Any thread, and the tasks of one event loop, may get.

    Who gets also reads the channel. Where senders ask what is dropped, or give items a priority, a thread of its own
    (the doorman) does, for they must not wait until a unit is done: `open` starts it, and so does `attend`.

    codec: how values travel, the same as the sender's. hear: is given each piece of news that the sender tells, in a
    thread that reads.
    """

    def __init__(
        self,
        channel: Channel,
        settings: Pipe,
        codec: Codec | None = None,
        hear: Callable[[Any], None] = hear_nothing,
    ) -> None:
        self.lock = Guard()
        self.bell = Doorbell(self.lock, channel)
        self.pipe = LocalPipe(settings, arrived=self.bell)
        """Where it waits; its `batcher` has the counts."""
        self.settings = settings
        self.channel = channel
        self._codec = codec or Inline()
        self._news = News(hear)
        self._over: deque[Batch[Any]] = deque()
        """What the pipe had no room for, although the sender thought so: it weighs more here than there."""
        self._read = self._given_back = 0
        """Items, since the beginning."""
        self._has_ended = self._is_retired = self._is_closing = False
        self._is_plain = settings.is_plain
        self._room_worth_telling = max(1, settings.capacity // _SHARE) if settings.bytes == inf else 1
        """Items: a message for each would cost as much as the item, and wake a sender for a single one."""
        self._many = settings.batch if settings.batch > 1 else _MANY
        self.trouble: BaseException | None = None
        self._doorman: Thread | None = None

    def __repr__(self) -> str:
        return f"<SharedReceiver {self.pipe!r}>"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Before the first `get`: starts the doorman where there must be one."""
        if self.settings.can_drop or self.settings.order is Order.PRIORITY:
            self.attend()

    def attend(self) -> None:
        """Have a thread read what comes, so that news are heard, and a death is seen, while nobody gets."""
        if self._doorman is None:
            self._doorman = Thread(target=self._watch, name="streampy-doorman", daemon=True)
            self._doorman.start()

    def get(self, until: float = inf) -> Handed | None:
        """See `Receiver.get`. Where the sender died or failed, all that it sent comes first, then its error.

        Raises PeerDied, and what the sender failed with.
        """
        while True:
            with self.lock:
                handed, due = self._step(until)
                if handed is None and due is not None and not self._news:
                    with suppress(TimeoutError):
                        self.bell.wait(due)
            self._news.pass_on()
            if handed is not None or due is None:
                return handed

    async def get_async(self, until: float = inf) -> Handed | None:
        """As `get`, for a task of an event loop; its clock must be `time.monotonic`."""
        loop = asyncio.get_running_loop()
        while True:
            with self.lock:
                handed, due = self._step(until)
                waits = handed is None and due is not None and not self._news
                arrival = self.bell.ringing(loop) if waits else None
            self._news.pass_on()
            if handed is not None or due is None:
                return handed
            if arrival is not None:
                with suppress(TimeoutError):
                    await rung(arrival, due)

    def tell(self, news: Any) -> None:
        """Tell the sender something that can be pickled; it hears it when it puts. Nothing where it is gone."""
        self._say(Message(Kind.NEWS, parts=(pickle.dumps(news),)))

    def fail(self, error: BaseException) -> None:
        """Nobody gets any more, because of this error: the sender raises it. Nothing where it is gone."""
        self._say(Message(Kind.ERROR, parts=(pack_error(error),)))

    def retire(self) -> list[Header]:
        """See `LocalPipe.retire`: returns the headers of all that came. The sender tells those of what did not."""
        with self.lock:
            with suppress(PeerDied):
                for message in self.channel.messages():
                    self._hear(message)
            over = [header for batch in self._over for header in batch.headers]
            self._over.clear()
            self._is_retired = True
            self._post(Message(Kind.BYE, self._read))
        self._news.pass_on()
        return self.pipe.retire() + over

    def nudge(self) -> None:
        """The codec has released something. For any thread at any moment, even amid a collection: takes no lock."""
        self.channel.wake()

    def cancel(self) -> None:
        """The process is being stopped: whoever waits, or comes, gets Cancelled. The other end is not told."""
        self.pipe.cancel()

    def close(self) -> None:
        """Nothing is read any more, and nobody may wait here. Without `retire` the sender takes it for a death."""
        if self._doorman is not None:
            with self.lock:
                self._is_closing = True
                self.bell.ring()
                self.channel.wake()
            self._doorman.join()
            self._doorman = None
        self.channel.close()

    def _say(self, message: Message) -> None:
        with self.lock:
            self._post(message)
            while self.channel.has_outbox and not self.pipe._is_cancelled:
                self.bell.wait(inf)
                self._flush()

    @property
    def read(self) -> int:
        """Items that came out of the channel, since the beginning."""
        return self._read

    @property
    def waiting(self) -> int:
        """Items that came and were not handed over. The lock is held."""
        return len(self.pipe.batcher) + sum(map(len, self._over))

    def look(self, at_most: float = 0, *, alone: bool = False) -> Batch[Any] | None:
        """Take what has come, and send what could not be sent. The lock is held.

        A batch of up to `at_most` items that comes while nothing waits is handed over without a detour, where the
        settings ask for no more than a capacity and batches. alone: also one item, for who waited for it in vain: to
        others more may come with it. All else is in the pipe then.
        """
        self._flush()
        if self._doorman is None and len(self.pipe.batcher) < self.settings.batch:
            return self._listen(at_most, alone=alone)
        return None

    def _let_by(self, message: Message, at_most: float, *, alone: bool) -> Batch[Any] | None:
        """What came, where it need not wait in the pipe."""
        count = message.number
        is_whole = self._many <= count <= at_most or (alone and count == self.settings.batch == 1)
        if message.kind != Kind.BATCH or not is_whole or not self._is_open:
            self._hear(message)
            return None
        if not alone:
            self._give_back(self._room_worth_telling)  # of what was taken before: that went on first
        self._read += count
        headers, values = self._decoded(message)
        batch = Batch(values, headers)
        if have_deadlines(headers):
            self._let_wait(batch, message)
            return None
        self._count_whole(count)
        return batch

    @property
    def _is_open(self) -> bool:
        """Whether nothing waits here, and what comes is wanted."""
        pipe = self.pipe
        return not (len(pipe.batcher) or self._over or self._has_ended or self._is_retired or pipe._is_cancelled)

    def _count_whole(self, count: int) -> None:
        """As if they had been in the pipe."""
        batcher = self.pipe.batcher
        batcher.received += count
        batcher.delivered += count
        batcher.high_water = max(batcher.high_water, count)
        batcher.waits.repeat(0.0, count)
        batcher.batches.record(count)

    def tell_room(self) -> None:
        """Something was taken from the pipe: the sender may have to know. The lock is held."""
        self._let_in()
        self._give_back(self._room_worth_telling)

    def _step(self, until: float) -> tuple[Handed | None, float | None]:
        """What there is, or until when to wait, or (None, None) at the end. The lock is held."""
        self.look()
        now = self.pipe._now()
        due = self.pipe.due()
        if due <= now:
            handed = self.pipe.take(now, self.settings.batch)
            self.tell_room()
            return handed, due
        self._let_in()
        self._give_back(1)
        if self._news:
            return None, now  # they came before the end did
        if self.pipe.has_ended and not len(self.pipe.batcher):
            if self.trouble is not None:
                raise self.trouble
            return None, None
        if now >= until:
            raise TimeoutError
        return None, min(due, until)

    def _watch(self) -> None:
        """What the doorman does; what it fails at is raised by who gets."""
        try:
            while self._attend_once():
                self._news.pass_on()
        except BaseException as error:
            with self.lock:
                self._end(error)

    def _attend_once(self) -> bool:
        """Until there are news; returns whether it is to go on."""
        with self.lock:
            while not self._news:
                if self._is_closing or self._has_ended:
                    return False
                self._listen()
                self._flush()
                self._give_back(self._room_worth_telling)
                if not self._news and not self._has_ended:
                    self.bell.wait(inf)
        return True

    def _listen(self, at_most: float = 0, *, alone: bool = False) -> Batch[Any] | None:
        """Take what the sender has sent: no more than a batch where one was asked for, or it were to be cut up here.

        See `look`.
        """
        most, is_enough = self.settings.batch, self._doorman is None and self.settings.batch > 1
        try:
            for number in range(_READS):
                if is_enough and len(self.pipe.batcher) >= most:
                    return None
                message = self.channel.take()
                if message is None:
                    return None
                if number or not at_most or not self._is_plain:
                    self._hear(message)
                elif (whole := self._let_by(message, at_most, alone=alone)) is not None:
                    return whole
        except PeerDied as error:
            self._end(error)
        return None

    def _hear(self, message: Message) -> None:
        match message.kind:
            case Kind.BATCH:
                self._read += message.number
                self._came(message)
            case Kind.END:
                self._end(None)
            case Kind.NEWS:
                self._news.add(message.parts[0])
            case Kind.ERROR:
                self._end(unpack_error(message.parts[0]))
            case _:
                raise AssertionError(f"a sender does not send {Kind(message.kind).name}")

    def _came(self, message: Message) -> None:
        headers, values = self._decoded(message)
        if self._is_retired:
            return  # only now, for the codec may have to release what it is not to give any more
        self._let_wait(Batch(values, headers), message)

    def _decoded(self, message: Message) -> tuple[Sequence[Header], Any]:
        data, *buffers = message.parts
        columns, values = self._codec.decode(data, buffers)
        return headers_of(columns), values

    def _let_wait(self, batch: Batch[Any], message: Message) -> None:
        """The items of a message go into the pipe."""
        dropped: list[Header] = []
        refusal: BaseException | None = None
        try:
            taken = 0 if self._over else self.pipe.offer(batch, 0, dropped)
            if taken < len(batch):
                self._over.append(Batch(batch[taken:], batch.headers[taken:]))
        except (Exception, Cancelled) as error:  # Overloaded, or a priority that is no number
            refusal = error
        if message.flag or dropped or refusal:
            answer = Message(Kind.ANSWER, self._owed, message.flag, (pack_answer(dropped, refusal),))
            self._given_back += self._owed
            self._post(answer)

    def _let_in(self) -> None:
        """There is room: what the pipe had none for goes first."""
        while self._over:
            batch = self._over[0]
            taken = self.pipe.offer(batch, 0, [])
            if taken < len(batch):
                self._over[0] = Batch(batch[taken:], batch.headers[taken:])
                return
            self._over.popleft()
        if self._has_ended:
            self._shut()

    def _end(self, trouble: BaseException | None) -> None:
        """Nothing more comes; at the end of a channel whose sender has ended that is no trouble."""
        if self._has_ended:
            return
        self._has_ended = True
        self.trouble = trouble
        self.bell.mute()
        if not self._over:
            self._shut()

    def _shut(self) -> None:
        self.pipe._senders = 0  # as `LocalPipe.end` does, which takes the lock
        self.bell.ring()

    @property
    def _owed(self) -> int:
        """Items that were read and no longer wait, which the sender does not know yet."""
        return self._read - len(self.pipe.batcher) - sum(map(len, self._over)) - self._given_back

    def _give_back(self, at_least: int) -> None:
        owed = self._owed
        if owed >= at_least and not self.channel.has_outbox:
            self._given_back += owed
            self._post(Message(Kind.GIVE_BACK, owed))

    def _post(self, message: Message) -> None:
        try:
            self.channel.post(message)
        except PeerDied:  # what it sent comes first; its death is told behind that
            return
        if self.channel.has_outbox:
            self.channel.wake()

    def _flush(self) -> None:
        """Send what could not be sent, and what the codec released meanwhile."""
        if self.channel.has_outbox:
            with suppress(PeerDied):
                self.channel.flush()
        if not self.channel.has_outbox and (released := self._codec.released()):
            owed = self._owed
            self._given_back += owed
            self._post(Message(Kind.RELEASE, owed, parts=(released,)))
