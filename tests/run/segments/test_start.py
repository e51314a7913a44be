"""What keeps a segment from starting is told at once, by who starts it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import streampy as sp
from streampy.errors import RunError


def numbers() -> Iterator[int]:
    yield 1


def forget(number: int) -> None:
    """Nothing comes of it."""


def process(**link: object) -> sp.Process:
    cut = sp.Process("cut").add("numbers", numbers).add("forget", forget, from_="numbers")
    return cut.segment("edge", "numbers").segment("core", "forget").link("edge", "core", **link)


def test_a_file_of_tls_that_is_not_there_is_an_error_of_its_link():
    with pytest.raises(RunError, match=r"segment 'edge', links\.edge -> core\.tls: .*No such file"):
        sp.run(process(dial="tcp://127.0.0.1:9", tls={"ca": "not-there.pem"}), segment="edge", start_within=20)


def test_nobody_at_an_address_is_told_with_the_address_and_why():
    with pytest.raises(RunError, match=r"segment 'core' could be reached .*127\.0\.0\.1:9.*refused"):
        sp.run(process(dial="tcp://127.0.0.1:9"), segment="edge", start_within=0.3)


def test_a_broker_of_a_kind_that_is_not_carried_is_told_and_nothing_secret_is_shown():
    with pytest.raises(sp.StreamPyError, match="a link by kafka is not carried yet; take nats://HOST:PORT") as told:
        sp.run(process(via="kafka://anna:secret@127.0.0.1:9092"), segment="edge")
    assert "secret" not in str(told.value)
