"""Sends spans to a collector: OTLP over HTTP, from a thread of its own that nobody waits for.

Knows nothing of items. What waits is bounded; what finds no room, or no collector, is counted and left out.
"""

from __future__ import annotations

import gzip
import logging
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from threading import Event, Lock
from time import monotonic, time_ns
from typing import Any, Final, final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from streampy.run.trace.settings import TraceSettings
from streampy.run.trace.spans import Span, Value

_log: Final = logging.getLogger("streampy.run")
_MOST: Final = 4096
"""Spans, and what is still to be looked for, that may wait."""
_AT_ONCE: Final = 512
_GATHER: Final = 0.5
"""Seconds in which spans are gathered before they are sent."""
_PAUSES: Final = (0.5, 1.0)
"""Seconds before each further try."""
_AGAIN: Final = frozenset({429, 502, 503, 504})
"""Answers after which OTLP has one try again."""
_QUIET: Final = 60.0
"""Seconds between two lines in the log that the collector can't be reached."""


@final
class Exporter:
    """That of one OS process. Any thread may put."""

    def __init__(
        self,
        settings: TraceSettings,
        resource: Mapping[str, Value],
        expand: Callable[[Any], Iterable[Span]],
        launch: Callable[[Callable[[], None], str], None],
    ) -> None:
        """Expand: makes spans of what was put and is none, in the thread here."""
        self.sent = 0
        self.dropped = 0
        self._settings = settings
        self._resource = dict(resource) | dict(settings.resource or {})
        self._expand = expand
        self._launch = launch
        self._lock = Lock()
        self._waiting: deque[Any] = deque()
        self._wake, self._closing, self._over = Event(), Event(), Event()
        self._is_begun = False
        self._quiet_until = 0.0
        self._opener = build_opener(ProxyHandler(_proxies(settings.url)), HTTPSHandler(context=_trust(settings)))

    def __repr__(self) -> str:
        counts = f"{self.sent} sent, {self.dropped} dropped, {len(self._waiting)} wait"
        return f"<Exporter to {self._settings.url}: {counts}>"

    def put(self, what: object) -> None:
        """Have it sent soon; never waits."""
        if len(self._waiting) >= _MOST:
            self.dropped += 1
            return
        self._waiting.append(what)
        if not self._wake.is_set():
            self._wake.set()

    def start(self) -> None:
        """Begin to send."""
        with self._lock:
            is_first, self._is_begun = not self._is_begun, True
        if is_first:
            self._launch(self._main, "traces")

    def close(self, within: float) -> None:
        """Send what waits, but take no longer than so many seconds; once."""
        self._closing.set()
        self._wake.set()
        with self._lock:
            is_there, self._is_begun = self._is_begun, True
        if is_there and not self._over.wait(within):
            self.dropped += len(self._waiting)
        if self.dropped:
            _log.warning("%d spans of traces were not sent", self.dropped)

    def _main(self) -> None:
        try:
            while not self._closing.is_set() or self._waiting:
                self._wake.wait()
                self._closing.wait(_GATHER)
                self._wake.clear()
                self._send_all()
        except Exception:  # no unit is to suffer for it, and it is to be seen
            _log.exception("traces are not sent any more")
        finally:
            self._over.set()

    def _send_all(self) -> None:
        spans: list[Span] = []
        for _ in range(len(self._waiting)):
            what = self._waiting.popleft()
            spans += [what] if isinstance(what, Span) else self._expand(what)
            if len(spans) >= _AT_ONCE:
                self._send(spans)
                spans = []
        if spans:
            self._send(spans)

    def _send(self, spans: Sequence[Span]) -> None:
        body = gzip.compress(self._request(spans).SerializeToString(), compresslevel=1)
        for pause in (*_PAUSES, None):
            trouble, is_worth_it = self._post(body)
            if not trouble:
                self.sent += len(spans)
                return
            if pause is None or not is_worth_it:
                break
            self._closing.wait(pause)  # at the end, the further tries are made at once
        self.dropped += len(spans)
        if monotonic() >= self._quiet_until:
            self._quiet_until = monotonic() + _QUIET
            _log.warning("%d spans were not sent to %s: %s", len(spans), self._settings.url, trouble)

    def _post(self, body: bytes) -> tuple[str, bool]:
        """What went wrong, "" if nothing did, and whether another try may help."""
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        request = Request(  # noqa: S310 - http or https, which the settings have checked
            self._settings.url, body, {**headers, **(self._settings.headers or {})}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._settings.timeout) as answer:
                answer.read()
        except HTTPError as error:
            with error:
                return f"it answered {error.code} {HTTPStatus(error.code).phrase}", error.code in _AGAIN
        except (URLError, OSError) as error:
            return str(getattr(error, "reason", error)), True
        return "", False

    def _request(self, spans: Iterable[Span]) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        of_resource = request.resource_spans.add()
        of_resource.resource.attributes.extend(_attribute(key, value) for key, value in self._resource.items())
        scope = of_resource.scope_spans.add()
        scope.scope.name = "streampy"
        clock = time_ns() - int(monotonic() * 1e9)
        for one in spans:
            told = scope.spans.add(
                trace_id=bytes.fromhex(one.trace),
                span_id=bytes.fromhex(one.span),
                parent_span_id=bytes.fromhex(one.parent),
                name=one.name,
                kind=int(one.kind),
                start_time_unix_nano=clock + int(one.start * 1e9),
                end_time_unix_nano=clock + int(one.end * 1e9),
                attributes=[_attribute(key, value) for key, value in one.attributes.items()],
            )
            if one.error is not None:
                told.status.code = Status.STATUS_CODE_ERROR
                told.status.message = one.error
        return request


def _attribute(key: str, value: Value) -> KeyValue:
    told = KeyValue(key=key)
    if isinstance(value, bool):
        told.value.bool_value = value
    elif isinstance(value, int):
        told.value.int_value = value
    elif isinstance(value, float):
        told.value.double_value = value
    else:
        told.value.string_value = value
    return told


def _proxies(url: str) -> dict[str, str] | None:
    """None: those of the environment; a collector on this machine is reached without any."""
    return {} if urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"} else None


def _trust(settings: TraceSettings) -> ssl.SSLContext | None:
    if not settings.url.startswith("https:"):
        return None
    return ssl.create_default_context(cafile=settings.ca or None)
