"""An OTLP receiver: a real HTTP server that decodes what it is sent."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

SOON = 20.0
"""Seconds in which what must come has to come, on a busy machine."""


@dataclass(frozen=True)
class Received:
    """One span, with what its resource says."""

    trace: str
    span: str
    parent: str
    name: str
    start: int
    end: int
    error: str | None
    told: dict[str, Any]
    resource: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.told[f"streampy.{key}"]


class Collector:
    """Knows all that was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Received] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        """Status codes of the next answers; 200 behind them."""
        self.asked = 0
        self._changed = Condition()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        with self._changed:
            self.asked += 1
            self.headers.append(headers)
            code = self.answers.pop(0) if self.answers else 200
            if code == 200:
                request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
                self.spans += _spans(request)
            self._changed.notify_all()
            return code

    def wait_for(self, what: Callable[[list[Received]], Any]) -> Any:
        """What comes of it, as soon as that is something."""
        with self._changed:
            found: list[Any] = []
            is_there = self._changed.wait_for(lambda: found.append(what(self.spans)) or found[-1], SOON)
            assert is_there, f"only these came: {[(span.name, span.trace[:6], span.told) for span in self.spans]}"
            return found[-1]

    def wait_for_trace(self, *names: str) -> dict[str, Received]:
        """The first trace that has spans of all these units, by unit."""

        def find(spans: list[Received]) -> dict[str, Received] | None:
            traces: dict[str, dict[str, Received]] = {}
            for span in spans:
                traces.setdefault(span.trace, {}).setdefault(span.name, span)
            return next((found for found in traces.values() if set(names) <= found.keys()), None)

        found: dict[str, Received] = self.wait_for(find)
        return found


def _spans(request: ExportTraceServiceRequest) -> Iterator[Received]:
    for of_resource in request.resource_spans:
        resource = _told(of_resource.resource.attributes)
        for scope in of_resource.scope_spans:
            for span in scope.spans:
                yield Received(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.message if span.status.code == 2 else None,
                    _told(span.attributes),
                    resource,
                )


def _told(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of loopback."""
    collector = Collector()

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {key.lower(): value for key, value in self.headers.items()}
            code = collector.take(body, headers) if self.path == "/v1/traces" else 404
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(code)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.05,), name="collector")
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
