"""The pipe inside one OS process keeps the contract of all pipes, and what it promises beyond."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import inf
from threading import Event
from time import monotonic, process_time

import pytest

from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.base import Cancelled, put_into_async
from streampy.pipes.local import LocalPipe, weigh
from streampy.testing import check_pipe

SOON = 5.0
"""Seconds in which what must happen has to happen."""


@dataclass
class Ends:
    """One object is both ends."""

    sender: LocalPipe
    receiver: LocalPipe

    def cancel(self) -> None:
        self.receiver.cancel()


def ends(settings: Pipe) -> Ends:
    pipe = LocalPipe(settings)
    return Ends(pipe, pipe)


def batch(first: int, last: int) -> Batch[int]:
    return Batch(range(first, last), [Header("test", number, monotonic()) for number in range(first, last)])


def get(pipe: LocalPipe) -> list[int] | None:
    handed = pipe.get(monotonic() + SOON)
    return None if handed is None else list(handed.batch)


def get_all(pipe: LocalPipe) -> list[int]:
    values: list[int] = []
    while (several := get(pipe)) is not None:
        values += several
    return values


def test_it_keeps_the_contract_of_all_pipes():
    check_pipe(ends)


@pytest.mark.parametrize("more", [{"order": "priority"}, {"rate": 1e6}], ids=["by priority", "with a rate"])
def test_with_other_settings_it_keeps_the_contract_too(more):
    check_pipe(lambda settings: ends(replace(settings, **more) if is_plain(settings) else settings))


def is_plain(settings: Pipe) -> bool:
    return settings.order == "fifo" and settings.rate == inf


def test_it_ends_when_the_last_of_its_senders_has_ended():
    pipe = LocalPipe(Pipe(), senders=2)
    pipe.put(batch(0, 1))
    pipe.end()
    assert not pipe.has_ended
    assert get(pipe) == [0]
    pipe.put(batch(1, 2))
    pipe.end()
    assert pipe.has_ended
    assert get_all(pipe) == [1]


def test_several_senders_at_once_lose_nothing_and_each_keeps_its_order():
    senders, count = 4, 200
    pipe = LocalPipe(Pipe(capacity=3, batch=2), senders)

    def send(sender: int) -> None:
        for number in range(count):
            pipe.put(batch(sender * count + number, sender * count + number + 1), monotonic() + SOON)
        pipe.end()

    with ThreadPoolExecutor(senders) as pool:
        sending = [pool.submit(send, sender) for sender in range(senders)]
        values = get_all(pipe)
        for one in sending:
            one.result(SOON)
    assert sorted(values) == list(range(senders * count))
    for sender in range(senders):
        assert [value for value in values if value // count == sender] == list(
            range(sender * count, (sender + 1) * count)
        )


def test_several_receivers_share_what_comes_and_all_learn_of_the_end():
    pipe = LocalPipe(Pipe(capacity=3))
    with ThreadPoolExecutor(3) as pool:
        receiving = [pool.submit(get_all, pipe) for _ in range(3)]
        pipe.put(batch(0, 300), monotonic() + SOON)
        pipe.end()
        values = [value for one in receiving for value in one.result(SOON)]
    assert sorted(values) == list(range(300))


def test_a_task_waits_for_room_without_holding_up_its_event_loop():
    pipe = LocalPipe(Pipe(capacity=1))

    async def both() -> list[int]:
        sending = asyncio.create_task(put_into_async(pipe, batch(0, 3), monotonic() + SOON))
        values: list[int] = []
        while len(values) < 3:
            await asyncio.sleep(0)
            if len(pipe.batcher):
                values += get(pipe)
        assert await sending == []
        return values

    assert asyncio.run(both()) == [0, 1, 2]


def test_a_task_is_woken_by_a_thread_that_makes_room():
    pipe = LocalPipe(Pipe(capacity=1))

    async def send() -> list[Header]:
        return await put_into_async(pipe, batch(0, 50), monotonic() + SOON)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(asyncio.run, send())
        values: list[int] = []
        while len(values) < 50:
            values += get(pipe)
        assert sending.result(SOON) == []
    assert values == list(range(50))


def test_a_task_that_puts_is_told_what_was_dropped():
    pipe = LocalPipe(Pipe(capacity=2, overflow="drop_oldest"))
    dropped = asyncio.run(put_into_async(pipe, batch(0, 5)))
    assert [header.seq for header in dropped] == [0, 1, 2]


def test_a_task_stops_waiting_when_its_time_is_over():
    pipe = LocalPipe(Pipe(capacity=1))
    pipe.put(batch(0, 1))
    with pytest.raises(TimeoutError):
        asyncio.run(put_into_async(pipe, batch(1, 2), monotonic() + 0.01))
    assert get(pipe) == [0]


def test_a_task_that_waits_goes_home_when_the_pipe_is_cancelled():
    pipe = LocalPipe(Pipe(capacity=1))
    pipe.put(batch(0, 1))

    async def send() -> None:
        asyncio.get_running_loop().call_soon(pipe.cancel)
        await put_into_async(pipe, batch(1, 2), monotonic() + SOON)

    with pytest.raises(Cancelled):
        asyncio.run(send())


def test_a_retired_pipe_drops_what_comes_and_lets_those_go_who_wait():
    pipe = LocalPipe(Pipe(capacity=1))
    pipe.put(batch(0, 1))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(pipe.put, batch(1, 4), monotonic() + SOON)
        waited = pipe.retire()
        assert [0, 1, 2, 3] == [header.seq for header in (*waited, *sending.result(SOON))]
    assert [header.seq for header in pipe.put(batch(4, 6))] == [4, 5]


@pytest.mark.parametrize("use", ["get", "put"])
def test_a_cancelled_pipe_sends_home_whoever_comes(use):
    pipe = LocalPipe(Pipe())
    pipe.put(batch(0, 1))
    pipe.cancel()
    with pytest.raises(Cancelled):
        pipe.get() if use == "get" else pipe.put(batch(1, 2))


def test_who_waits_for_a_fuller_batch_is_given_what_is_there_as_soon_as_it_can_not_become_fuller():
    pipe = LocalPipe(Pipe(capacity=8, batch=8, wait=inf, bytes=100))
    with ThreadPoolExecutor(2) as pool:
        receiving = pool.submit(pipe.get, monotonic() + SOON)
        values = [bytes(60), bytes(60)]
        sending = pool.submit(
            pipe.put, Batch(values, [Header("test", n, monotonic()) for n in range(2)]), monotonic() + SOON
        )
        assert [header.seq for header in receiving.result(SOON).batch.headers] == [0]
        assert sending.result(SOON) == []


def test_the_end_hands_over_a_batch_that_waited_for_more():
    pipe = LocalPipe(Pipe(batch=8, wait=inf))
    pipe.put(batch(0, 3))
    with ThreadPoolExecutor(1) as pool:
        receiving = pool.submit(get, pipe)
        pipe.end()
        assert receiving.result(SOON) == [0, 1, 2]


def test_items_are_handed_on_by_reference():
    pipe = LocalPipe(Pipe())
    value = object()
    pipe.put(Batch([value], [Header("test", 0, monotonic())]))
    handed = pipe.get()
    assert handed is not None
    assert handed.batch[0] is value


def test_who_waits_uses_no_cpu():
    pipe, other = LocalPipe(Pipe()), LocalPipe(Pipe(capacity=1))
    other.put(batch(0, 1))
    seconds = 0.3
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(pipe.get), pool.submit(other.put, batch(1, 2))]
        before = process_time()
        Event().wait(seconds)
        used = process_time() - before
        pipe.end()
        other.get()
        for one in waiting:
            one.result(SOON)
    assert used < seconds / 10


@pytest.mark.parametrize("is_single", [True, False])
def test_a_thread_that_waits_without_end_is_woken_by_whatever_comes(is_single):
    pipe = LocalPipe(Pipe(capacity=8))
    with ThreadPoolExecutor() as pool:
        for number in range(100):
            handed = pool.submit(pipe.get)
            if is_single:
                assert pipe.let_in(Header("test", number, 0.0), number)
            else:
                pipe.put(batch(number, number + 1))
            assert [number] == handed.result(SOON).batch


def test_a_pipe_that_can_not_take_an_item_at_once_lets_none_in():
    full, cancelled, retired = (LocalPipe(Pipe(capacity=1)) for _ in range(3))
    full.put(batch(0, 1))
    cancelled.cancel()
    retired.retire()
    header = Header("test", 1, 0.0)
    assert [False, False, False] == [pipe.let_in(header, 1) for pipe in (full, cancelled, retired)]


def test_it_says_how_it_is():
    pipe = LocalPipe(Pipe(capacity=8))
    pipe.put(batch(0, 2))
    assert repr(pipe) == "<LocalPipe open, 2 of 8 waiting>"
    pipe.end()
    assert repr(pipe) == "<LocalPipe ended, 2 of 8 waiting>"
    pipe.cancel()
    assert repr(pipe) == "<LocalPipe cancelled, 2 of 8 waiting>"


class Frame:
    """Anything that says its size."""

    nbytes = 6_220_800


@pytest.mark.parametrize(
    ("value", "expected"),
    [(bytes(100), 100), (bytearray(7), 7), (memoryview(bytes(12)), 12), (Frame(), 6_220_800)],
    ids=["bytes", "bytearray", "buffer", "array"],
)
def test_a_value_weighs_what_it_says_itself(value, expected):
    assert weigh(value) == expected
