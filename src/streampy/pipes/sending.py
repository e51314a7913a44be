"""The end at which batches go into a pipe between two OS processes.

Knows nothing of what becomes of them over there: the receiver has granted room, and decides what is dropped.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, islice
from math import inf
from typing import Any, Self, final

from streampy.flow.batcher import pop_left
from streampy.model.item import Batch, Header
from streampy.model.pipe import Order, Overflow, Pipe
from streampy.pipes.base import Cancelled, rung
from streampy.pipes.channel import Channel, PeerDied
from streampy.pipes.codec import Codec, Inline
from streampy.pipes.doorbell import Doorbell
from streampy.pipes.frames import Buffer, Kind, Message, columns_of
from streampy.pipes.guard import Guard
from streampy.pipes.local import weigh
from streampy.pipes.news import News, hear_nothing, unpack_answer
from streampy.pipes.thrown import pack_error, unpack_error


class _Going:
    """How far one `put` has come."""

    __slots__ = ("batch", "dropped", "error", "is_asking", "start")

    def __init__(self, batch: Batch[Any]) -> None:
        self.batch = batch
        self.start = 0
        """The first item that is not sent yet."""
        self.dropped: list[Header] = []
        self.is_asking = False
        self.error: BaseException | None = None

    @property
    def rest(self) -> int:
        """How many items are still to be sent."""
        return len(self.batch) - self.start


@final
class SharedSender:
    """Where batches go in. Any thread, and the tasks of one event loop, may put; what one puts keeps its order.

    What fits into the room that the receiver granted is sent, and nobody waits for an answer. What does not fit waits
    for room where the pipe blocks; else the receiver is asked, and answers what it dropped.

    codec: how values travel, the same as the receiver's. hear: is given each piece of news that the receiver tells, in
    a thread that puts.
    """

    def __init__(
        self,
        channel: Channel,
        settings: Pipe,
        codec: Codec | None = None,
        hear: Callable[[Any], None] = hear_nothing,
    ) -> None:
        self.lock = Guard()
        self.room = Doorbell(self.lock, channel)
        self.settings = settings
        self._channel = channel
        self._codec = codec or Inline()
        self._news = News(hear)
        self._capacity = 1 if settings.overflow is Overflow.LATEST else settings.capacity
        self._weigh = weigh if settings.bytes < inf else None
        self._is_plain = settings.is_plain
        self._out: deque[Sequence[Header]] = deque()
        """Of the items that may still wait over there, in the order in which they were sent, message by message."""
        self._there = 0
        """How many these are."""
        self._weights: deque[int] = deque()
        """Of these items, where somebody asks for bytes. By priority others may be gone: then it is about right only,
        and the receiver keeps what is too much outside of its pipe.
        """
        self._weight = 0
        self._sent = 0
        self._asking: _Going | None = None
        self._untold: list[Header] = []
        """Of items that were dropped, and that no `put` has told yet."""
        self._is_cancelled = self._is_retired = False
        self._trouble: BaseException | None = None

    def __repr__(self) -> str:
        state = "cancelled" if self._is_cancelled else "failed" if self._trouble else "open"
        return f"<SharedSender {'retired' if self._is_retired else state}, {self._there} of {self._capacity} there>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_full(self) -> bool:
        """Whether the next item would have to wait, or push another one out."""
        with self.lock:
            self._listen()
            return self._there >= self._capacity or self._weight >= self.settings.bytes

    @property
    def sent(self) -> int:
        """Items, since the beginning."""
        return self._sent

    def fileno(self) -> int:
        """Of the channel: readable when there is something for `look`."""
        return self._channel.fileno()

    def look(self) -> None:
        """Take what the receiver has said: it may have given something back. For any thread; never waits."""
        with self.lock:
            self._listen()

    @property
    def outstanding(self) -> list[Header]:
        """Of the items that were sent, and of which the receiver has not said that they wait no more."""
        with self.lock:
            self._listen()
            return [*chain(*self._out)]

    def put(self, batch: Batch[Any], until: float = inf) -> list[Header]:
        """See `Sender.put`. Raises PeerDied where the receiver's OS process has ended, and what the codec can't carry.

        `until` is for the room: once all is on its way, it is seen through. Where it raises after a part of the batch
        was sent, that part stays sent.
        """
        going = _Going(batch)
        while True:
            with self.lock:
                is_done = self._step(going)
                if not is_done and not self._news:
                    self.room.wait(until if going.rest else inf)
            self._news.pass_on()
            if is_done:
                return going.dropped

    async def put_async(self, batch: Batch[Any], until: float = inf) -> list[Header]:
        """As `put`, for a task of an event loop; `until` is by the loop's clock."""
        loop = asyncio.get_running_loop()
        going = _Going(batch)
        while True:
            with self.lock:
                is_done = self._step(going)
                room = None if is_done or self._news else self.room.ringing(loop)
            self._news.pass_on()
            if is_done:
                return going.dropped
            if room is not None:
                await rung(room, until if going.rest else inf)

    def put_whole(self, headers: Sequence[Header], values: Sequence[Any], until: float = inf) -> list[Header]:
        """As `put`, for what mostly has room: the short way. `values` is a list or a tuple, and nothing derived."""
        if self._is_plain and values:
            with self.lock:
                if self._lets_by(len(values)) and self._send_whole(headers, values):
                    if not self._channel.has_outbox:
                        return []
                    headers = values = ()
        return self.put(Batch(values, headers), until)

    def tell(self, news: Any) -> None:
        """Tell the receiver something that can be pickled, behind all that was put so far. Raises PeerDied."""
        self._say(Message(Kind.NEWS, parts=(pickle.dumps(news),)))

    def fail(self, error: BaseException) -> None:
        """Nothing more comes, because of this error: the receiver raises it behind the data. Raises PeerDied."""
        self._say(Message(Kind.ERROR, parts=(pack_error(error),)))

    def end(self) -> None:
        """See `Sender.end`. Raises PeerDied: then the receiver did not get all."""
        self._say(Message(Kind.END))

    def take_dropped(self) -> list[Header]:
        """Of items that were dropped and that no `put` has told, such as those on their way when the receiver retired.

        For the ledger, after the last `put`.
        """
        with self.lock:
            self._listen()
            dropped, self._untold = self._untold, []
        self._news.pass_on()
        return dropped

    def nudge(self) -> None:
        """The codec may have room again. For any thread at any moment: takes no lock."""
        self._channel.wake()

    def cancel(self) -> None:
        """The process is being stopped: whoever waits, or comes, gets Cancelled. The other end is not told."""
        with self.lock:
            self._is_cancelled = True
            self.room.ring()

    def close(self) -> None:
        """Nothing is sent any more, and nobody may wait here. Without `end` the receiver takes it for a death."""
        self._channel.close()

    def _say(self, message: Message) -> None:
        """Send it, whatever room there is."""
        with self.lock:
            if self._is_retired:
                return
            self._post(message)
            while self._channel.has_outbox and not self._is_cancelled:
                self.room.wait(inf)
                self._flush()

    def _step(self, going: _Going) -> bool:
        """Go on as far as nothing has to be waited for; returns whether all is done. The lock is held."""
        if self._is_cancelled:
            raise Cancelled
        self._flush()
        if self._asking is not None:
            self._listen()
        if going.error is not None:
            raise going.error
        if going.rest and not self._is_over and self._asking is None and not self._channel.has_outbox:
            self._send_some(going)
        if going.rest and self._is_over:
            self._refuse(going)
        if self._untold:
            going.dropped += self._untold
            self._untold = []
        return not going.rest and not going.is_asking and not self._channel.has_outbox

    @property
    def _is_over(self) -> bool:
        return self._is_retired or self._trouble is not None

    def _refuse(self, going: _Going) -> None:
        """Nobody takes it: an error, or dropped where the receiver took its leave."""
        if not self._is_retired and self._trouble is not None:
            raise self._trouble
        going.dropped += going.batch.headers[going.start :]
        going.start = len(going.batch)

    def _lets_by(self, count: int) -> bool:
        """Whether there is room for so many, and nothing to be told or sent before."""
        if self._there + count > self._capacity:
            self._listen()
        if self._is_cancelled or self._is_retired or self._trouble is not None or self._untold:
            return False
        return not self._channel.has_outbox and self._there + count <= self._capacity

    def _send_whole(self, headers: Sequence[Header], values: Sequence[Any], *, asks: bool = False) -> bool:
        """Send it; returns whether the receiver will have it."""
        encoded = self._encode((columns_of(headers), values))
        if encoded is None:
            return False
        data, buffers = encoded
        count = len(values)
        self._post(Message(Kind.BATCH, count, asks, (data, *buffers)))
        if self._is_retired:
            return False  # it has just been heard, so this is to be told as dropped
        self._sent += count
        self._there += count
        self._out.append(headers)
        return True

    def _send_some(self, going: _Going) -> None:
        count, weights = self._fitting(going)
        if count < going.rest:
            self._listen()
            count, weights = self._fitting(going)
        if self._is_over:
            return
        can_drop = self.settings.can_drop
        asks = count < going.rest if can_drop else self.settings.order is Order.PRIORITY
        if asks and can_drop:
            count, weights = going.rest, self._weigh_rest(going)
        if count:
            self._send(going, count, weights, asks=asks)

    def _fitting(self, going: _Going) -> tuple[int, list[int]]:
        """How many of the items have room, and what they weigh; an item heavier than all room has it alone."""
        count = min(self._capacity - self._there, going.rest)
        if self._weigh is None:
            return max(0, count), []
        weights: list[int] = []
        weight = self._weight
        for value in islice(going.batch, going.start, going.start + max(0, count)):
            one = self._weigh(value)
            if weight + one > self.settings.bytes and (self._there or weights):
                break
            weight += one
            weights.append(one)
        return len(weights), weights

    def _weigh_rest(self, going: _Going) -> list[int]:
        return [] if self._weigh is None else [self._weigh(value) for value in going.batch[going.start :]]

    def _send(self, going: _Going, count: int, weights: list[int], *, asks: bool) -> None:
        start, stop = going.start, going.start + count
        if not self._send_whole(going.batch.headers[start:stop], going.batch[start:stop], asks=asks):
            return
        going.start = stop
        self._weights.extend(weights)
        self._weight += sum(weights)
        if asks:
            going.is_asking = True
            self._asking = going

    def _encode(self, what: tuple[Any, ...]) -> tuple[Buffer, Sequence[Buffer]] | None:
        encoded = self._codec.encode(what)
        if encoded is None:
            self._listen()
            encoded = self._codec.encode(what)
        return encoded

    def _post(self, message: Message) -> None:
        try:
            self._channel.post(message)
        except PeerDied:
            self._listen_last()

    def _flush(self) -> None:
        try:
            self._channel.flush()
        except PeerDied:
            self._listen_last()

    def _listen_last(self) -> None:
        """The receiver is gone: perhaps it took its leave, or told why."""
        self._listen()
        if not self._is_retired:
            raise self._trouble or PeerDied("the receiver is gone")

    def _listen(self) -> None:
        """Take all that the receiver has said."""
        try:
            for message in self._channel.messages():
                self._hear(message)
                self.room.ring()  # what came may be for another one, who looks for it at the channel
        except PeerDied as error:
            if not self._is_retired:
                self._trouble = self._trouble or error
                self._answer(self._trouble)

    def _hear(self, message: Message) -> None:
        match message.kind:
            case Kind.GIVE_BACK:
                self._given_back(message.number)
            case Kind.ANSWER:
                self._given_back(message.number)
                dropped, error = unpack_answer(message.parts[0])
                self._untold += dropped
                if message.flag:
                    self._answer(error)
            case Kind.NEWS:
                self._news.add(message.parts[0])
            case Kind.ERROR:
                self._trouble = unpack_error(message.parts[0])
                self._answer(self._trouble)
            case Kind.RELEASE:
                self._given_back(message.number)
                self._codec.free(message.parts[0])
            case Kind.BYE:
                self._retire(message.number)
            case _:
                raise AssertionError(f"a receiver does not send {Kind(message.kind).name}")

    def _given_back(self, count: int) -> None:
        self._there = max(0, self._there - count)
        while count > 0 and self._out:
            headers = self._out.popleft()
            if count < len(headers):
                self._out.appendleft(headers[count:])
            count -= len(headers)
        if self._weights:
            self._weight -= sum(pop_left(self._weights, count))

    def _answer(self, error: BaseException | None) -> None:
        going, self._asking = self._asking, None
        if going is not None:
            going.is_asking = False
            going.error = error

    def _retire(self, read: int) -> None:
        """Nobody gets any more. What the receiver has not read (it says how much it has) ends here as dropped."""
        self._is_retired = True
        unread = self._sent - read
        self._untold += [*chain(*self._out)][self._there - unread :]
        self._out.clear()
        self._there = 0
        self._weights.clear()
        self._weight = 0
        self._answer(None)
