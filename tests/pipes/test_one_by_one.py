"""The short ways of a pipe between OS processes, for items that come one by one: they change nothing but the time."""

from __future__ import annotations

from math import inf
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.base import Cancelled
from streampy.pipes.channel import PeerDied
from streampy.pipes.frames import FIRST, Kind, Message, cut, read_short, short
from streampy.pipes.shared import SharedPipe

CAPACITY = 4


def header(number: int, deadline: float = inf) -> Header:
    return Header("camera", number, 1.0, deadline=deadline)


def take_alone(pipe: SharedPipe) -> tuple[Header, object] | None:
    """As an inlet does, that tells of the room later."""
    with pipe.receiver.lock:
        alone = pipe.receiver.take_alone()
        pipe.receiver.tell_room()
    return alone


def counts(pipe: SharedPipe) -> tuple[int, ...]:
    batcher = pipe.receiver.pipe.batcher
    return batcher.received, batcher.delivered, batcher.high_water, batcher.waits.count, batcher.batches.count


@given(st.lists(st.sampled_from(["put", "put one", "get", "take alone"]), max_size=30))
def test_by_whatever_way_each_goes_in_and_out_all_come_once_in_order_and_are_counted(ways):
    with SharedPipe.of(Pipe(capacity=CAPACITY)) as pipe:
        given, found = 0, []
        for way in ways:
            is_going_in = way.startswith("put")
            waiting = given - len(found)
            if waiting == (CAPACITY if is_going_in else 0):
                continue
            if is_going_in:
                batch = Batch([str(given)], [header(given)])
                dropped = pipe.sender.put(batch) if way == "put" else pipe.sender.put_one(header(given), str(given))
                assert dropped == []
                given += 1
                continue
            alone = take_alone(pipe) if way == "take alone" else None
            if alone is not None:
                found.append(alone)
            else:  # where others wait in the pipe already, none is alone
                handed = pipe.receiver.get(until=monotonic() + 5)
                assert len(handed.batch) == 1
                found += zip(handed.batch.headers, handed.batch, strict=True)

        assert [(header(number), str(number)) for number in range(len(found))] == found
        assert [given, len(found)] == [pipe.sender.sent, pipe.receiver.pipe.batcher.delivered]


def test_an_item_that_comes_alone_is_counted_as_one_that_was_got():
    with SharedPipe.of(Pipe()) as one, SharedPipe.of(Pipe()) as other:
        one.sender.put_one(header(0), "frame")
        other.sender.put_one(header(0), "frame")

        assert (header(0), "frame") == take_alone(one)
        assert ["frame"] == list(other.receiver.get().batch)
        assert counts(other) == counts(one)


@pytest.mark.parametrize(
    "settings",
    [
        Pipe(batch=2),
        Pipe(overflow="drop_oldest"),
        Pipe(bytes=1000),
        Pipe(stale=1e9),
        Pipe(order="priority"),
        Pipe(rate=1000),
        Pipe(wait=0.001),
    ],
    ids=repr,
)
def test_where_more_is_asked_of_the_pipe_nothing_passes_by_it(settings):
    with SharedPipe.of(settings) as pipe:
        pipe.sender.put_one(header(0), "frame")

        assert take_alone(pipe) is None
        assert ["frame"] == list(pipe.receiver.get(until=monotonic() + 5).batch)


def test_an_item_whose_deadline_is_over_does_not_pass_by():
    with SharedPipe.of(Pipe()) as pipe:
        late = header(0, deadline=monotonic() - 1)
        pipe.sender.put_one(late, "frame")

        assert take_alone(pipe) is None
        handed = pipe.receiver.get()
        assert ([], [late]) == (list(handed.batch), list(handed.stale))


def test_after_a_cancel_nothing_passes_by_and_nothing_goes_in():
    with SharedPipe.of(Pipe()) as pipe:
        pipe.sender.put_one(header(0), "frame")
        pipe.cancel()

        assert take_alone(pipe) is None
        with pytest.raises(Cancelled):
            pipe.sender.put_one(header(1), "frame")


def test_who_looks_for_one_item_learns_of_the_end_and_of_a_death_behind_it():
    with SharedPipe.of(Pipe()) as pipe:
        pipe.sender.end()
        assert take_alone(pipe) is None
        assert pipe.receiver.get() is None
    with SharedPipe.of(Pipe()) as pipe:
        pipe.sender.close()
        assert take_alone(pipe) is None
        with pytest.raises(PeerDied):
            pipe.receiver.get()


def test_one_item_for_a_receiver_that_retired_is_told_as_dropped():
    with SharedPipe.of(Pipe()) as pipe:
        pipe.receiver.retire()
        pipe.sender.look()

        assert [header(0)] == pipe.sender.put_one(header(0), "frame")


def test_one_item_that_has_no_room_waits_for_it():
    with SharedPipe.of(Pipe(capacity=1)) as pipe:
        pipe.sender.put_one(header(0), "frame")

        with pytest.raises(TimeoutError):
            pipe.sender.put_one(header(1), "frame", until=monotonic())
        assert (header(0), "frame") == take_alone(pipe)
        assert [] == pipe.sender.put_one(header(1), "frame", until=monotonic() + 5)


@given(st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.booleans(), st.lists(st.binary(max_size=99), max_size=2))
def test_a_short_message_is_the_same_bytes_as_by_the_long_way(kind, number, flag, parts):
    message = Message(kind, number, flag, parts)
    packet = short(message)

    assert (packet is None) is (len(parts) > 1)
    if packet is not None:
        assert [packet] == [b"".join(one) for one in cut(message, 1 << 16)]
        read = read_short(packet)
        assert message == read._replace(parts=[bytes(part) for part in read.parts])


@pytest.mark.parametrize("size", [FIRST - 17, FIRST - 16, FIRST - 15])
def test_a_message_that_needs_more_packets_is_not_taken_for_a_short_one(size):
    message = Message(Kind.NEWS, parts=(bytes(size),))
    first = b"".join(next(iter(cut(message, 1 << 16))))

    fits = size + 16 <= FIRST
    assert fits is (short(message) is not None)
    assert fits is (read_short(first) is not None)
