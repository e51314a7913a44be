"""Segments that reach each other by way of a NATS server: a real one, which is killed, as they are."""

from __future__ import annotations

from threading import enumerate as enumerate_threads

import pytest
from tests.run.segments import graphs
from tests.run.segments.cut import address_of
from tests.run.segments.nats_server import NatsServer, free_port, needs_nats
from tests.run.segments.programs import Programs
from tests.run.segments.test_rules import all_delivered, once_each_in_order

import streampy as sp
from streampy.pipes.net.certs import make_certificates

pytestmark = needs_nats()
COUNT = 300


@pytest.fixture
def server(tmp_path):
    with NatsServer(tmp_path) as server:
        yield server


def test_every_item_comes_once_and_its_result_comes_back(server):
    with Programs("relay", count=COUNT, link={"via": server.url}) as programs:
        core = programs.start("core")
        edge = programs.start("edge")
        end = edge.await_end()
        assert once_each_in_order(edge.outs, COUNT)
        assert all_delivered(end, COUNT)
        core.terminate()
        last = core.await_end()
        assert last["balanced"]
        assert last["ledger"]["delivered"] == COUNT


def test_f17_by_a_broker_a_replica_that_is_killed_and_comes_back_takes_up_work_again(server):
    with Programs("relay", count=COUNT, pause=0.002, link={"via": server.url}) as programs:
        core = programs.start("core").await_up()
        edge = programs.start("edge")
        edge.await_outs(COUNT // 4)
        core.kill()
        again = programs.start("core")
        end = edge.await_end()
        assert once_each_in_order(edge.outs, COUNT)
        assert all_delivered(end, COUNT)
        assert {core.pid, again.pid} == {pid for _, pid in edge.outs}


def test_f17_by_a_broker_what_a_killed_replica_had_is_given_to_the_other_one(server):
    graph = {"count": COUNT, "pause": 0.002, "work_pause": 0.002, "segment": {"replicas": 2}}
    with Programs("relay", **graph, link={"via": server.url}) as programs:
        cores = [programs.start("core").await_up() for _ in range(2)]
        edge = programs.start("edge")
        edge.await_outs(COUNT // 4)
        cores[0].kill()
        end = edge.await_end()
        assert once_each_in_order(edge.outs, COUNT)
        assert all_delivered(end, COUNT)
        assert {core.pid for core in cores} == {pid for _, pid in edge.outs}


def test_f17_by_a_broker_a_server_that_is_killed_and_comes_back_with_its_store_loses_nothing(server):
    with Programs("relay", count=COUNT, pause=0.003, link={"via": server.url}) as programs:
        core = programs.start("core").await_up()
        edge = programs.start("edge")
        for part in (1, 2):
            edge.await_outs(part * COUNT // 4)
            server.kill()
            edge.wait_for(lambda one, n=part: sum("can't be reached" in log for log in one.logs) == n, "the log")
            server.start()
        end = edge.await_end()
        assert once_each_in_order(edge.outs, COUNT)
        assert all_delivered(end, COUNT)
        core.terminate()
        assert core.await_end()["balanced"]


def test_a_server_that_comes_back_without_its_store_is_told_everything_again(server):
    with Programs("relay", count=COUNT, pause=0.003, link={"via": server.url}) as programs:
        programs.start("core").await_up()
        edge = programs.start("edge")
        edge.await_outs(COUNT // 4)
        server.kill()
        server.forget()
        server.start()
        end = edge.await_end()
        assert once_each_in_order(edge.outs, COUNT)
        assert all_delivered(end, COUNT)


def test_the_far_segment_may_come_later(server):
    with Programs("relay", count=COUNT, link={"via": server.url, "window": 2 * COUNT}) as programs:
        edge = programs.start("edge").await_up()
        server.await_messages("STREAMPY_relay_queues", COUNT)
        programs.start("core")
        assert all_delivered(edge.await_end(), COUNT)
        assert once_each_in_order(edge.outs, COUNT)


def test_joins_meet_what_comes_back(server):
    with Programs("relay", count=COUNT, joins=True, link={"via": server.url}) as programs:
        programs.start("core")
        edge = programs.start("edge")
        assert edge.await_end()["balanced"]
        assert [[number, 2 * number] for number in range(COUNT)] == [[x, y[0]] for x, y in edge.outs]


def test_what_nobody_asks_after_waits_in_the_queue_when_its_sender_has_gone(server):
    with Programs("sink", count=COUNT, link={"via": server.url, "ack": "none"}) as programs:
        edge = programs.start("edge")
        assert all_delivered(edge.await_end(), COUNT)
        core = programs.start("core")
        core.await_outs(COUNT)
        core.terminate()
        assert core.await_end()["balanced"]
        assert list(range(COUNT)) == core.outs


def test_frames_that_are_larger_than_the_server_takes_cross_in_pieces(server):
    size = 6_000_000
    with Programs("frames", count=5, size=size, link={"via": server.url}) as programs:
        programs.start("core")
        edge = programs.start("edge")
        assert all_delivered(edge.await_end(), 5)
        assert [[number, size + 1] for number in range(5)] == edge.outs
    assert server.messages("STREAMPY_frames_queues") == server.messages("STREAMPY_frames_letters") == 0


def test_a_unit_that_takes_the_whole_stream_has_all_of_it_before_the_end(server):
    with Programs("total", count=COUNT, link={"via": server.url}) as programs:
        core = programs.start("core", expect={"edge": 1})
        edge = programs.start("edge", expect={"core": 1})
        assert edge.await_end()["balanced"]
        assert core.await_end()["balanced"]
        assert [sum(range(COUNT))] == edge.outs


def test_a_replica_that_gets_sigterm_ends_what_it_has_and_others_take_over(server):
    graph = {"count": COUNT, "pause": 0.002, "work_pause": 0.002, "segment": {"replicas": 2}}
    with Programs("relay", **graph, link={"via": server.url}) as programs:
        cores = [programs.start("core").await_up() for _ in range(2)]
        edge = programs.start("edge")
        edge.await_outs(COUNT // 4)
        cores[0].terminate()
        gone = cores[0].await_end()
        assert not edge.end
        assert gone["balanced"]
        assert gone["ledger"]["in_flight"] == gone["ledger"]["dropped"] == 0
        end = edge.await_end()
        assert once_each_in_order(edge.outs, COUNT)
        assert all_delivered(end, COUNT)
        assert gone["ledger"]["delivered"] == sum(pid == cores[0].pid for _, pid in edge.outs)


def test_what_nobody_answers_in_time_is_told_to_the_join_which_goes_on(server):
    with Programs("relay", count=60, pause=0.02, joins=True, link={"via": server.url, "deadline": 0.3}) as programs:
        core = programs.start("core").await_up()
        edge = programs.start("edge")
        edge.await_outs(20)
        core.kill()
        end = edge.await_end()
        assert list(range(60)) == [x for x, _ in edge.outs]
        answered = [y for _, y in edge.outs if y is not None]
        assert 20 <= len(answered) < 60
        assert end["ledger"]["expired"] == 60 - len(answered)
        assert end["balanced"]


def test_a_far_unit_that_raises_shows_its_own_lines_here(server):
    with Programs("relay", count=COUNT, fail_at=20, link={"via": server.url}) as programs:
        core = programs.start("core").await_up()
        edge = programs.start("edge")
        told = edge.await_end()["error"]
        assert 'raise ValueError(f"no {x}")' in told
        assert "raised in segment 'core'" in told
        assert "ValueError: no 20" in core.await_end()["error"]


def test_what_is_no_letter_is_thrown_away_and_disturbs_nobody(server):
    with Programs("relay", count=COUNT, pause=0.002, link={"via": server.url}) as programs:
        core = programs.start("core").await_up()
        edge = programs.start("edge")
        edge.await_outs(COUNT // 4)
        server.publish("streampy.relay.queues.core.edge", b"GET / HTTP/1.1\r\n\r\n")
        core.await_log("is thrown away")
        assert all_delivered(edge.await_end(), COUNT)


def error_of(link, segment="edge", **told):
    with Programs("relay", count=1, link=link) as programs:
        return programs.start(segment, start_within=1.0, **told).await_end()["error"]


def test_an_address_at_which_no_server_is_is_told():
    told = error_of({"via": f"nats://anna:secret@127.0.0.1:{free_port()}"})
    assert "segment 'edge', links.edge -> core.via: no NATS server answers at 127.0.0.1:" in told
    assert "secret" not in told


def test_a_server_without_a_store_is_told_with_what_helps(tmp_path):
    with NatsServer(tmp_path, stores=False) as server:
        told = error_of({"via": server.url})
        assert "has no JetStream" in told
        assert "start it with `nats-server -js -sd FOLDER`" in told


def test_who_is_not_let_in_is_told_what_to_give_and_nothing_secret_is_shown(tmp_path):
    with NatsServer(tmp_path, config='authorization {user: anna, password: "right"}') as server:
        wrong = error_of({"via": server.url.replace("//", "//anna:wr0ng@")})
        none = error_of({"via": server.url})
        assert "does not let this segment in (Authorization Violation)" in wrong
        assert "give it a user or a token, via: nats://USER:PASSWORD@HOST:PORT, or `token`" in none
        assert "wr0ng" not in wrong
        with Programs("relay", count=COUNT, link={"via": server.url.replace("//", "//anna:right@")}) as programs:
            programs.start("core")
            assert all_delivered(programs.start("edge").await_end(), COUNT)


def test_the_token_of_the_link_is_that_of_the_server(tmp_path):
    with NatsServer(tmp_path, config='authorization {token: "s3cret"}') as server:
        with Programs("relay", count=COUNT, link={"via": server.url, "token": "s3cret"}) as programs:
            programs.start("core")
            assert all_delivered(programs.start("edge").await_end(), COUNT)


def test_tls_of_the_link_is_that_of_the_server(tmp_path):
    made = make_certificates(tmp_path)
    config = f'tls {{ca_file: "{made.ca}", cert_file: "{made.server}", key_file: "{made.server_key}", verify: true}}'
    files = {"ca": str(made.ca), "cert": str(made.client), "key": str(made.client_key)}
    with NatsServer(tmp_path, config=config) as server:
        with Programs("relay", count=COUNT, link={"via": server.url, "tls": files}) as programs:
            programs.start("core")
            assert all_delivered(programs.start("edge").await_end(), COUNT)


def test_what_may_have_to_meet_again_wants_one_replica():
    process = graphs.total(count=1, replicas=2, link={"via": "nats://127.0.0.1:4222"})
    with pytest.raises(sp.StreamPyError, match="spreads items over its 2 replicas: give it one replica"):
        sp.run(process, segment="edge")


def test_one_neighbour_may_be_dialled_and_another_one_reached_by_a_broker(server, ports):
    port = ports.take()
    with Programs("three", count=COUNT, via=server.url, dial=address_of(port)) as programs:
        programs.start("gpu", port=port)
        programs.start("core")
        edge = programs.start("edge")
        assert edge.await_end()["balanced"]
        assert [[number, 2 * number] for number in range(COUNT)] == [[x, y[0]] for x, y in edge.outs]


@pytest.mark.long
def test_all_of_three_segments_may_be_reached_by_a_broker(server):
    with Programs("three", count=COUNT, via=server.url) as programs:
        programs.start("gpu")
        core = programs.start("core").await_up()
        edge = programs.start("edge")
        edge.await_outs(COUNT // 4)
        core.kill()
        programs.start("core")
        assert edge.await_end()["balanced"]
        assert [[number, 2 * number] for number in range(COUNT)] == [[x, y[0]] for x, y in edge.outs]


@pytest.mark.long
def test_what_nobody_asks_after_is_given_to_another_one_where_a_replica_dies_with_it(server):
    with Programs("sink", count=COUNT, work_pause=0.005, link={"via": server.url, "ack": "none"}) as programs:
        assert all_delivered(programs.start("edge").await_end(), COUNT)
        core = programs.start("core")
        core.await_outs(COUNT // 4)
        core.kill()
        again = programs.start("core")
        assert len(core.outs) < COUNT
        again.wait_for(lambda one: {*core.outs, *one.outs} == {*range(COUNT)}, "all items")


def test_more_items_than_the_window_may_wait_for_each_other(server):
    with Programs("pairs", count=COUNT, link={"via": server.url, "window": 8}) as programs:
        core = programs.start("core", expect={"edge": 1})
        edge = programs.start("edge", expect={"core": 1})
        assert edge.await_end()["balanced"]
        assert core.await_end()["balanced"]
        assert [[number, number] for number in range(COUNT)] == sorted(core.outs)


@pytest.mark.long
def test_what_waited_for_others_in_a_killed_replica_waits_in_the_next_one(server):
    with Programs("pairs", count=COUNT, link={"via": server.url}) as programs:
        core = programs.start("core", expect={"edge": 1}).await_up()
        core.freeze()
        edge = programs.start("edge", expect={"core": 1})
        server.await_messages("STREAMPY_pairs_queues", 2 * COUNT)
        core.thaw()
        core.await_outs(COUNT // 4)
        core.kill()
        again = programs.start("core", expect={"edge": 1})
        assert edge.await_end()["balanced"]
        assert again.await_end()["balanced"]
        assert {number for number, _ in [*core.outs, *again.outs]} == {*range(COUNT)}


def test_nothing_is_left_where_a_segment_has_ended(server):
    process = graphs.relay(count=COUNT, link={"via": server.url})
    with Programs("relay", count=COUNT, link={"via": server.url}) as programs:
        programs.start("core")
        with sp.run(process, segment="edge") as running:
            (output,) = running._segment.outputs
            assert once_each_in_order(list(running.stream(output)), COUNT)
        assert running.stats().ledger.balanced
        assert [] == [thread.name for thread in enumerate_threads() if "nats" in thread.name]
