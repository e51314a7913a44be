"""A connection carries frames both ways, ends gracefully, and tells of a death: real sockets on loopback."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from threading import Thread
from time import monotonic

import numpy as np
import pytest
from tests.pipes.net.ends import CORE, CREDIT, EDGE, ENDED, ITEMS, SOON, Kept, a_door, both_ends, settings, started

from streampy.pipes.net.dialling import dial
from streampy.pipes.net.errors import LinkError, PeerLost, ProtocolError, Refused, Why
from streampy.pipes.net.frames import Frame, Kind

LARGE = np.arange(3_000_000, dtype=np.uint16).data.cast("B")
OTHER = """
import sys
from tests.pipes.net.ends import *
with started() as io:
    owner = Kept(lambda connection, frame: connection.send(frame))
    dial(io, ("127.0.0.1", int(sys.argv[1])), settings(), owner)
    owner.connection()
    print("open", flush=True)
    owner.down()
"""


@contextmanager
def other_os_process(port: int):
    """The dialling end in an OS process of its own; it echoes."""
    with subprocess.Popen([sys.executable, "-c", OTHER, str(port)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"open\n"
            yield other
        finally:
            with suppress(ProcessLookupError):
                other.send_signal(signal.SIGCONT)
                other.kill()


def numbers(owner: Kept, count: int) -> list[int]:
    return [owner.frame().number for _ in range(count)]


def test_frames_go_both_ways_in_their_order_large_ones_too():
    with both_ends() as ends:
        for number in range(20):
            parts = (b"small",) if number % 2 else (b"head", LARGE)
            ends.edge.send(Frame(ITEMS, number, parts=parts))
            ends.core.send(Frame(ENDED, number, channel=7, flags=3, parts=parts))
        for owner in (ends.core_owner, ends.edge_owner):
            for number in range(20):
                frame = owner.frame()
                assert number == frame.number
                assert number % 2 or memoryview(frame.parts[1]) == LARGE
        assert (7, 3) == (frame.channel, frame.flags)


def test_many_threads_may_send_and_each_keeps_its_order():
    def send_many(channel: int) -> None:
        for number in range(300):
            ends.edge.send(Frame(ITEMS, number, channel, parts=(b"x" * (number * 97 % 40_000),)))

    with both_ends() as ends:
        threads = [Thread(target=send_many, args=(channel,)) for channel in range(4)]
        for thread in threads:
            thread.start()
        came = [ends.core_owner.frame() for _ in range(1200)]
        for thread in threads:
            thread.join()
    for channel in range(4):
        assert list(range(300)) == [frame.number for frame in came if frame.channel == channel]


def test_an_owner_may_answer_in_the_call():
    with both_ends(core_owner=Kept(lambda connection, frame: connection.send(frame))) as ends:
        ends.edge.send(Frame(ITEMS, 5, parts=(b"head", LARGE)))
        assert memoryview(ends.edge_owner.frame().parts[1]) == LARGE


def test_both_ends_know_each_other():
    with both_ends(settings(EDGE), settings(CORE)) as ends:
        assert (CORE, EDGE) == (ends.edge.peer, ends.core.peer)
        assert abs(ends.edge.clock.seconds) <= ends.edge.clock.error
        assert "faces/core/core-1 open" in repr(ends.edge)


def test_what_was_sent_before_the_leave_arrives_and_both_ends_are_told():
    with both_ends() as ends:
        for number in range(10):
            ends.edge.send(Frame(ITEMS, number, parts=(b"head", LARGE)))
        ends.edge.leave()
        with pytest.raises(LinkError, match="this end has left"):
            ends.edge.send(Frame(ITEMS))
        assert list(range(10)) == numbers(ends.core_owner, 10)
        assert ends.edge_owner.down() is None
        assert ends.core_owner.down() is None


def test_what_the_other_end_has_under_way_still_comes_after_the_leave():
    with both_ends() as ends:
        for number in range(10):
            ends.core.send(Frame(ITEMS, number, parts=(b"head", LARGE)))
        ends.edge.close()
        assert list(range(10)) == numbers(ends.edge_owner, 10)
        assert ends.edge_owner.down() is None


def test_who_will_leave_soon_says_so_and_goes_on():
    with both_ends() as ends:
        ends.core.going()
        assert ends.edge_owner.is_told_going.wait(SOON)
        ends.core.send(Frame(ITEMS, 1))
        assert [1] == numbers(ends.edge_owner, 1)


def test_sigkill_of_the_other_end_is_told_at_once():
    owner = Kept()
    with started() as io, a_door(io, owner) as door, other_os_process(door.address[1]) as other:
        connection = owner.connection()
        other.kill()
        with pytest.raises(PeerLost, match=r"its OS process ended|reset by peer"):
            raise owner.down()
        with pytest.raises(PeerLost):
            connection.send(Frame(ITEMS))


def test_an_end_that_hangs_is_noticed_by_its_missing_heartbeats_and_nobody_else_is_disturbed():
    owner, neighbour = Kept(), Kept()
    core = settings(CORE, heartbeat=0.1, lost_after=0.5)
    with started() as io, a_door(io, owner, core) as door:
        with other_os_process(door.address[1]) as other:
            owner.connection()
            with started() as here:
                ours = dial(here, door.address, settings(), neighbour)
                neighbour.connection()
                other.send_signal(signal.SIGSTOP)
                with pytest.raises(PeerLost, match=r"nothing was heard for|timed out"):
                    raise owner.down()
                ours.send(Frame(ITEMS, 3))
                assert [3] == numbers(owner, 1)
                ours.close()


def test_a_slow_reader_holds_its_sender_back_and_not_the_neighbours():
    proceed = threading.Event()
    edge = settings(EDGE, lost_after=SOON, outbox=1_000_000)
    with both_ends(edge, settings(CORE, lost_after=SOON), core_owner=Kept(lambda *_: proceed.wait(SOON))) as slow:
        with both_ends() as quick:
            number = 0
            with pytest.raises(TimeoutError, match=r"takes nothing: .* bytes wait to be sent"):  # noqa: PT012 - which one
                while number < 1000:
                    slow.edge.send(Frame(ITEMS, number, parts=(b"head", LARGE)), monotonic() + 0.2)
                    number += 1
            assert slow.edge.stats.waiting < 1_000_000 + LARGE.nbytes + 100
            quick.edge.send(Frame(ITEMS, 7))
            assert [7] == numbers(quick.core_owner, 1)
        proceed.set()
        slow.edge.send(Frame(ITEMS, number, parts=(b"head", LARGE)), monotonic() + SOON)
        assert list(range(number + 1)) == numbers(slow.core_owner, number + 1)


def test_in_the_io_thread_a_full_outbox_is_told_instead_of_waited_for():
    errors = []

    def flood(connection, _):
        with pytest.raises(TimeoutError) as raised:  # noqa: PT012 - that one of them
            for _ in range(1000):
                connection.send(Frame(ITEMS, parts=(b"head", LARGE)))
        connection.post(Frame(CREDIT, 1))
        errors.append(raised.value)

    with both_ends(core=settings(CORE, outbox=1_000_000), core_owner=Kept(flood)) as ends:
        ends.edge.send(Frame(ITEMS))
        while ends.edge_owner.frame().kind != CREDIT:
            pass
    assert len(errors) == 1


def test_who_waits_for_room_is_woken_by_the_end_of_the_connection():
    proceed = threading.Event()
    raised = []

    def send_much():
        try:
            while True:
                ends.edge.send(Frame(ITEMS, parts=(b"head", LARGE)))
        except LinkError as error:
            raised.append(error)

    edge = settings(EDGE, lost_after=SOON, outbox=1)
    with both_ends(edge, settings(CORE, lost_after=SOON), core_owner=Kept(lambda *_: proceed.wait(SOON))) as ends:
        thread = Thread(target=send_much)
        thread.start()
        ends.core_owner.frame()
        ends.edge.abort(LinkError("enough of it"))
        thread.join(SOON)
        proceed.set()
    assert ["enough of it"] == list(map(str, raised))


def test_what_the_owner_raises_ends_that_connection_alone_and_both_are_told_why():
    def fail(*_):
        raise KeyError("no such channel")

    with both_ends() as neighbour, both_ends(core_owner=Kept(fail)) as ends:
        ends.edge.send(Frame(ITEMS))
        assert "what came could not be taken: KeyError: 'no such channel'" in str(ends.core_owner.down())
        assert "gave up: " in str(told := ends.edge_owner.down())
        assert "no such channel" in str(told)
        neighbour.edge.send(Frame(ITEMS, 1))
        assert [1] == numbers(neighbour.core_owner, 1)


def test_garbage_after_the_handshake_ends_that_connection_alone():
    with both_ends() as neighbour, both_ends() as ends:
        ends.edge._out.say(b"garbage " * 10)
        assert isinstance(ends.core_owner.down(), ProtocolError)
        assert "gave up: the head of a frame: got kind 103" in str(ends.edge_owner.down())
        neighbour.edge.send(Frame(ITEMS, 1))
        assert [1] == numbers(neighbour.core_owner, 1)


def test_a_frame_of_the_handshake_after_it_is_refused():
    with both_ends() as ends:
        ends.edge.send(Frame(Kind.HELLO))
        assert "got a frame of kind HELLO, expected none of the handshake" in str(ends.core_owner.down())


def test_strangers_who_say_nothing_take_only_the_room_of_strangers():
    owner = Kept()
    with started() as io, a_door(io, owner, settings(CORE, greetings=3, greet_within=1.0)) as door:
        strangers = [socket.create_connection(door.address) for _ in range(3)]
        turned_away = Kept()
        dial(io, door.address, settings(), turned_away)
        error = turned_away.down()
        assert isinstance(error, Refused)
        assert error.why is Why.BUSY
        assert "3 others are being greeted here; try again later" in str(error)
        assert door.turned_away == 1
        for stranger in strangers:
            stranger.close()
            owner.down()
        edge = Kept()
        dial(io, door.address, settings(), edge)
        edge.connection().close()


def test_an_io_thread_that_ends_takes_all_its_connections_down():
    edge, core = Kept(), Kept()
    with started() as there, a_door(there, core) as door:
        with started() as here:
            ours = dial(here, door.address, settings(), edge)
            edge.connection()
        assert "this end was closed" in str(edge.down())
        assert "this end was closed" in str(core.down())
        ours.close()
    with pytest.raises(RuntimeError, match="nothing is called any more"):
        dial(here, door.address, settings(), edge)
