"""What is traced, and where the traces go.

Knows nothing of how they are made.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import unquote, urlsplit

from streampy.errors import StreamPyError
from streampy.model.measure import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLLECTOR: Final = "http://localhost:4318"
_PATH: Final = "/v1/traces"
_TIMEOUT: Final = 10.0
"""Seconds; as OpenTelemetry has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSettings:
    """Nothing is traced unless `sample` or `slow` says so."""

    sample: float = 0.0
    """The share of the items that are traced from their birth on: 0..1."""
    most: float = 10.0
    """Items a second that one source begins to trace, whatever the share: one through twelve units costs 0.4 ms."""
    slow: float = inf
    """Seconds: items that are older than this at the end of a hop are traced, too."""
    url: str = _COLLECTOR + _PATH
    headers: Mapping[str, str] | None = None
    timeout: float = _TIMEOUT
    """Seconds that the collector may take for an answer."""
    ca: str = ""
    """A file with the certificates that are trusted, for https; else those of the machine are."""
    resource: Mapping[str, str] | None = None
    """What all spans say beside the process, the segment, the OS process and the host."""

    def __post_init__(self) -> None:
        """Raises StreamPyError for what can't be."""
        if not 0.0 <= self.sample <= 1.0:
            raise StreamPyError(f"--trace: got a share of {self.sample:g}, expected 0 to 1, such as 1% or 0.01")
        if urlsplit(self.url).scheme not in {"http", "https"} or not urlsplit(self.url).hostname:
            raise StreamPyError(f"--trace-to: got {self.url!r}, expected a URL such as {_COLLECTOR}")

    @property
    def is_off(self) -> bool:
        """Whether nothing is traced."""
        return self.sample <= 0.0 and self.slow == inf

    @classmethod
    def of(
        cls, *, sample: str = "", slow: str = "", to: str = "", environ: Mapping[str, str] | None = None
    ) -> Self | None:
        """From text, and where that is empty from the environment; None where nothing is to be traced.

        sample: `1%` or `0.01`, else STREAMPY_TRACE says. slow: `100ms`, else STREAMPY_TRACE_SLOW. to: where the
        collector is, else the OTEL_EXPORTER_OTLP_... of OpenTelemetry say. Raises StreamPyError.
        """
        given = os.environ if environ is None else environ
        sample, slow = sample or given.get("STREAMPY_TRACE", ""), slow or given.get("STREAMPY_TRACE_SLOW", "")
        if not sample and not slow:
            return None
        settings = cls(
            sample=_share(sample) if sample else 0.0,
            slow=_seconds(slow) if slow else inf,
            url=_url(to, given),
            headers=_pairs(_of_otlp(given, "HEADERS")),
            timeout=_timeout(_of_otlp(given, "TIMEOUT")),
            ca=_of_otlp(given, "CERTIFICATE"),
            resource=_resource(given),
        )
        return None if settings.is_off else settings


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise StreamPyError(f"--trace: got {text!r}, expected a share such as 1% or 0.01") from None


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise StreamPyError(f"--trace-slow: {error}") from error


def _of_otlp(given: Mapping[str, str], name: str) -> str:
    """What is said of traces counts more than what is said of all."""
    return given.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or given.get(f"OTEL_EXPORTER_OTLP_{name}", "")


def _url(to: str, given: Mapping[str, str]) -> str:
    """The path is added where only the collector is named, as OpenTelemetry has it."""
    if not to and (whole := given.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return whole
    base = to or given.get("OTEL_EXPORTER_OTLP_ENDPOINT") or _COLLECTOR
    return base if base.endswith(_PATH) else base.rstrip("/") + _PATH


def _timeout(text: str) -> float:
    """In OpenTelemetry's milliseconds."""
    try:
        return float(text) / 1000 if text else _TIMEOUT
    except ValueError:
        raise StreamPyError(f"OTEL_EXPORTER_OTLP_TIMEOUT: got {text!r}, expected milliseconds") from None


def _pairs(text: str) -> dict[str, str]:
    """`key=value,key=value`, quoted as URLs are."""
    pairs = (one.partition("=") for one in text.split(",") if "=" in one)
    return {unquote(key.strip()): unquote(value.strip()) for key, _, value in pairs}


def _resource(given: Mapping[str, str]) -> dict[str, str]:
    found = _pairs(given.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    if name := given.get("OTEL_SERVICE_NAME"):
        found["service.name"] = name
    return found
