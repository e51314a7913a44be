"""Values go from process to process over a socket: all of them, in order, also over a receiver that dies; and hostile
bytes disturb nobody."""

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Any, Self

import pytest

import streampy as sp
from streampy.units.tcp import SocketReceiver, SocketSender

QUICK = {"retry": 0.01, "retry_most": 0.05}


@pytest.fixture
def port() -> int:
    """One that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Point:
    x: float
    y: float


def numbers(*, until: int = 1000) -> Iterator[int]:
    yield from range(until)


def endless() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def sending(port: int, source: Any = numbers, **settings: Any) -> sp.Process:
    process = sp.Process("sending").add("source", source)
    return process.add("send", SocketSender, from_="source", port=port, **{**QUICK, **settings})


def receiving(port: int, **settings: Any) -> sp.Process:
    return sp.Process("receiving").add("receive", SocketReceiver, port=port, **settings)


class Client:
    """Another program that speaks the frames."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *values: Any) -> None:
        body = json.dumps(values).encode()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def answer(self) -> int | None:
        """How many were taken; None where the receiver hung up."""
        try:
            answer = self.socket.recv(4, socket.MSG_WAITALL)
        except ConnectionResetError:
            return None
        return int(struct.unpack(">I", answer)[0]) if answer else None


def test_all_values_come_in_order_and_both_ledgers_balance(port: int) -> None:
    with sp.run(receiving(port)) as there:
        values = there.stream("receive", timeout=20)
        with sp.run(sending(port)) as here:
            assert list(range(1000)) == [next(values) for _ in range(1000)]
            here.wait(20)
            assert 1000 == here.stats().ledger.delivered
    assert here.stats().ledger.balanced
    assert 1000 == there.stats().ledger.delivered


def test_what_units_give_arrives_as_json_has_it(port: int) -> None:
    def points() -> Iterator[Any]:
        yield from [Point(1, 2), {"text": "ü\n", "set": {2, 1}}, [1, None], 0, "", False]

    with sp.run(receiving(port)) as there, sp.run(sending(port, points)):
        values = there.stream("receive", timeout=20)
        assert [{"x": 1, "y": 2}, {"text": "ü\n", "set": [1, 2]}, [1, None], 0, "", False] == [
            next(values) for _ in range(6)
        ]


def test_values_larger_than_a_frame_go_in_several(port: int) -> None:
    def texts() -> Iterator[sp.Batch[str]]:
        yield sp.Batch([letter * (7 << 20) for letter in "abc"])

    with sp.run(receiving(port)) as there, sp.run(sending(port, texts)):
        values = there.stream("receive", timeout=20)
        assert [("a", 7 << 20), ("b", 7 << 20), ("c", 7 << 20)] == [
            (value[0], len(value)) for value in (next(values) for _ in range(3))
        ]


def test_value_that_no_frame_can_hold_is_an_error(port: int) -> None:
    def text() -> Iterator[str]:
        yield "a" * (1 << 24)

    with sp.run(receiving(port)), sp.run(sending(port, text)) as here, pytest.raises(sp.UnitFailed) as told:
        here.wait(20)
    assert "a value has 16777218 bytes as JSON, expected less than 16777216" in str(told.value.__cause__)


def test_receiver_that_is_too_slow_holds_its_sender_back(port: int) -> None:
    with sp.run(receiving(port)) as there, sp.run(sending(port, endless)) as here:
        until = monotonic() + 20
        while not here.stats().pipes["send.values"].overloaded and monotonic() < until:
            pass
        assert here.stats().ledger.delivered <= 64 + 128  # what the output holds, and a frame
        values = there.stream("receive", timeout=20)
        assert list(range(2000)) == [next(values) for _ in range(2000)]
        assert here.stats().ledger.born < 2000 + 64 + 2 * 128 + 512 + 64
        here.stop(grace=0.0)


def test_sender_waits_for_a_receiver_that_comes_later(port: int) -> None:
    with sp.run(sending(port)) as here:
        until = monotonic() + 20
        while not here.stats().pipes["send.values"].overloaded and monotonic() < until:
            pass
        assert 0 == here.stats().ledger.delivered
        with sp.run(receiving(port)) as there:
            values = there.stream("receive", timeout=20)
            assert list(range(1000)) == [next(values) for _ in range(1000)]
            here.wait(20)


def test_nothing_is_lost_when_the_receiver_is_stopped_and_another_takes_its_place(port: int) -> None:
    is_stopped = Event()

    def many() -> Iterator[int]:
        yield from range(2000)
        is_stopped.wait(20)
        yield from range(2000, 5000)

    received: list[list[int]] = [[], []]
    enough = [Event(), Event()]

    def collect(number: int, *, into: int) -> None:
        received[into].append(number)
        if number >= (300, 4999)[into]:
            enough[into].set()

    with sp.run(sending(port, many)) as here:
        for index in (0, 1):
            with sp.run(receiving(port).add("collect", collect, from_="receive", into=index)):
                assert enough[index].wait(20)
                if index:
                    here.wait(20)  # the last frame is answered only when it was taken
            is_stopped.set()
        assert 5000 == here.stats().ledger.delivered

    first, second = received
    assert list(range(len(first))) == first
    assert list(range(second[0], 5000)) == second
    assert second[0] <= len(first)


def test_receiver_that_never_comes_is_an_error_after_so_many_tries(port: int) -> None:
    with sp.run(sending(port, retries=2)) as here, pytest.raises(sp.UnitFailed) as told:
        here.wait(20)
    assert isinstance(told.value.__cause__, ConnectionError)
    assert f"SocketSender: 127.0.0.1:{port}: " in str(told.value.__cause__)
    assert str(told.value.__cause__).endswith("3 times in a row")


def test_answer_of_something_else_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n")

        thread = Thread(target=answer)
        thread.start()
        with sp.run(sending(server.getsockname()[1], retries=0)) as here, pytest.raises(sp.UnitFailed) as told:
            here.wait(20)
        thread.join()
    assert "that is no SocketReceiver" in str(told.value.__cause__)


def test_other_programs_may_send_and_are_answered_when_the_process_has_taken_it(port: int) -> None:
    with sp.run(receiving(port)) as there, Client(port) as one, Client(port) as another:
        one.send(1, 2)
        another.send({"degrees": 20})
        assert (2, 1) == (one.answer(), another.answer())
        values = there.stream("receive", timeout=20)
        assert {"1", "2", "{'degrees': 20}"} == {str(next(values)) for _ in range(3)}


GOOD = b'["a"]'
HOSTILE = {
    "a browser": b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    "too large": struct.pack(">I", (1 << 24) + 1),
    "no JSON": struct.pack(">I", 5) + b"hello",
    "no UTF-8": struct.pack(">I", 3) + b"\xff\xfe\xfd",
    "no list": struct.pack(">I", 2) + b"{}",
    "nothing": struct.pack(">I", 0),
    "null": struct.pack(">I", 6) + b"[null]",
    "no number": struct.pack(">I", 5) + b"[NaN]",
    "deep": struct.pack(">I", 1 << 20) + b"[" * (1 << 20),
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
def test_who_sends_no_values_is_sent_away_logged_and_disturbs_nobody(
    sent: bytes, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with sp.run(receiving(port)) as there, Client(port) as good:
        good.send("before")
        with Client(port) as bad:
            bad.socket.sendall(sent)
            assert bad.answer() is None
        good.send("after")
        assert (1, 1) == (good.answer(), good.answer())
        values = there.stream("receive", timeout=20)
        assert ["before", "after"] == [next(values), next(values)]
    assert 1 == sum("was sent away" in record.getMessage() for record in caplog.records)


def test_half_a_frame_is_no_value(port: int) -> None:
    with sp.run(receiving(port)) as there:
        with Client(port) as half:
            half.socket.sendall(struct.pack(">I", 5) + b'["a')
        with Client(port) as good:
            good.send("whole")
            assert 1 == good.answer()
        assert "whole" == next(there.stream("receive", timeout=20))
    assert 1 == there.stats().ledger.born


def test_more_senders_than_are_wanted_are_sent_away(port: int) -> None:
    with sp.run(receiving(port, senders=1)), Client(port) as one:
        one.send(1)
        assert 1 == one.answer()
        with Client(port) as another:
            assert another.answer() is None
        one.send(2)
        assert 1 == one.answer()


def test_port_that_is_taken_is_told_before_the_start(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(sp.UnitFailed) as told:
        sp.run(receiving(port))
    assert isinstance(told.value.__cause__, OSError)


def test_only_programs_of_this_machine_are_heard_unless_told_otherwise(port: int) -> None:
    with sp.run(receiving(port)):
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), timeout=5)


def test_senders_are_left_as_soon_as_the_receiver_stops_though_others_have_work_left(port: int) -> None:
    may_go_on = Event()

    async def hold(value: int) -> None:
        await asyncio.to_thread(may_go_on.wait, 20)

    with sp.run(receiving(port).add("hold", hold, from_="receive")) as there, Client(port) as client:
        client.send(1)
        assert 1 == client.answer()
        draining = Thread(target=there.drain)
        draining.start()
        assert client.answer() is None
        assert not there.is_over
        may_go_on.set()
        draining.join()


def test_port_is_free_again_where_nothing_but_the_start_came_about(port: int) -> None:
    unit = SocketReceiver(port=port)
    unit.start()
    with pytest.raises(OSError):
        socket.create_server(("127.0.0.1", port))
    unit.stop()
    socket.create_server(("127.0.0.1", port)).close()


def test_stop_waits_for_nobody_and_logs_nothing(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with sp.run(receiving(port)) as there, Client(port) as idle, Client(port) as half:
        idle.send(1)
        assert 1 == idle.answer()
        half.socket.sendall(struct.pack(">I", 5) + b'["a')
        begin = monotonic()
        there.stop()
        assert monotonic() - begin < 3
        assert idle.answer() is None
    assert [] == caplog.records
