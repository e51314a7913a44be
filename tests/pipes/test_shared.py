"""The pipe between two OS processes keeps the contract of all pipes, and what it promises beyond."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from math import inf
from time import monotonic, process_time
from traceback import format_exception

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streampy.errors import RunError
from streampy.flow.batcher import Overloaded
from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.base import Cancelled
from streampy.pipes.shared import PeerDied, SharedPipe, SharedReceiver, SharedSender, channel_pair
from streampy.testing import check_pipe

SOON = 5.0
"""Seconds in which what must happen has to happen."""
BOUNDLESS = 1000


def batch(first: int, last: int) -> Batch[int]:
    return Batch(range(first, last), [Header("test", number, monotonic()) for number in range(first, last)])


def seqs(headers: list[Header]) -> list[int]:
    return [header.seq for header in headers]


def get(receiver: SharedReceiver) -> list[int] | None:
    handed = receiver.get(monotonic() + SOON)
    return None if handed is None else list(handed.batch)


def get_all(receiver: SharedReceiver) -> list[int]:
    values: list[int] = []
    while (several := get(receiver)) is not None:
        values += several
    return values


@contextmanager
def closing_all() -> Iterator[list[SharedPipe]]:
    pipes: list[SharedPipe] = []
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()


@pytest.mark.parametrize(
    "more", [{}, {"order": "priority"}, {"rate": 1e6}], ids=["plain", "by priority", "with a rate"]
)
def test_it_keeps_the_contract_of_all_pipes(more):
    with closing_all() as pipes:

        def make(settings: Pipe) -> SharedPipe:
            is_plain = settings.order == "fifo" and settings.rate == inf
            pipes.append(SharedPipe.of(replace(settings, **more) if is_plain else settings))
            return pipes[-1]

        check_pipe(make)


@given(
    overflow=st.sampled_from(["block", "drop_oldest", "drop_newest", "latest"]),
    capacity=st.integers(1, 6),
    priority=st.booleans(),
    bound=st.sampled_from([inf, 60]),
    acts=st.lists(st.one_of(st.just("get"), st.integers(1, 9)), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_whatever_goes_in_comes_out_or_is_told_as_dropped_and_never_both(overflow, capacity, priority, bound, acts):
    order = "priority" if priority else "fifo"
    with SharedPipe.of(Pipe(capacity=capacity, overflow=overflow, order=order, bytes=bound)) as pipe:
        numbers, got, dropped, put = count(), [], [], 0
        for act in acts:
            if act == "get":
                with suppress(TimeoutError):
                    got += seqs(pipe.receiver.get(monotonic()).batch.headers)  # type: ignore[union-attr]
                continue
            for number in (next(numbers) for _ in range(act)):
                header = Header("test", number, monotonic(), meta={"priority": number % 3})
                with suppress(TimeoutError):
                    dropped += seqs(pipe.sender.put_whole((header,), (number,), monotonic()))
                    put += 1
        pipe.sender.end()
        while (handed := pipe.receiver.get(monotonic() + SOON)) is not None:
            got += seqs(handed.batch.headers)
        assert put == len(got) + len(dropped)
        assert len({*got, *dropped}) == put
        if not priority:
            assert sorted(got) == got


def test_no_more_is_sent_than_the_receiver_granted():
    with SharedPipe.of(Pipe(capacity=3)) as pipe:
        with pytest.raises(TimeoutError):
            pipe.sender.put(batch(0, 10), monotonic() + 0.01)
        assert [0, 1, 2] == seqs(pipe.sender.outstanding)
        assert pipe.sender.is_full
        assert [0] == get(pipe.receiver)
        assert [1] == get(pipe.receiver)
        assert not pipe.sender.is_full
        assert [2] == seqs(pipe.sender.outstanding)


def test_an_item_that_weighs_more_over_there_is_not_lost():
    with SharedPipe.of(Pipe(capacity=9, bytes=30)) as pipe:
        values = [Growing() for _ in range(3)]
        pipe.sender.put(Batch(values, batch(0, 3).headers), monotonic() + SOON)
        pipe.sender.end()
        for number in range(3):
            assert [number] == seqs(pipe.receiver.get(monotonic() + SOON).batch.headers)  # type: ignore[union-attr]
        assert get(pipe.receiver) is None


class Growing:
    """Weighs more where it arrives."""

    def __init__(self, nbytes: int = 10) -> None:
        self.nbytes = nbytes

    def __reduce__(self) -> tuple[type[Growing], tuple[int]]:
        return Growing, (1000,)


def test_what_cannot_be_pickled_is_an_error_of_put_and_the_pipe_goes_on():
    with SharedPipe.of(Pipe()) as pipe:
        with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
            pipe.sender.put(Batch([lambda: None], batch(0, 1).headers))
        pipe.sender.put(batch(1, 2))
        pipe.sender.end()
        assert [1] == get_all(pipe.receiver)


def test_a_priority_that_is_no_number_is_an_error_of_put_and_the_pipe_goes_on():
    with SharedPipe.of(Pipe(order="priority")) as pipe:
        with pytest.raises(ValueError, match="its meta\\[\"priority\"\\] is 'high', expected a number"):
            pipe.sender.put(Batch([0], [Header("test", 0, 0.0, meta={"priority": "high"})]))
        pipe.sender.put(batch(1, 2))
        pipe.sender.end()
        assert [1] == get_all(pipe.receiver)
        assert not pipe.sender.outstanding


def test_after_an_overload_what_had_been_taken_is_still_there():
    with SharedPipe.of(Pipe(capacity=2, overflow="fail")) as pipe:
        with pytest.raises(Overloaded):
            pipe.sender.put(batch(0, 5))
        pipe.sender.end()
        assert [0, 1] == get_all(pipe.receiver)


def test_several_senders_and_receivers_lose_nothing():
    senders, each = 3, 200
    with SharedPipe.of(Pipe(capacity=3, batch=2)) as pipe, ThreadPoolExecutor(2 * senders) as pool:

        def send(sender: int) -> None:
            for number in range(sender * each, (sender + 1) * each):
                pipe.sender.put(batch(number, number + 1), monotonic() + SOON)

        receiving = [pool.submit(get_all, pipe.receiver) for _ in range(senders)]
        for one in [pool.submit(send, sender) for sender in range(senders)]:
            one.result(SOON)
        pipe.sender.end()
        assert list(range(senders * each)) == sorted(value for one in receiving for value in one.result(SOON))


def test_room_that_is_kept_back_while_items_wait_is_given_before_anybody_waits_for_their_rate():
    with SharedPipe.of(Pipe(capacity=16, rate=1 / 3600)) as pipe:
        pipe.sender.put(batch(0, 16))
        assert [0] == get(pipe.receiver)
        with pytest.raises(TimeoutError):
            pipe.receiver.get(monotonic() + 0.01)
        assert [] == pipe.sender.put(batch(16, 17), monotonic() + SOON)


def test_room_that_was_given_is_heard_though_more_was_given_than_the_channel_holds():
    many = 6000
    with SharedPipe.of(Pipe(capacity=many, bytes=1e9, order="priority")) as pipe:  # so each is given back by itself
        pipe.sender.put(batch(0, many), monotonic() + SOON)
        for number in range(many):
            assert [number] == get(pipe.receiver)
        look_until(lambda: not pipe.sender.outstanding)


def test_what_is_told_is_sent_while_another_one_waits_for_room():
    heard: list[object] = []
    ours, theirs = channel_pair()
    pipe = Pipe(capacity=1)
    with SharedSender(ours, pipe) as sender, SharedReceiver(theirs, pipe, hear=heard.append) as receiver:
        with ThreadPoolExecutor(2) as pool:
            waiting = pool.submit(sender.put, batch(0, 2), monotonic() + SOON)
            look_until(lambda: sender.room._is_watched)
            telling = pool.submit(sender.tell, bytes(LARGE))
            receiver.attend()
            telling.result(SOON)
            assert [0, 1] == [value for _ in range(2) for value in get(receiver) or ()]
            waiting.result(SOON)
    assert [bytes(LARGE)] == heard


def test_when_the_one_who_looks_for_all_leaves_another_one_looks():
    with SharedPipe.of(Pipe()) as pipe, ThreadPoolExecutor(2) as pool:
        first = pool.submit(pipe.receiver.get, monotonic() + 0.2)
        look_until(lambda: pipe.receiver.bell._is_watched)
        second = pool.submit(get, pipe.receiver)
        assert isinstance(first.exception(SOON), TimeoutError)
        pipe.sender.put(batch(0, 1))
        assert [0] == second.result(SOON)


def test_room_that_another_one_heard_of_is_told_to_who_waits_for_it():
    with SharedPipe.of(Pipe(capacity=1)) as pipe, ThreadPoolExecutor(1) as pool:
        pipe.sender.put(batch(0, 1))
        for number in range(300):
            putting = pool.submit(pipe.sender.put, batch(number, number + 1), monotonic() + SOON)
            look_until(lambda: pipe.sender.room._is_watched)
            assert pipe.receiver.get() is not None
            assert pipe.sender.is_full in {True, False}
            assert [] == putting.result(SOON)


def look_until(holds: Callable[[], bool]) -> None:
    until = monotonic() + SOON
    while not holds():
        assert monotonic() < until
        os.sched_yield()


def test_news_are_heard_though_nobody_gets_an_item():
    heard: list[object] = []
    ours, theirs = channel_pair()
    with SharedSender(ours, Pipe()) as sender, SharedReceiver(theirs, Pipe(), hear=heard.append) as receiver:
        sender.tell(("filtered", 3))
        with pytest.raises(TimeoutError):
            receiver.get(monotonic() + 0.01)
        assert [("filtered", 3)] == heard


@pytest.mark.parametrize("is_attended", [False, True])
def test_news_are_heard_before_the_end_and_before_a_death(is_attended):
    for end in (SharedSender.end, SharedSender.close):
        heard: list[object] = []
        ours, theirs = channel_pair()
        with SharedSender(ours, Pipe()) as sender, SharedReceiver(theirs, Pipe(), hear=heard.append) as receiver:
            if is_attended:
                receiver.attend()
            sender.put(batch(0, 1))
            sender.tell("last words")
            end(sender)
            assert [0] == get(receiver)
            with suppress(PeerDied):
                assert get(receiver) is None
            assert ["last words"] == heard


@pytest.mark.parametrize("is_attended", [False, True])
def test_what_whoever_hears_raises_comes_out_of_get(is_attended):
    ours, theirs = channel_pair()
    with SharedSender(ours, Pipe()) as sender, SharedReceiver(theirs, Pipe()) as receiver:
        if is_attended:
            receiver.attend()
        sender.tell("nobody hears this")
        with pytest.raises(RuntimeError, match="made without `hear`: 'nobody hears this'"):
            get(receiver)


def test_news_of_the_receiver_are_heard_by_who_waits_for_room():
    heard: list[object] = []
    ours, theirs = channel_pair()
    pipe = Pipe(capacity=1)
    with SharedSender(ours, pipe, hear=heard.append) as sender, SharedReceiver(theirs, pipe) as receiver:
        sender.put(batch(0, 1))
        receiver.tell("slow today")
        with pytest.raises(TimeoutError):
            sender.put(batch(1, 2), monotonic() + 0.01)
        assert ["slow today"] == heard


def test_who_hears_news_may_put():
    ours, theirs = channel_pair()
    heard: list[object] = []
    with SharedSender(ours, Pipe()) as sender:

        def hear(news: object) -> None:
            heard.append(news)
            sender.put(batch(0, 1))

        with SharedReceiver(theirs, Pipe(), hear=hear) as receiver:
            sender.tell("one more")
            assert [0] == get(receiver)
            assert ["one more"] == heard


def test_an_attended_pipe_hears_news_while_nobody_gets():
    ours, theirs = channel_pair()
    heard: list[object] = []
    with SharedSender(ours, Pipe()) as sender, SharedReceiver(theirs, Pipe(), hear=heard.append) as receiver:
        receiver.attend()
        sender.tell("now")
        sender.put(batch(0, 1))
        sender.end()
        assert [0] == get_all(receiver)
        assert ["now"] == heard


def test_the_error_of_the_sender_comes_behind_its_data(other_end):
    with other_end("fail", 3) as (channel, _), SharedReceiver(channel, Pipe()) as receiver:
        assert [0, 1, 2] == [value for _ in range(3) for value in get(receiver) or ()]
        for _ in range(2):
            with pytest.raises(ValueError, match="too dark") as caught:
                get(receiver)
        assert str(caught.value) == "too dark"
        assert 'raise ValueError("too dark")' in "".join(format_exception(caught.value))


def test_the_error_of_the_receiver_is_raised_by_who_waits_for_room():
    with SharedPipe.of(Pipe(capacity=1)) as pipe, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(pipe.sender.put, batch(0, 5))
        pipe.receiver.fail(KeyError("no such face"))
        assert isinstance(sending.exception(SOON), KeyError)


def test_an_error_that_cannot_be_made_again_over_there_still_says_what_it_was():
    with SharedPipe.of(Pipe()) as pipe:
        pipe.sender.fail(Picky("red", "green"))
        with pytest.raises(RunError, match="Picky: red and green"):
            get(pipe.receiver)


class Picky(Exception):
    """Pickle makes it of one argument."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


@given(capacity=st.integers(1, 5), before=st.integers(0, 9), heard=st.booleans())
@settings(max_examples=30, deadline=None)
def test_when_the_receiver_retires_each_item_is_told_by_exactly_one_end(capacity, before, heard):
    with SharedPipe.of(Pipe(capacity=capacity)) as pipe:
        sent = 0
        for number in range(before):
            with suppress(TimeoutError):
                pipe.sender.put(batch(number, number + 1), monotonic())
                sent += 1
        got = seqs(pipe.receiver.get().batch.headers) if sent else []  # type: ignore[union-attr]
        if heard:  # else the next item is on its way, and nobody will read it
            told = seqs(pipe.receiver.retire())
            told += seqs(pipe.sender.put(batch(9, 10)))
        else:
            pipe.sender.put(batch(9, 10), monotonic() + SOON)
            told = seqs(pipe.receiver.retire())
        told += seqs(pipe.sender.put(batch(10, 11)))
        told += seqs(pipe.sender.take_dropped())
        pipe.sender.end()
        assert [*range(sent), 9, 10] == sorted(got + told)


def test_what_was_on_its_way_when_the_receiver_retired_is_told_by_the_sender():
    ours, theirs = channel_pair()
    with SharedSender(ours, Pipe(capacity=4)) as sender, SharedReceiver(theirs, Pipe(capacity=4)) as receiver:
        sender.put(batch(0, 2))
        assert [0, 1] == seqs(receiver.retire())
        assert [] == sender.put(batch(2, 4))  # it has not heard yet
        assert [2, 3] == seqs(sender.take_dropped())
        assert [4] == seqs(sender.put(batch(4, 5)))


def test_who_waits_for_room_goes_on_when_the_receiver_retires():
    with SharedPipe.of(Pipe(capacity=1)) as pipe, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(pipe.sender.put, batch(0, 5))
        told = seqs(pipe.receiver.retire())
        assert list(range(5)) == sorted(told + seqs(sending.result(SOON)))


def test_a_sender_that_leaves_without_an_end_is_an_error_behind_its_data():
    with SharedPipe.of(Pipe()) as pipe:
        pipe.sender.put(batch(0, 1))
        pipe.sender.close()
        assert [0] == get(pipe.receiver)
        for _ in range(2):
            with pytest.raises(PeerDied):
                get(pipe.receiver)


def test_after_the_end_nobody_minds_that_the_sender_is_gone():
    with SharedPipe.of(Pipe(capacity=2, rate=100)) as pipe:
        pipe.sender.put(batch(0, 2))
        pipe.sender.end()
        pipe.sender.close()
        assert [0, 1] == get_all(pipe.receiver)


def test_who_waits_behind_the_end_takes_no_work():
    with SharedPipe.of(Pipe(capacity=2, rate=5)) as pipe:
        pipe.sender.put(batch(0, 2))
        pipe.sender.end()
        pipe.sender.close()
        worked = process_time()
        assert [0, 1] == get_all(pipe.receiver)
        assert process_time() - worked < 0.05


@pytest.mark.parametrize("overflow", ["block", "drop_oldest", "fail"])
def test_a_sender_whose_receiver_is_gone_is_told(overflow):
    with SharedPipe.of(Pipe(capacity=1, overflow=overflow)) as pipe:
        pipe.sender.put(batch(0, 1))
        pipe.receiver.close()
        for _ in range(2):
            with pytest.raises(PeerDied):
                pipe.sender.put(batch(1, 2))
        with pytest.raises(PeerDied):
            pipe.sender.end()


def test_tasks_of_one_event_loop_put_and_get_without_a_thread():
    async def put(pipe: SharedPipe) -> None:
        for first in range(0, 300, 3):
            await pipe.sender.put_async(batch(first, first + 3), monotonic() + SOON)
        await pipe.sender.put_async(Batch([bytes(LARGE)], batch(300, 301).headers), monotonic() + SOON)
        pipe.sender.end()

    async def get_all_async(pipe: SharedPipe) -> list[int]:
        got: list[int] = []
        while (handed := await pipe.receiver.get_async(monotonic() + SOON)) is not None:
            got += seqs(handed.batch.headers)
        return got

    async def all_of_it(pipe: SharedPipe) -> list[list[int]]:
        _, *got = await asyncio.gather(put(pipe), *(get_all_async(pipe) for _ in range(2)))
        return got

    with SharedPipe.of(Pipe(capacity=2)) as pipe:
        got = asyncio.run(all_of_it(pipe))
        assert list(range(301)) == sorted(got[0] + got[1])


LARGE = 3_000_000


def test_a_task_that_waits_too_long_is_told_and_so_is_one_that_is_cancelled():
    async def all_of_it(pipe: SharedPipe) -> None:
        with pytest.raises(TimeoutError):
            await pipe.receiver.get_async(monotonic() + 0.01)
        await pipe.sender.put_async(batch(0, 1))
        with pytest.raises(TimeoutError):
            await pipe.sender.put_async(batch(1, 2), monotonic() + 0.01)
        putting = asyncio.create_task(pipe.sender.put_async(batch(1, 2)))
        await asyncio.sleep(0)
        pipe.cancel()
        with pytest.raises(Cancelled):
            await putting

    with SharedPipe.of(Pipe(capacity=1)) as pipe:
        asyncio.run(all_of_it(pipe))


def test_what_is_told_behind_the_end_is_sent_though_it_is_long():
    heard: list[object] = []
    ours, theirs = channel_pair()
    with SharedSender(ours, Pipe(), hear=heard.append) as sender, SharedReceiver(theirs, Pipe()) as receiver:
        sender.end()
        assert get(receiver) is None
        with ThreadPoolExecutor(1) as pool:
            telling = pool.submit(receiver.tell, bytes(LARGE))
            look_until(lambda: sender.outstanding or telling.done())
            telling.result(SOON)
        assert [] == sender.take_dropped()
    assert [bytes(LARGE)] == heard


def test_its_ends_say_how_they_are():
    with SharedPipe.of(Pipe(capacity=4)) as pipe:
        pipe.sender.put(batch(0, 2))
        assert "<SharedSender open, 2 of 4 there>" == repr(pipe.sender)
        assert [0] == get(pipe.receiver)
        assert "<SharedReceiver <LocalPipe open, 1 of 4 waiting>>" == repr(pipe.receiver)
        pipe.cancel()
        assert "<SharedSender cancelled, 2 of 4 there>" == repr(pipe.sender)


# Where values lie elsewhere, and there is no room for them


class Lockers:
    """A codec at both ends of one pipe: values lie in a few lockers, and only their numbers travel."""

    def __init__(self, lockers: int) -> None:
        self.free_ones = list(range(lockers))
        self.values: dict[int, list[object]] = {}
        self.emptied = bytearray()

    def encode(self, values: list[object]) -> tuple[bytes, list[bytes]] | None:
        if not self.free_ones:
            return None
        locker = self.free_ones.pop()
        self.values[locker] = list(values)
        return bytes([locker]), []

    def decode(self, data: memoryview, _: list[memoryview]) -> list[object]:
        return self.values[data[0]]

    def empty(self, locker: int) -> None:
        self.emptied.append(locker)

    def released(self) -> bytes:
        emptied, self.emptied = bytes(self.emptied), bytearray()
        return emptied

    def free(self, data: memoryview) -> None:
        self.free_ones += data


@contextmanager
def pipe_with_lockers(lockers: int, settings: Pipe) -> Iterator[tuple[SharedPipe, Lockers]]:
    ours, theirs = channel_pair()
    codec = Lockers(lockers)
    sender, receiver = SharedSender(ours, settings, codec), SharedReceiver(theirs, settings, codec)
    with sender, receiver:
        yield SharedPipe(sender, receiver), codec


def test_where_the_codec_has_no_room_put_waits_until_something_is_released():
    with pipe_with_lockers(1, Pipe(capacity=9)) as (pipe, codec), ThreadPoolExecutor(1) as pool:
        pipe.sender.put(batch(0, 1))
        with pytest.raises(TimeoutError):
            pipe.sender.put(batch(1, 2), monotonic() + 0.01)
        putting = pool.submit(pipe.sender.put, batch(1, 2), monotonic() + SOON)
        assert [0] == get(pipe.receiver)
        codec.empty(0)
        assert [1] == get(pipe.receiver)
        assert [] == putting.result(SOON)


def test_what_is_released_while_somebody_waits_is_told_when_the_receiver_is_nudged():
    with pipe_with_lockers(1, Pipe(capacity=9)) as (pipe, codec), ThreadPoolExecutor(2) as pool:
        pipe.sender.put(batch(0, 1))
        assert [0] == get(pipe.receiver)
        putting = pool.submit(pipe.sender.put, batch(1, 2), monotonic() + SOON)
        getting = pool.submit(get, pipe.receiver)
        codec.empty(0)
        pipe.receiver.nudge()
        assert [] == putting.result(SOON)
        assert [1] == getting.result(SOON)


def test_a_sender_that_waits_asks_its_codec_again_when_it_is_nudged():
    with pipe_with_lockers(0, Pipe()) as (pipe, codec), ThreadPoolExecutor(1) as pool:
        putting = pool.submit(pipe.sender.put, batch(0, 1), monotonic() + SOON)
        codec.free_ones.append(0)  # by a receiver of another pipe
        pipe.sender.nudge()
        assert [] == putting.result(SOON)
        assert [0] == get(pipe.receiver)


def test_a_task_that_waits_asks_its_codec_again_when_it_is_nudged():
    async def all_of_it(pipe: SharedPipe, codec: Lockers) -> list[Header]:
        putting = asyncio.create_task(pipe.sender.put_async(batch(0, 1), monotonic() + SOON))
        await asyncio.sleep(0)
        codec.free_ones.append(0)
        pipe.sender.nudge()
        return await putting

    with pipe_with_lockers(0, Pipe()) as (pipe, codec):
        assert [] == asyncio.run(all_of_it(pipe, codec))
        assert [0] == get(pipe.receiver)


def test_who_waits_for_the_codec_goes_on_when_the_receiver_retires():
    with pipe_with_lockers(0, Pipe()) as (pipe, _), ThreadPoolExecutor(1) as pool:
        putting = pool.submit(pipe.sender.put, batch(0, 2), monotonic() + SOON)
        assert [] == pipe.receiver.retire()
        assert [0, 1] == seqs(putting.result(SOON))


# In two OS processes


def test_a_hundred_thousand_small_items_arrive_in_another_os_process_in_order(other_end):
    with (
        other_end("check", 100_000, capacity=256, batch=64) as (channel, process),
        SharedSender(channel, Pipe(capacity=256, batch=64)) as sender,
    ):
        for first in range(0, 100_000, 50):
            assert [] == sender.put(batch(first, first + 50), monotonic() + SOON)
        sender.end()
        assert b"all" == process.stdout.read(3)


def test_frames_arrive_in_another_os_process(other_end):
    numpy = pytest.importorskip("numpy")
    with other_end("check", 40, capacity=4) as (channel, process), SharedSender(channel, Pipe(capacity=4)) as sender:
        for number in range(40):
            frame = numpy.full((1080, 1920, 3), number, numpy.uint8)
            sender.put(Batch([frame], batch(number, number + 1).headers), monotonic() + SOON)
        sender.end()
        assert b"all" == process.stdout.read(3)


@given(got=st.integers(0, 20), large=st.booleans(), overflow=st.sampled_from(["block", "drop_oldest"]))
@settings(max_examples=5, deadline=None)
def test_when_the_receiver_is_killed_the_sender_is_told_within_a_second(other_end, got, large, overflow):
    pipe = {"capacity": 3, "overflow": overflow}
    with other_end("get", got, **pipe) as (channel, process), SharedSender(channel, Pipe(**pipe)) as sender:
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(put_for_ever, sender, bytes(LARGE) if large else b"")
            assert b"." == process.stdout.read(1)
            killed = monotonic()
            process.kill()
            assert isinstance(sending.exception(SOON), PeerDied)
            assert monotonic() - killed < 1


def put_for_ever(sender: SharedSender, value: bytes) -> None:
    for number in count():
        sender.put(Batch([value], batch(number, number + 1).headers))


@given(got=st.integers(0, 20), more=st.integers(0, 5))
@settings(max_examples=5, deadline=None)
def test_when_the_sender_is_killed_all_that_it_sent_comes_and_then_the_news(other_end, got, more):
    with (
        other_end("put", BOUNDLESS, capacity=5) as (channel, process),
        SharedReceiver(channel, Pipe(capacity=5)) as receiver,
    ):
        values = [value for _ in range(got) for value in get(receiver) or ()]
        told = len(os.read(process.stdout.fileno(), max(1, more)))
        process.kill()
        process.wait(SOON)
        told += len(process.stdout.read())
        values += get_until_it_died(receiver)
        assert list(range(len(values))) == values
        assert told <= len(values) <= told + 1


def get_until_it_died(receiver: SharedReceiver) -> list[int]:
    values: list[int] = []
    with pytest.raises(PeerDied):  # noqa: PT012 - the last of them raises
        while True:
            values += get(receiver) or ()
    return values
