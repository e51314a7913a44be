"""What is said of traces, on the command line and in the environment."""

from __future__ import annotations

import pytest

from streampy.errors import StreamPyError
from streampy.run.trace.settings import TraceSettings


def settings(**given: str) -> TraceSettings:
    """`environ` beside the options, by capital letters."""
    environ = {name: given.pop(name) for name in list(given) if name.isupper()}
    found = TraceSettings.of(**given, environ=environ)
    assert found is not None
    return found


def test_nothing_is_traced_where_nothing_is_said():
    assert TraceSettings.of(environ={}) is None
    assert TraceSettings.of(sample="0", environ={}) is None


def test_a_share_is_a_number_or_a_percentage():
    assert 0.01 == settings(sample="1%").sample == settings(STREAMPY_TRACE="0.01").sample
    assert 0.1 == settings(slow="100ms").slow == settings(STREAMPY_TRACE_SLOW="0.1").slow


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"sample": "some"}, "--trace: got 'some', expected a share such as 1% or 0.01"),
        ({"sample": "3"}, "--trace: got a share of 3, expected 0 to 1"),
        ({"slow": "soon"}, "--trace-slow: "),
        ({"sample": "1%", "to": "localhost:4318"}, "--trace-to: got 'localhost:4318/v1/traces', expected a URL"),
        ({"sample": "1%", "OTEL_EXPORTER_OTLP_TIMEOUT": "long"}, "OTEL_EXPORTER_OTLP_TIMEOUT: got 'long'"),
    ],
)
def test_what_can_not_be_understood_is_told_with_what_was_expected(given, text):
    with pytest.raises(StreamPyError, match=f"^{text}"):
        settings(**given)


def test_the_collector_is_where_opentelemetry_says_unless_it_is_told():
    assert "http://localhost:4318/v1/traces" == settings(sample="1%").url
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318/"}
    assert "http://all:4318/v1/traces" == settings(sample="1%", **environ).url
    assert "http://told:4318/v1/traces" == settings(sample="1%", to="http://told:4318", **environ).url
    environ |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces/here"}
    assert "https://traces/here" == settings(sample="1%", **environ).url


def test_what_is_said_of_traces_counts_more_than_what_is_said_of_all():
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=2,b=x%20y"}
    assert {"a": "2", "b": "x y"} == settings(sample="1%", **environ).headers
