"""The rules of failure for segments, made to happen: real OS processes, real signals, real connections that are cut."""

from __future__ import annotations

import os
import socket
import struct

import pytest
from tests.pipes.net.ends import Kept
from tests.run.segments.cut import address_of
from tests.run.segments.programs import Programs
from tests.run.segments.proxy import Proxy

from streampy.pipes.net.dialling import dial
from streampy.pipes.net.handshake import Identity, Terms
from streampy.pipes.net.io_thread import IoThread
from streampy.pipes.net.settings import ConnectionSettings
from streampy.run.segments.wire import Word

COUNT = 600
LEDGER = dict.fromkeys(("split", "joined", "filtered", "dropped", "failed", "expired", "in_flight"), 0)


def once_each_in_order(outs, count=COUNT):
    """Every item has exactly one result, in order."""
    return [2 * number for number in range(count)] == [out[0] for out in outs]


def all_delivered(end, count=COUNT):
    return end.get("ledger") == {**LEDGER, "born": count, "delivered": count} and end["balanced"]


def test_f17_a_replica_killed_under_load_loses_nothing_and_doubles_nothing(ports):
    with Programs("relay", count=COUNT, pause=0.001, work_pause=0.002) as programs:
        sockets = [ports.take() for _ in range(3)]
        cores = [programs.start("core", port=port) for port in sockets]
        edge = programs.start("edge", dial={"core": [address_of(port) for port in sockets]})
        edge.await_outs(COUNT // 4)
        cores[0].kill()
        edge.await_outs(COUNT // 2)
        cores[1].kill()
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        assert {core.pid for core in cores} == {pid for _, pid in edge.outs}
        cores[2].terminate()
        last = cores[2].await_end()
        assert last["balanced"]
        assert last["ledger"]["in_flight"] == 0


def test_f17_a_replica_that_dies_and_comes_back_takes_up_work_again(ports):
    port = ports.take()
    with Programs("relay", count=COUNT, pause=0.002) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        edge.await_outs(COUNT // 4)
        core.kill()
        again = programs.start("core", port=port)
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        assert {core.pid, again.pid} == {pid for _, pid in edge.outs}


def test_f17_a_connection_that_is_cut_again_and_again_loses_nothing(ports):
    port = ports.take()
    with Proxy(port.getsockname()) as proxy, Programs("relay", count=COUNT, pause=0.003) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": proxy.address})
        for part in range(1, 6):
            edge.await_outs(part * COUNT // 8)
            proxy.cut()
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        core.terminate()
        assert core.await_end()["ledger"]["delivered"] == COUNT
    assert proxy.cuts == 5


def test_f17_a_line_that_is_slow_and_full_is_no_dead_one(ports):
    port = ports.take()
    options = {"count": 150, "size": 8_000}
    with Proxy(port.getsockname(), pace=600_000) as proxy, Programs("relay", **options) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": proxy.address})
        end = edge.await_end()
        assert once_each_in_order(edge.outs, 150)
        assert all_delivered(end, 150)
        assert edge.logs == core.logs == []


def test_f17_a_frozen_replica_is_not_waited_for_and_what_it_says_later_is_not_taken(ports):
    with Programs("relay", count=COUNT, pause=0.003, work_pause=0.002) as programs:
        sockets = [ports.take() for _ in range(2)]
        cores = [programs.start("core", port=port).await_up() for port in sockets]
        edge = programs.start("edge", dial={"core": [address_of(port) for port in sockets]})
        edge.await_outs(COUNT // 4)
        cores[0].freeze()
        edge.await_outs(COUNT // 2)  # the other one has what it had
        cores[0].thaw()
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)


def test_f17_a_replica_that_gets_sigterm_ends_what_it_has_and_others_take_over(ports):
    with Programs("relay", count=COUNT, pause=0.002, work_pause=0.002) as programs:
        sockets = [ports.take() for _ in range(2)]
        cores = [programs.start("core", port=port).await_up() for port in sockets]
        edge = programs.start("edge", dial={"core": [address_of(port) for port in sockets]})
        edge.await_outs(COUNT // 4)
        cores[0].terminate()
        gone = cores[0].await_end()
        assert not edge.end
        assert gone["balanced"]
        assert gone["ledger"]["in_flight"] == gone["ledger"]["dropped"] == 0
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        assert gone["ledger"]["delivered"] == sum(pid == cores[0].pid for _, pid in edge.outs)


def test_f17_without_answers_an_item_comes_once_at_most(ports):
    port = ports.take()
    with Programs("relay", count=COUNT, pause=0.002, link={"ack": "none"}) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        edge.await_outs(COUNT // 4)
        core.kill()
        again = programs.start("core", port=port)
        edge.wait_for(lambda one: any(pid == again.pid for _, pid in one.outs), "a result of the new one")
        values = [value for value, _ in edge.outs]
        assert sorted(set(values)) == values


def test_f17_what_nobody_answers_in_time_is_told_to_the_join_which_goes_on(ports):
    port = ports.take()
    with Programs("relay", count=60, pause=0.02, joins=True, link={"deadline": 0.3}) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        edge.await_outs(20)
        core.kill()
        end = edge.await_end()
        assert list(range(60)) == [x for x, _ in edge.outs]
        answered = [y for _, y in edge.outs if y is not None]
        assert 20 <= len(answered) < 60
        assert end["ledger"]["expired"] == 60 - len(answered)
        assert end["ledger"]["in_flight"] == 0
        assert end["balanced"]


def test_f17_a_far_unit_that_raises_shows_its_own_lines_here(ports):
    port = ports.take()
    with Programs("relay", count=COUNT, fail_at=20) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        told = edge.await_end()["error"]
        assert 'raise ValueError(f"no {x}")' in told
        assert "ValueError: no 20" in told
        assert "unit 'fail' failed on item numbers" in told
        assert "raised in segment 'core'" in told
        assert "ValueError: no 20" in core.await_end()["error"]


GARBAGE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
    os.urandom(5000),
    b"\xff" * 100_000,
    b"",
]


def test_f18_garbage_at_the_port_is_refused_and_logged_and_disturbs_nobody(ports):
    port = ports.take()
    with Programs("relay", count=COUNT, pause=0.003) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        for part, garbage in enumerate(GARBAGE, 1):
            edge.await_outs(part * COUNT // 10)
            with socket.create_connection(port.getsockname(), timeout=10) as stranger:
                try:
                    stranger.sendall(garbage)
                    stranger.shutdown(socket.SHUT_WR)
                    while stranger.recv(4096):
                        pass
                except ConnectionError:
                    pass
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        assert edge.logs == []
        assert len([line for line in core.logs if "expected" in line or "closed" in line]) >= len(GARBAGE) - 1


def test_f18_an_admitted_peer_that_claims_too_much_is_put_out_and_disturbs_nobody(ports):
    port = ports.take()
    with Programs("relay", count=COUNT, pause=0.003) as programs, IoThread() as io:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        edge.await_outs(COUNT // 4)
        owner = Kept()
        settings = ConnectionSettings(Terms(Identity("relay", "edge")))
        dial(io, port.getsockname(), settings, owner)
        stranger = owner.opened.get(timeout=20)
        claim = struct.pack("<BBHIQQ", Word.ITEMS, 0, 1, 0, 0, 10 << 30)
        stranger._out.say(claim)
        assert "expected at most" in str(owner.downs.get(timeout=20))
        core.await_log("bytes in the first part, expected at most")
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        assert edge.logs == []


def test_f18_a_stranger_that_says_nothing_is_put_out(ports):
    port = ports.take()
    with Programs("relay", count=1) as programs:
        core = programs.start("core", port=port).await_up()
        with socket.create_connection(port.getsockname(), timeout=20) as stranger:
            while stranger.recv(4096):
                pass
        core.await_log("handshake was not done")


@pytest.mark.parametrize(
    ("listener", "dialler", "said"),
    [
        ({"token": "open"}, {"token": "wrong"}, "does not know the token"),
        ({"token": "open"}, {}, "a token is asked for"),
        ({}, {"token": "open"}, "none to the one that listens"),
    ],
    ids=["wrong", "missing", "unasked"],
)
def test_f19_a_wrong_token_or_none_is_refused_and_both_ends_say_so(ports, listener, dialler, said):
    port = ports.take()
    with Programs("two_sides", listener=listener, dialler=dialler, count=5) as programs:
        core = programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)}, start_within=1.5)
        assert said in edge.await_end()["error"]
        core.await_log(said)


def test_f19_certificates_decide_who_is_let_in(ports, tmp_path):
    certs = pytest.importorskip("streampy.pipes.net.certs")
    ours = certs.make_certificates(tmp_path / "ours")
    others = certs.make_certificates(tmp_path / "others")
    listener = {"tls": {"ca": str(ours.ca), "cert": str(ours.server), "key": str(ours.server_key)}}
    right = {"tls": {"ca": str(ours.ca), "cert": str(ours.client), "key": str(ours.client_key)}}
    wrong = {"tls": {"ca": str(ours.ca), "cert": str(others.client), "key": str(others.client_key)}}
    none = {"tls": {"ca": str(ours.ca)}}
    unsure = {"tls": {"ca": str(others.ca), "cert": str(ours.client), "key": str(ours.client_key)}}
    for dialler in (wrong, none, unsure, {}):
        port = ports.take()
        with Programs("two_sides", listener=listener, dialler=dialler, count=5) as programs:
            core = programs.start("core", port=port).await_up()
            edge = programs.start("edge", dial={"core": address_of(port)}, start_within=1.5)
            assert "no OS process of segment 'core' could be reached" in edge.await_end()["error"]
            core.wait_for(lambda one: one.logs, "a word of it")
    port = ports.take()
    with Programs("two_sides", listener=listener, dialler=right, count=5) as programs:
        programs.start("core", port=port).await_up()
        edge = programs.start("edge", dial={"core": address_of(port)})
        assert all_delivered(edge.await_end(), 5)
