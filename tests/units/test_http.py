"""A real server on loopback, asked again and again."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

import httpx
import pytest

import streampy as sp
from streampy.units.http import HttpPoll

feed = sp.testing.feed


class Server:
    """Answers with its own `answers`, one after another, then again with the last one."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, str]] = []
        server = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, self.headers.get("X-Key", "")))
                status, body = server.answers[min(len(server.asked), len(server.answers)) - 1]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *values: Any) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.http.server_port}/sensor"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def test_each_answer_becomes_an_item(server: Server) -> None:
    server.answers = [(200, json.dumps({"degrees": 20 + number}).encode()) for number in range(3)]
    process = sp.Process("poll").add("poll", HttpPoll, url=server.url, every=0.001, limit=3)
    with sp.run(process) as running:
        assert [{"degrees": 20}, {"degrees": 21}, {"degrees": 22}] == list(running.stream("poll"))
        assert 3 == running.stats().expected


@pytest.mark.parametrize(("gives", "value"), [("text", "21 ü"), ("bytes", "21 ü".encode())])
def test_an_answer_may_be_text_or_bytes(gives: str, value: object, server: Server) -> None:
    server.answers = [(200, "21 ü".encode())]

    assert [value] == feed(HttpPoll, settings={"url": server.url, "gives": gives, "limit": 1})


def test_headers_and_parameters_are_sent(server: Server) -> None:
    server.answers = [(200, b"1")]
    settings = {"url": server.url, "headers": {"X-Key": "secret"}, "params": {"unit": "C"}, "limit": 1}
    feed(HttpPoll, settings=settings)

    assert [("/sensor?unit=C", "secret")] == server.asked


def test_failures_are_survived_as_long_as_not_too_many_come_in_a_row(server: Server) -> None:
    server.answers = [(500, b""), (200, b"no JSON"), (200, b"1"), (404, b""), (200, b"2")]

    assert [1, 2] == feed(HttpPoll, settings={"url": server.url, "every": 0.001, "retries": 2, "limit": 2})


def test_too_many_failures_in_a_row_stop_the_process_with_the_last_one(server: Server) -> None:
    server.answers = [(200, b"1"), (404, b"")]
    process = sp.Process("poll").add("poll", HttpPoll, url=server.url, every=0.001, retries=1)
    with pytest.raises(sp.UnitFailed, match="404") as told, sp.run(process) as running:
        list(running.stream("poll"))
    assert isinstance(told.value.__cause__, httpx.HTTPStatusError)
    assert 3 == len(server.asked)


def test_a_server_that_is_not_there_is_an_error(server: Server) -> None:
    with pytest.raises(httpx.ConnectError):
        feed(HttpPoll, settings={"url": "http://127.0.0.1:1/", "retries": 0})


def test_a_stop_does_not_wait_for_the_next_question(server: Server) -> None:
    server.answers = [(200, b"1")]
    process = sp.Process("poll").add("poll", HttpPoll, url=server.url, every=3600)
    with sp.run(process) as running:
        assert 1 == next(running.stream("poll"))
        begin = monotonic()
        running.stop()
    assert monotonic() - begin < 3
