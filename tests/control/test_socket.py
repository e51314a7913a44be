"""The socket: where it lies, who may use it, and what clients can't do to a run."""

import json
import logging
import os
import socket
import threading
from pathlib import Path

import pytest
from tests.control.waiting import SOON, all_running, until

import streampy as sp
from streampy.run.control import folder as sockets
from streampy.run.control.client import Client, Gone, Refused, choose, find
from streampy.run.control.settings import ControlSettings
from streampy.run.control.verbs import NoSuch


def double(number: int) -> int:
    return 2 * number


def hand(name="hand"):
    return sp.Process(name).add("double", double)


# where it lies


def test_a_run_is_found_and_gone_when_it_is_over(runtime):
    with sp.run(hand()) as running:
        (found,) = find()
        assert ("hand", os.getpid()) == (found.name, found.head["pid"])
        assert [found.address] == running.control.addresses
        assert 0o600 == Path(found.address).stat().st_mode & 0o777
    assert [] == find()
    assert [] == list(runtime.iterdir())


def test_it_may_be_off(runtime):
    with sp.run(hand(), control="off") as running:
        assert running.control is None
        assert [] == list(runtime.iterdir())
        assert not [thread for thread in threading.enumerate() if "control" in thread.name]


def test_the_environment_may_turn_it_off(runtime, monkeypatch):
    monkeypatch.setenv("STREAMPY_CONTROL", "off")
    with sp.run(hand()) as running:
        assert running.control is None


def test_one_thread_is_all_that_it_takes_while_nobody_asks():
    with sp.run(hand()):
        assert ["streampy control"] == [one.name for one in threading.enumerate() if "control" in one.name]


def test_what_a_dead_run_left_is_swept(runtime):
    left = runtime / "dead..0.4711-1.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
        dead.listen()
    assert left.exists()
    assert [] == find()
    assert not left.exists()


def test_a_run_that_is_killed_leaves_what_the_next_look_sweeps(runtime, started):
    program = started("run", "live.yaml")
    (found,) = all_running()
    program.kill()
    program.wait(SOON)
    assert Path(found.address).exists()
    assert [] == find()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_may_enter_is_not_used(runtime, caplog, mode):
    runtime.chmod(mode)
    with sp.run(hand()) as running:
        assert [] == running.control.addresses
        assert 4 == running.call("double", 2)
    assert f"others may look into {runtime} (mode {mode:o}): `chmod 700 {runtime}`" in caplog.text
    with pytest.raises(sockets.Unsafe):
        find()
    runtime.chmod(0o700)


def test_a_link_is_no_folder(runtime, tmp_path, monkeypatch, caplog):
    elsewhere = runtime.with_name(f"{runtime.name}l")
    elsewhere.symlink_to(runtime)
    monkeypatch.setenv("STREAMPY_RUNTIME_DIR", str(elsewhere))
    try:
        with sp.run(hand()) as running:
            assert [] == running.control.addresses
        assert "is no folder" in caplog.text
    finally:
        elsewhere.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_not_used(runtime, caplog):
    os.chown(runtime, 12345, -1)
    with sp.run(hand()) as running:
        assert [] == running.control.addresses
    assert f"{runtime} belongs to user 12345" in caplog.text
    os.chown(runtime, 0, -1)


def test_a_path_that_is_too_long_for_a_socket_is_told(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("STREAMPY_RUNTIME_DIR", str(tmp_path / ("x" * 80)))
    with sp.run(hand()) as running:
        assert [] == running.control.addresses
    assert "is too long for a socket in it" in caplog.text


def test_a_long_name_of_the_system_is_left_for_one_that_fits(monkeypatch, tmp_path):
    monkeypatch.delenv("STREAMPY_RUNTIME_DIR")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108
    assert Path("/tmp/streampy") == sockets.folder()  # noqa: S108
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert Path(f"/tmp/streampy-{os.getuid()}") == sockets.folder()  # noqa: S108


def test_odd_and_long_names_make_a_socket_all_the_same():
    name = "größer als/alles: " * 5
    with sp.run(hand(name.strip())) as running:
        (found,) = find()
        assert name.strip() == found.head["process"]
        assert len(os.fsencode(running.control.addresses[0])) <= 107


def test_several_runs_are_told_apart(runtime):
    with sp.run(hand("one")), sp.run(hand("two")), sp.run(hand("two")):
        there = find()
        assert ["one", "two", "two"] == [found.name for found in there]
        assert ["one"] == [found.name for found in choose(there, "one")]
        with pytest.raises(NoSuch, match="nothing that runs is called 'on', did you mean 'one'"):
            choose(there, "on")
        with pytest.raises(NoSuch, match="several runs are meant"):
            choose(there, "")


# what is logged


def test_warnings_reach_stderr_as_without_control(capfd, parts):
    with sp.run(sp.Process("errors").add("choosy", parts.choosy, on_error="skip")) as running:
        root = logging.getLogger()
        handlers, root.handlers[:] = root.handlers[:], []
        try:
            running.push("choosy", 3)
            until(lambda: running.stats().ledger.failed)
            until(running.control._journal.lines)
        finally:
            root.handlers[:] = handlers
    assert 1 == capfd.readouterr().err.count("ValueError: not a three\nTraceback")
    assert not logging.getLogger("streampy").handlers


# who may ask


def test_off_loopback_there_must_be_a_token():
    with pytest.raises(sp.StreamPyError, match="can be reached from other machines, so it needs a token"):
        sp.run(hand(), control="tcp://0.0.0.0:0")


@pytest.mark.parametrize("where", ["tcp://", "http://127.0.0.1:80", "yes"])
def test_what_is_no_address_is_told(where):
    with pytest.raises(sp.StreamPyError, match="expected on, off or tcp://HOST:PORT"):
        sp.run(hand(), control=where)


def test_an_address_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(sp.RunError, match=f"control can't listen at tcp://127.0.0.1:{port}"):
            sp.run(hand(), control=f"tcp://127.0.0.1:{port}")


def test_it_is_reached_over_tcp():
    with sp.run(hand(), control="tcp://127.0.0.1:0") as running:
        _, address = running.control.addresses
        with Client(address) as client:
            assert "hand" == client.hello()["process"]
    until(lambda: not [one for one in threading.enumerate() if "control" in one.name])
    with pytest.raises(Gone, match=f"nobody answers at {address}"):
        Client(address)


@pytest.mark.parametrize("token", ["", "wrong", "secre", "secret2"])
def test_without_the_token_nothing_is_told(token):
    settings = ControlSettings(where="tcp://127.0.0.1:0", token="secret")  # noqa: S106
    with sp.run(hand(), control=settings) as running:
        address = running.control.addresses[1]
        with Client(address, token) as client, pytest.raises(Refused, match="the token is missing, or is another one"):
            client.hello()
        with Client(address, "secret") as client:
            assert "hand" == client.hello()["process"]
        with Client(running.control.addresses[0]) as client:
            assert "hand" == client.hello()["process"]


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b'POST / HTTP/1.1\r\nHost: x\r\n\r\n{"do": "stop"}\n',
        b"\x00\xff\xfe\n",
        b"[1]\n",
        b'{"do": 1}\n',
        b'{"id": 1}\n',
        b"[" * 200_000 + b"\n",
        b"x" * (2 << 20),
    ],
)
def test_what_is_no_request_ends_the_visit_and_disturbs_nobody(said):
    with sp.run(hand()) as running, Client(running.control.addresses[0]) as client:
        client.hello()
        with socket.socket(socket.AF_UNIX) as odd:
            odd.settimeout(SOON)
            odd.connect(running.control.addresses[0])
            try:
                odd.sendall(said)
                answer = odd.makefile("rb").read()
                assert not json.loads(answer)["ok"]
            except ConnectionError:
                pass
        assert "running" == client.hello()["state"]
        assert 4 == running.call("double", 2)


# many, slow, and vanishing ones


def test_a_hundred_clients_of_whom_many_never_read_and_vanish_do_not_disturb_the_run(parts):
    process = sp.Process("many").add("ticks", parts.ticks, pause=0.001)
    process.add("last", parts.last, from_="ticks", pipe={"capacity": 8})
    with sp.run(process) as running:
        address = running.control.addresses[0]
        clients = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        readers = []
        try:
            for client in clients:
                client.connect(address)
                client.sendall(b'{"id": 1, "do": "watch", "every": 0.1}\n')
            readers += [client.makefile("rb") for client in clients[:10]]
            for _ in range(5):
                assert all(json.loads(reader.readline()) for reader in readers)
            for client in clients[50:]:
                client.close()
            born = running.stats().ledger.born
            until(lambda: running.stats().ledger.born > born + 100)
            assert all(json.loads(reader.readline()) for reader in readers)
            assert running.control._clients <= 100
        finally:
            for client in (*readers, *clients):
                client.close()
        until(lambda: running.control._clients == 0)
        running.drain()
    ledger = running.stats().ledger
    assert ledger.balanced
    assert ledger.born == ledger.delivered


def test_more_clients_than_there_is_room_for_are_turned_away():
    with sp.run(hand()) as running:
        address = running.control.addresses[0]
        clients = [Client(address) for _ in range(256)]
        until(lambda: running.control._clients == 256)
        with pytest.raises(Gone), Client(address) as late:
            late.hello()
        for client in clients:
            client.close()
        until(lambda: running.control._clients == 0)
        with Client(address) as client:
            assert "hand" == client.hello()["process"]
