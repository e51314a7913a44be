"""The short ways of a pipe between OS processes, for one item and whole batches: they change nothing but the time."""

from __future__ import annotations

from math import inf
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.model.headers import Headers
from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.base import Cancelled
from streampy.pipes.channel import PeerDied
from streampy.pipes.frames import FIRST, Kind, Message, cut, read_short, short
from streampy.pipes.shared import SharedPipe

CAPACITY = 4


def header(number: int, deadline: float = inf) -> Header:
    return Header("camera", number, 1.0, deadline=deadline)


def put_one(pipe: SharedPipe, header: Header, value: object = "frame", until: float = inf) -> list[Header]:
    """As the door of a unit does that gives item by item."""
    return pipe.sender.put_whole((header,), (value,), until)


def take_alone(pipe: SharedPipe) -> tuple[Header, object] | None:
    """As an inlet does, that tells of the room later."""
    with pipe.receiver.lock:
        batch = pipe.receiver.look(1, alone=True)
        pipe.receiver.tell_room()
    return None if batch is None else (batch.headers[0], batch[0])


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
                dropped = pipe.sender.put(batch) if way == "put" else put_one(pipe, header(given), str(given))
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


@given(
    st.lists(st.tuples(st.sampled_from(["put", "put whole", "get", "look"]), st.integers(1, 4)), max_size=30),
    st.integers(1, 3),
)
def test_by_whatever_way_batches_go_in_and_out_each_item_comes_once_in_order_and_is_counted(ways, batch):
    with SharedPipe.of(Pipe(capacity=CAPACITY, batch=batch)) as pipe:
        given: list[Header] = []
        found: list[Header] = []
        for way, count in ways:
            waiting = len(given) - len(found)
            if way.startswith("put") and waiting + count <= CAPACITY:
                headers = [header(len(given) + number) for number in range(count)]
                values = [str(one.seq) for one in headers]
                columns = Headers.of(headers)
                put, put_whole = pipe.sender.put, pipe.sender.put_whole
                assert [] == (put(Batch(values, columns)) if way == "put" else put_whole(columns, values))
                given += headers
            elif not way.startswith("put") and waiting:
                with pipe.receiver.lock:
                    whole = pipe.receiver.look(count) if way == "look" else None
                    pipe.receiver.tell_room()
                one = whole if whole is not None else pipe.receiver.get(until=monotonic() + 5).batch
                assert [str(some.seq) for some in one.headers] == list(one)
                assert len(one) <= (batch if whole is None else count)
                found += one.headers

        assert given[: len(found)] == found
        assert [len(given), len(found)] == [pipe.sender.sent, pipe.receiver.pipe.batcher.delivered]
        assert len(found) == pipe.receiver.pipe.batcher.waits.count


def test_a_batch_that_passes_by_is_counted_as_one_that_was_got():
    settings = Pipe(capacity=CAPACITY, batch=3)
    with SharedPipe.of(settings) as one, SharedPipe.of(settings) as other:
        columns = Headers.of([header(number) for number in range(3)])
        one.sender.put_whole(columns, [1, 2, 3])
        other.sender.put_whole(columns, [1, 2, 3])

        with one.receiver.lock:
            whole = one.receiver.look(3)
        assert ([1, 2, 3], columns) == (list(whole), whole.headers)
        assert [1, 2, 3] == list(other.receiver.get().batch)
        assert counts(other) == counts(one)


def test_of_a_batch_in_part_over_there_when_nobody_gets_any_more_each_item_is_told_as_dropped_once():
    with SharedPipe.of(Pipe(capacity=CAPACITY, batch=2)) as pipe:
        headers = [header(number) for number in range(CAPACITY)]
        pipe.sender.put_whole(Headers.of(headers), [*range(CAPACITY)])
        got = pipe.receiver.get()
        assert headers[:2] == got.batch.headers
        assert headers[2:] == pipe.sender.outstanding
        assert headers[2:] == pipe.receiver.retire()
        late = [header(CAPACITY)]
        assert late == pipe.sender.put_whole(late, ["late"]) + pipe.sender.take_dropped()


def test_an_item_that_comes_alone_is_counted_as_one_that_was_got():
    with SharedPipe.of(Pipe()) as one, SharedPipe.of(Pipe()) as other:
        put_one(one, header(0))
        put_one(other, header(0))

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
    ],
    ids=repr,
)
def test_where_more_is_asked_of_the_pipe_nothing_passes_by_it(settings):
    with SharedPipe.of(settings) as pipe:
        put_one(pipe, header(0))

        assert take_alone(pipe) is None
        assert ["frame"] == list(pipe.receiver.get(until=monotonic() + 5).batch)


def test_an_item_whose_deadline_is_over_does_not_pass_by():
    with SharedPipe.of(Pipe()) as pipe:
        late = header(0, deadline=monotonic() - 1)
        put_one(pipe, late)

        assert take_alone(pipe) is None
        handed = pipe.receiver.get()
        assert ([], [late]) == (list(handed.batch), list(handed.stale))


def test_after_a_cancel_nothing_passes_by_and_nothing_goes_in():
    with SharedPipe.of(Pipe()) as pipe:
        put_one(pipe, header(0))
        pipe.cancel()

        assert take_alone(pipe) is None
        with pytest.raises(Cancelled):
            put_one(pipe, header(1))


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

        assert [header(0)] == put_one(pipe, header(0))


def test_one_item_that_has_no_room_waits_for_it():
    with SharedPipe.of(Pipe(capacity=1)) as pipe:
        put_one(pipe, header(0))

        with pytest.raises(TimeoutError):
            put_one(pipe, header(1), until=monotonic())
        assert (header(0), "frame") == take_alone(pipe)
        assert [] == put_one(pipe, header(1), until=monotonic() + 5)


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
