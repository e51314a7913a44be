"""TLS between segments: who is believed gets in, all others are told why not; certificates are made here."""

from __future__ import annotations

import stat
from datetime import timedelta

import numpy as np
import pytest
from tests.pipes.net.ends import CORE, EDGE, ITEMS, both_ends, refused, settings

from streampy.pipes.net.certs import make_certificates
from streampy.pipes.net.errors import LinkError, PeerLost, Refused, Why
from streampy.pipes.net.frames import Frame
from streampy.pipes.net.tls import Tls

LARGE = np.arange(3_000_000, dtype=np.uint16).data.cast("B")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Of another CA."""
    return make_certificates(tmp_path_factory.mktemp("others"))


def at_edge(made, *, shows=None):
    return settings(EDGE, tls=Tls(made.ca, *((shows.client, shows.client_key) if shows else ())))


def at_core(made, *, asks=True):
    return settings(CORE, tls=Tls(made.ca if asks else "", made.server, made.server_key))


@pytest.mark.parametrize("mutual", [True, False])
def test_frames_go_both_ways_encrypted(made, mutual):
    with both_ends(at_edge(made, shows=made if mutual else None), at_core(made, asks=mutual)) as ends:
        for number in range(5):
            ends.edge.send(Frame(ITEMS, number, parts=(b"head", LARGE)))
            ends.core.send(Frame(ITEMS, number, parts=(b"small",)))
        for number in range(5):
            frame = ends.core_owner.frame()
            assert number == frame.number
            assert memoryview(frame.parts[1]) == LARGE
            assert number == ends.edge_owner.frame().number
        ends.edge.close()
        assert ends.core_owner.down() is None


def check(told, edge_says, core_says, why=Why.CERTIFICATE):
    at_edge, at_core = told
    for error, expected in ((at_edge, edge_says), (at_core, core_says)):
        assert isinstance(error, LinkError)
        with pytest.raises(LinkError, match=expected):
            raise error
    assert any(isinstance(error, Refused) and error.why is why for error in told)


def test_a_client_without_a_certificate_is_refused(made):
    check(
        refused(at_edge(made), at_core(made)), "asks for a certificate, and this one has none", "showed no certificate"
    )


def test_a_client_of_another_ca_is_refused(made, others):
    edge = settings(EDGE, tls=Tls(made.ca, others.client, others.client_key))
    check(refused(edge, at_core(made)), "does not believe|does not accept|TLS failed", "is not accepted: ")


def test_a_server_of_another_ca_is_refused(made, others):
    check(refused(at_edge(others), at_core(made, asks=False)), "is not accepted: ", "does not believe the CA")


def test_a_server_under_another_name_is_refused(made):
    told = refused(at_edge(made, shows=made), at_core(made), name="core.example.org")
    check(told, "is not valid for 'core.example.org'", "does not accept|closed|TLS failed")
    tls = Tls(made.ca, made.client, made.client_key, server_name="localhost")
    with both_ends(settings(EDGE, tls=tls), at_core(made)):
        pass


def test_a_certificate_that_has_expired_is_refused(tmp_path):
    old = make_certificates(tmp_path, valid=timedelta(days=-1))
    check(refused(at_edge(old), at_core(old, asks=False)), "expired", "expired|closed|TLS failed")


def test_who_dials_without_tls_is_told_at_both_ends(made):
    plain_edge, tls_core = refused(settings(EDGE), at_core(made))
    assert isinstance(tls_core, Refused)
    assert "what came is not TLS; give `tls` to both ends, or to none" in str(tls_core)
    assert "the other end listens with `tls`, here is none" in str(plain_edge) or isinstance(plain_edge, PeerLost)


def test_who_dials_with_tls_where_there_is_none_is_told_at_both_ends(made):
    tls_edge, plain_core = refused(at_edge(made, shows=made), settings(CORE))
    assert "the other end dials with `tls`, here is none" in str(plain_core)
    assert isinstance(tls_edge, LinkError)
    assert "TLS" in str(tls_edge)


def test_tls_and_a_token_go_together(made):
    edge = settings(EDGE, token="a", tls=Tls(made.ca))  # noqa: S106 - of this test
    core = settings(CORE, token="b", tls=Tls("", made.server, made.server_key))  # noqa: S106 - as above
    told = refused(edge, core)
    assert [Why.TOKEN, Why.TOKEN] == [error.why for error in told]


def test_who_listens_needs_a_certificate_and_files_that_are_there(made):
    with pytest.raises(ValueError, match="needs `cert` and `key`"):
        Tls(made.ca).listening()
    with pytest.raises(OSError, match="No such file"):
        Tls("nowhere.pem").dialling()


def test_only_the_owner_may_read_the_keys(made):
    for key in (made.ca_key, made.server_key, made.client_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
