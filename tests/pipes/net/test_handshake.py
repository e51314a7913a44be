"""Two ends come to know each other, or each says clearly why not: real connections over loopback."""

from __future__ import annotations

import socket
from time import monotonic

import pytest
from tests.pipes.net.ends import CORE, EDGE, SOON, Kept, a_door, both_ends, refused, settings, started

from streampy.pipes.net import handshake
from streampy.pipes.net.dialling import dial
from streampy.pipes.net.errors import LinkError, PeerLost, ProtocolError, Refused, Why
from streampy.pipes.net.frames import FrameReader
from streampy.pipes.net.handshake import Handshake, Identity, Terms
from streampy.pipes.net.limits import GREETING, Limits

FAR = 86400.0


def shake(dialler: Handshake, listener: Handshake) -> None:
    """Carry what each says to the other, until both are done."""
    readers = FrameReader(GREETING), FrameReader(GREETING)
    said = [listener.start(), dialler.start()]
    while any(said):
        for number, end in enumerate((dialler, listener)):
            data, said[number] = said[number], b""
            place = readers[number].room()
            place[: len(data)] = data
            readers[number].filled(len(data))
            said[1 - number] += end.go_on(readers[number])


def test_both_learn_who_is_there_the_lower_limits_and_the_offset_of_the_clocks():
    dialler = handshake.dial(Terms(EDGE, limits=Limits(frame=50_000_000)), monotonic)
    listener = handshake.listen(Terms(CORE, limits=Limits(head=1_000_000)), lambda: monotonic() + FAR)
    shake(dialler, listener)
    assert (CORE, EDGE) == (dialler.greeted.who, listener.greeted.who)
    assert Limits(frame=50_000_000, head=1_000_000) == dialler.greeted.limits == listener.greeted.limits
    assert abs(dialler.greeted.clock.seconds - FAR) <= dialler.greeted.clock.error
    assert -dialler.greeted.clock.seconds == listener.greeted.clock.seconds


def test_the_same_token_at_both_ends_opens_and_is_never_sent():
    token = "a token that nobody must see"  # noqa: S105 - of this test
    heard = []
    with (
        started() as io,
        a_door(io, Kept(), settings(CORE, token=token)) as door,
        socket.create_server(("127.0.0.1", 0)) as tap,
    ):
        edge = Kept()
        ours = dial(io, tap.getsockname(), settings(EDGE, token=token), edge)
        here, _ = tap.accept()
        with here, socket.create_connection(door.address) as there:
            here.settimeout(0.05)
            there.settimeout(0.05)
            while edge.opened.empty():
                for one, other in ((here, there), (there, here)):
                    try:
                        heard.append(one.recv(10_000))
                    except TimeoutError:
                        continue
                    other.sendall(heard[-1])
            ours.abort(LinkError("enough"))
            edge.down()
    assert token.encode() not in b"".join(heard)
    assert sum(map(len, heard)) > 500


def test_the_token_is_not_shown_where_the_settings_are():
    assert "hidden" not in repr(settings(EDGE, token="hidden"))  # noqa: S106 - of this test


@pytest.mark.parametrize(
    ("edge", "core", "at_edge", "at_core"),
    [
        ("a", "b", "refused the connection: faces/edge does not know the token", "faces/edge does not know the token"),
        (
            "",
            "b",
            "a token is asked for .* and the one that dials has none; give it",
            "refused the connection: a token is",
        ),
        (
            "a",
            "",
            "a token was given to the end that dials, and none to the one",
            "refused the connection: a token was given",
        ),
    ],
)
def test_a_wrong_token_is_told_at_both_ends(edge, core, at_edge, at_core):
    for error, told in zip(
        refused(settings(EDGE, token=edge), settings(CORE, token=core)), (at_edge, at_core), strict=True
    ):
        assert isinstance(error, Refused)
        assert error.why is Why.TOKEN
        with pytest.raises(Refused, match=told):
            raise error


def test_another_process_is_refused_by_name():
    at_edge, at_core = refused(settings(Identity("other", "edge")), settings(CORE))
    assert Why.PROCESS is at_edge.why is at_core.why
    assert "one end is of process 'other', the other of process 'faces'" in str(at_core)
    assert str(at_core) in str(at_edge)


def test_another_segment_than_the_one_that_was_dialled_is_refused():
    at_edge, at_core = refused(settings(EDGE), settings(CORE), wanted="store")
    assert "segment 'store' was dialled, and 'core' is there" in str(at_edge)
    assert str(at_edge) in str(at_core)


def test_who_listens_may_refuse_whom_it_does_not_want():
    core = settings(CORE, accept=lambda who: "" if who.epoch else f"{who} is of an epoch that is over")
    at_edge, _ = refused(settings(EDGE), core)
    assert "faces/edge is of an epoch that is over" in str(at_edge)
    with both_ends(settings(EDGE._replace(epoch=1)), core):
        pass


@pytest.mark.parametrize("begin", [handshake.dial, handshake.listen])
def test_another_version_is_told(begin):
    end = begin(Terms(CORE), monotonic)
    other_version = end.start()[:8] + b"\x00\x63"
    with pytest.raises(Refused, match=r"speaks version 99 .*, this end version 1; install the same StreamPy") as raised:
        feed_opening(end, other_version)
    assert raised.value.why is Why.VERSION


def test_who_is_of_another_version_is_told_so_by_both_openings():
    owner = Kept()
    with started() as io, a_door(io, owner) as door, socket.create_connection(door.address) as other:
        other.sendall(b"STREAMPY\x00\x63and whatever that version says next")
        assert "speaks version 99" in str(owner.down())
        other.settimeout(SOON)
        heard = b""
        while more := other.recv(1000):
            heard += more
    assert heard.startswith(b"STREAMPY\x00\x01")
    assert b"speaks version 99 of the protocol" in heard


def feed_opening(end: Handshake, data: bytes) -> None:
    reader = FrameReader(GREETING)
    reader.room()[: len(data)] = data
    reader.filled(len(data))
    end.go_on(reader)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"GET / HTTP/1.1\r\nHost: core\r\n\r\n", "a request of HTTP; this port is for segments"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "the beginning of TLS; the other end dials with `tls`, here is none"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"\x00" * 50, "expected STREAMPY and a version"),
    ],
)
def test_another_program_is_told_apart(said, told):
    owner = Kept()
    with started() as io, a_door(io, owner) as door, socket.create_connection(door.address) as stranger:
        stranger.sendall(said)
        with pytest.raises(ProtocolError, match=told):
            raise owner.down()


def test_who_says_nothing_is_given_up_in_time():
    owner = Kept()
    with started() as io, a_door(io, owner, settings(CORE, greet_within=0.2)) as door:
        with socket.create_connection(door.address) as stranger:
            with pytest.raises(Refused, match=r"not done within 0.2 s") as raised:
                raise owner.down()
            stranger.settimeout(SOON)
            heard = b""
            while more := stranger.recv(1000):
                heard += more
    assert raised.value.why is Why.TIMEOUT
    assert b"not done within 0.2 s" in heard


def test_a_port_at_which_nobody_listens_is_told():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = closed.getsockname()
    owner = Kept()
    with started() as io:
        dial(io, address, settings(), owner)
        with pytest.raises(PeerLost, match=rf"tcp://127\.0\.0\.1:{address[1]}: Connection refused"):
            raise owner.down()


def test_a_name_is_no_address():
    with started() as io, pytest.raises(ValueError, match="localhost"):
        dial(io, ("localhost", 1), settings(), Kept())
