"""The options of `streampy run` for being watched: the form of the log, metrics, traces.

Knows nothing of how these are made.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from streampy.cli.system import System


def add_watching(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument(
        "--log",
        choices=("text", "json"),
        default="text",
        help="how the log is written to stderr: `text`, or `json` for machines",
    )
    parser.add_argument(
        "--metrics", default="", metavar="HOST:PORT", help="tell Prometheus how it goes, at http://HOST:PORT/metrics"
    )
    parser.add_argument(
        "--trace",
        default="",
        metavar="SHARE",
        help="send traces of this share of the items, such as 0.01, to an OpenTelemetry collector (OTLP over HTTP)",
    )
    parser.add_argument(
        "--trace-slow", default="", metavar="DURATION", help="send traces of the items that take longer than this"
    )
    parser.add_argument(
        "--trace-to",
        default="",
        metavar="URL",
        help="where the collector is; else OTEL_EXPORTER_OTLP_ENDPOINT says, else it is http://localhost:4318",
    )


def passed_on(arguments: argparse.Namespace) -> list[str]:
    """Those of these options that each segment is given too."""
    options = ["--log", arguments.log]
    for name in ("trace", "trace-slow", "trace-to"):
        if value := getattr(arguments, name.replace("-", "_")):
            options += [f"--{name}", value]
    return options


def begin_log(arguments: argparse.Namespace) -> None:
    """Write the log as was asked for."""
    if arguments.log == "json":
        from streampy.cli.log_json import log_json_to_stderr  # noqa: PLC0415 - few ask for it

        log_json_to_stderr(segment=arguments.segment)
    else:
        from streampy.cli.log import log_to_stderr  # noqa: PLC0415 - what runs is imported when something runs

        log_to_stderr(whole=arguments.debug)


def traces(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """The option of `streampy.run`; None, with a line on stderr, where it can't be understood."""
    from streampy.errors import StreamPyError  # noqa: PLC0415 - as above
    from streampy.run.trace.settings import TraceSettings  # noqa: PLC0415

    try:
        return {
            "trace": TraceSettings.of(sample=arguments.trace, slow=arguments.trace_slow, to=arguments.trace_to),
        }
    except StreamPyError as error:
        sys.stderr.write(f"streampy: {error}\n")
        return None


@contextmanager
def metrics(arguments: argparse.Namespace, system: System) -> Iterator[bool]:
    """While this lasts, Prometheus can look; gives False, with a line on stderr, where that can't be."""
    if not arguments.metrics:
        yield True
        return
    from streampy.errors import StreamPyError  # noqa: PLC0415 - few ask for it
    from streampy.web.look import snapshot_of  # noqa: PLC0415
    from streampy.web.metrics import render  # noqa: PLC0415
    from streampy.web.scrape import Scraped  # noqa: PLC0415

    def look() -> str:
        here = [process.running for process in system.processes if process.running is not None]
        return render(snapshot_of(running, segment=arguments.segment) for running in here)

    try:
        scraped = Scraped(arguments.metrics, look)
    except StreamPyError as error:
        sys.stderr.write(f"streampy: --metrics: {error}\n")
        yield False
        return
    sys.stderr.write(f"streampy: metrics at {scraped.url}\n")
    with scraped:
        yield True
