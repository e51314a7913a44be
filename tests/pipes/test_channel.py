"""A channel carries messages between two OS processes, and tells when the other end is gone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from math import inf
from multiprocessing import get_context
from threading import Event
from time import monotonic, process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streampy.model.item import NO_META, Header
from streampy.pipes.channel import Channel, PeerDied, channel_pair
from streampy.pipes.doorbell import Doorbell
from streampy.pipes.frames import FIRST, MOST_PARTS, Kind, Message, columns_of, headers_of
from streampy.pipes.guard import Guard

SOON = 5.0
LONG = 5_000_000
"""Bytes that need many packets, and don't fit the socket's buffer."""


def news(*parts: bytes) -> Message:
    return Message(Kind.NEWS, parts=parts)


def plain(message: Message | None) -> Message | None:
    """With parts that can be compared."""
    return None if message is None else message._replace(parts=tuple(map(bytes, message.parts)))


sizes = st.integers(0, 200) | st.integers(FIRST - 30, FIRST + 30) | st.integers(0, 300_000)
messages = st.builds(
    Message,
    st.sampled_from(list(Kind)),
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.lists(st.builds(lambda size, one: bytes([one]) * size, sizes, st.integers(0, 255)), max_size=6).map(tuple),
)


@given(st.lists(messages, max_size=5))
@settings(max_examples=60, deadline=None)
def test_what_is_posted_comes_out_as_it_was_in_that_order(sent):
    ours, theirs = channel_pair()
    with ours, theirs:
        came = []
        for message in sent:
            ours.post(message)
            while ours.has_outbox:
                came += map(plain, theirs.messages())
                ours.flush()
        came += map(plain, theirs.messages())
    assert sent == came


def test_as_many_parts_as_there_may_be_come_out():
    ours, theirs = channel_pair()
    parts = tuple(bytes([number % 256]) * 100 for number in range(MOST_PARTS))
    with ours, theirs:
        ours.post(news(*parts))
        assert news(*parts) == plain(theirs.take())


def test_a_message_with_too_many_parts_is_refused_and_nothing_of_it_is_sent():
    ours, theirs = channel_pair()
    with ours, theirs:
        with pytest.raises(ValueError, match=r"1001 parts: expected at most .* in 1000 parts; send smaller batches"):
            ours.post(news(*[b""] * (MOST_PARTS + 1)))
        assert not ours.has_outbox
        assert theirs.take() is None


def test_a_long_message_is_sent_while_the_other_end_takes_it():
    ours, theirs = channel_pair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(ours.send, news(b"a" * LONG), monotonic() + SOON)
        assert news(b"a" * LONG) == plain(theirs.receive(monotonic() + SOON))
        sending.result(SOON)
        assert not ours.has_outbox


def test_what_waits_to_be_sent_goes_before_what_is_posted_later():
    ours, theirs = channel_pair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        ours.post(news(b"a" * LONG))
        assert ours.has_outbox
        assert theirs.take() is None
        sending = pool.submit(ours.send, news(b"b"), monotonic() + SOON)
        assert [news(b"a" * LONG), news(b"b")] == [plain(theirs.receive(monotonic() + SOON)) for _ in range(2)]
        sending.result(SOON)


def test_a_wait_ends_when_its_time_is_over_and_takes_no_work():
    ours, theirs = channel_pair()
    with ours, theirs:
        began, worked = monotonic(), process_time()
        for patience in (0.05, 0.15):
            with pytest.raises(TimeoutError):
                theirs.receive(monotonic() + patience)
        assert monotonic() - began >= 0.2
        assert process_time() - worked < 0.05


def test_who_sends_more_than_is_taken_waits_until_its_time_is_over():
    ours, theirs = channel_pair()
    with ours, theirs:
        with pytest.raises(TimeoutError):
            ours.send(news(b"a" * LONG), monotonic() + 0.01)


def test_who_waits_can_be_woken():
    ours, theirs = channel_pair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ours.wait)
        ours.wake()
        waiting.result(SOON)
        with pytest.raises(TimeoutError):  # once woken is once woken
            ours.wait(monotonic())


def test_what_was_sent_is_taken_before_its_sender_is_known_to_be_gone():
    ours, theirs = channel_pair()
    with theirs:
        for number in range(3):
            ours.send(Message(Kind.END, number))
        ours.close()
        assert [0, 1, 2] == [theirs.receive().number for _ in range(3)]
        for _ in range(2):
            with pytest.raises(PeerDied, match="the other end of the channel is gone"):
                theirs.receive()


def test_that_holds_too_where_the_one_who_is_gone_left_something_unread():
    ours, theirs = channel_pair()
    with theirs:
        theirs.send(Message(Kind.END, 9))
        ours.send(Message(Kind.END, 1))
        ours.close()
        assert 1 == theirs.receive().number
        with pytest.raises(PeerDied):
            theirs.receive()


def test_half_a_message_is_none():
    ours, theirs = channel_pair()
    with theirs:
        ours.post(news(b"whole"))
        ours.post(news(b"a" * LONG))
        theirs.send(Message(Kind.END))
        ours.close()
        assert news(b"whole") == plain(theirs.receive())
        with pytest.raises(PeerDied):
            theirs.receive()


def test_who_sends_to_nobody_is_told():
    ours, theirs = channel_pair()
    theirs.close()
    with ours:
        with pytest.raises(PeerDied):
            ours.post(news(b"a"))


def test_who_waits_learns_at_once_that_the_other_end_is_closed():
    ours, theirs = channel_pair()
    with ours, ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(ours.receive)]
        theirs.close()
        assert isinstance(waiting[0].exception(SOON), PeerDied)


def test_a_closed_channel_says_so_and_may_be_closed_again():
    ours, theirs = channel_pair()
    with theirs:
        assert f"<Channel file {ours.fileno()}, 0 packets to be sent>" == repr(ours)
        ours.close()
        ours.close()
        ours.wake()
        assert "<Channel closed, 0 packets to be sent>" == repr(ours)


def test_a_message_goes_to_another_os_process_and_back(other_end):
    with other_end("echo") as (channel, process):
        for message in (news(b"a", b""), Message(Kind.GIVE_BACK, 7), news(b"a" * LONG)):
            channel.post(message)
            while (came := channel.take()) is None:
                channel.wait(monotonic() + SOON)
                channel.flush()
            assert message == plain(came)
        channel.close()
        assert process.wait(SOON) == 0


def test_the_death_of_an_os_process_is_told_within_a_second(other_end):
    with other_end("echo") as (channel, process):
        channel.send(news(b"a"))
        channel.receive(monotonic() + SOON)
        process.kill()
        with pytest.raises(PeerDied):
            channel.receive(monotonic() + 1)


def test_a_channel_goes_to_an_os_process_that_is_spawned_in_its_arguments():
    ours, theirs = channel_pair()
    with ours:
        with theirs:
            process = get_context("spawn").Process(target=Channel.post, args=(theirs, news(b"from there")))
            process.start()
        assert news(b"from there") == plain(ours.receive(monotonic() + SOON))
        with pytest.raises(PeerDied):
            ours.receive(monotonic() + SOON)
        process.join(SOON)
        assert process.exitcode == 0
        process.close()


# The bell that listens at a channel


def test_threads_that_wait_at_a_doorbell_are_all_woken_by_what_comes():
    ours, theirs = channel_pair()
    bell = Doorbell(Guard(), theirs)
    came: list[int] = []

    def wait_for_all() -> list[int]:
        with bell.lock:
            while len(came) < 20:
                if numbers := [message.number for message in theirs.messages()]:
                    came.extend(numbers)
                    bell.ring()
                if len(came) < 20:
                    bell.wait(monotonic() + SOON)
            return list(came)

    with ours, theirs, ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(wait_for_all) for _ in range(3)]
        for number in range(20):
            ours.send(Message(Kind.END, number))
        assert [list(range(20))] * 3 == [one.result(SOON) for one in waiting]


def test_a_doorbell_that_is_mute_does_not_wake_for_what_comes():
    ours, theirs = channel_pair()
    bell = Doorbell(Guard(), theirs)
    with ours, theirs:
        ours.send(news(b"a"))
        with bell.lock:
            bell.wait(monotonic() + SOON)
            bell.mute()
            with pytest.raises(TimeoutError):
                bell.wait(monotonic() + 0.01)


def test_a_task_that_waits_at_a_doorbell_is_woken_and_holds_up_nobody():
    ours, theirs = channel_pair()
    bell = Doorbell(Guard(), theirs)
    others = Event()

    async def other() -> None:
        others.set()
        ours.send(news(b"a"))

    async def wait() -> Message | None:
        loop = asyncio.get_running_loop()
        with bell.lock:
            ringing = [bell.ringing(loop), bell.ringing(loop)]
        task = asyncio.create_task(other())
        async with asyncio.timeout(SOON):
            await asyncio.gather(*ringing, task)
        return theirs.take()

    with ours, theirs:
        assert news(b"a") == plain(asyncio.run(wait()))
        assert others.is_set()


# The headers of items

metas = st.just(NO_META) | st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2)
headers = st.builds(
    Header,
    st.sampled_from(["camera", "camera#1"]),
    st.integers(0, 2**63),
    st.floats(allow_nan=False),
    st.just(()) | st.tuples(st.integers(0, 9)),
    st.just(inf) | st.floats(0, 1e9),
    metas,
)


@given(st.lists(headers, max_size=6) | headers.map(lambda one: [one] * 3))
def test_headers_come_out_as_they_were(sent):
    came = headers_of(columns_of(sent))
    assert sent == came
    assert all(type(one) is Header for one in came)
    assert [one.meta is NO_META for one in sent] == [one.meta is NO_META for one in came]
