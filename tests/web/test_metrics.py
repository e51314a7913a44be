"""What Prometheus is told, looked at by Prometheus' own programs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from importlib.resources import files
from pathlib import Path
from textwrap import dedent
from time import monotonic
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

import streampy as sp
from streampy.web.look import snapshot_of
from streampy.web.metrics import FAMILIES, render

SOON = 30.0
"""Seconds in which what must happen has to happen, on a busy machine."""
RATE = "10s"
"""What Grafana puts in for `$__rate_interval`."""

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="needs prometheus: apt-get install prometheus"
)


def numbers(*, until: int = 100) -> Iterator[int]:
    yield from range(until)


def odd(number: int) -> int | None:
    return number if number % 2 else None


def sink(number: int) -> None:
    """Take it."""


def snapshot(name: str = "odds") -> dict[str, Any]:
    process = sp.Process(name).add("numbers", numbers).add("odd", odd, from_="numbers", pipe={"capacity": 8})
    with sp.run(process.add("sink", sink, from_="odd")) as running:
        running.wait()
        return snapshot_of(running)


def values(text: str) -> dict[str, float]:
    """Series and their values."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_every_count_is_told_with_the_labels_of_its_segment():
    found = values(render([snapshot() | {"host": "box"}]))
    of_segment = 'process="odds",segment="",replica="0",host="box"'
    assert 100 == found[f'streampy_unit_received_total{{{of_segment},unit="odd"}}']
    assert 50 == found[f'streampy_unit_filtered_total{{{of_segment},unit="odd"}}']
    assert 100 == found[f'streampy_pipe_delivered_total{{{of_segment},unit="odd",port="number"}}']
    assert 50 == found[f"streampy_items_delivered_total{{{of_segment}}}"]
    assert 1 == found[f"streampy_ledger_balanced{{{of_segment}}}"]
    assert 1 == found[f'streampy_segment_state{{{of_segment},state="stopped"}}']


def test_histograms_count_every_sample_once():
    text = render([snapshot()])
    of_odd = [line for line in text.splitlines() if line.startswith("streampy_unit_work_seconds") and '"odd"' in line]
    buckets = [float(line.rpartition(" ")[2]) for line in of_odd if "_bucket" in line]
    assert sorted(buckets) == buckets
    assert 100 == buckets[-1] == float(next(line for line in of_odd if "_count" in line).rpartition(" ")[2])


def test_two_runs_of_the_same_process_are_two_series():
    one, other = snapshot(), snapshot()
    lines = [line for line in render([one, other | {"pid": 7}]).splitlines() if not line.startswith("#")]
    series = [line.rpartition(" ")[0] for line in lines]
    assert len(set(series)) == len(series)


def test_a_segment_that_starts_is_told_of_without_statistics():
    starting = {"process": "new", "segment": "", "replica": 0, "host": "box", "state": "starting", "stats": None}
    found = values(render([starting]))
    assert 1 == found['streampy_segment_state{process="new",segment="",replica="0",host="box",state="starting"}']
    assert not [series for series in found if "unit" in series]


def test_names_of_people_do_not_break_the_format():
    text = render([snapshot() | {"host": 'a "box"\\\n'}])
    assert 'host="a \\"box\\"\\\\\\n"' in text


@needs_prometheus
def test_promtool_finds_nothing_to_complain_about():
    text = render([snapshot(), snapshot("others")])
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=30
    )
    assert (0, "") == (done.returncode, done.stderr)


UNITS = '''
from collections.abc import Iterator

import streampy as sp


def forever() -> Iterator[int]:
    number = 0
    while not sp.worker().sleep(0.002):
        yield number
        number += 1


def double(number: int) -> int:
    return 2 * number


def sink(number: int) -> None:
    """Take it."""
'''
LIVE = """
process: live
units:
  forever: {use: "units:forever"}
  double: {use: "units:double", from: forever, place: own, pipe: {capacity: 16, batch: 4}}
  sink: {use: "units:sink", from: double}
"""


@contextmanager
def ended(*command: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that is ended whatever happens."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
        try:
            yield program
        finally:
            program.terminate()
            program.communicate(timeout=SOON)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def get(url: str) -> HTTPResponse:
    answer: HTTPResponse = urlopen(url, timeout=SOON)  # noqa: S310 - ours, on loopback
    return answer


def ask(url: str) -> Any:
    with get(url) as answer:
        return json.load(answer)


def until_told(url: str, what: str) -> Any:
    """What Prometheus answers to a query, as soon as that is something, and no NaN."""
    end, beat = monotonic() + SOON, sp.worker()
    while monotonic() < end:
        try:
            found = ask(f"{url}/api/v1/query?{urlencode({'query': what})}")["data"]["result"]
        except URLError:
            found = []
        if found and any(one["value"][1] != "NaN" for one in found):
            return found
        beat.sleep(0.1)
    raise AssertionError(f"nothing is answered to {what}")


def queries() -> list[str]:
    """Those of the dashboard, for all processes."""
    dashboard = json.loads(files("streampy.web").joinpath("grafana.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    puts = {"$process": ".*", "$segment": ".*", "$__rate_interval": RATE}
    for name, value in puts.items():
        found = [query.replace(name, value) for query in found]
    return found


@pytest.fixture
def live(tmp_path: Path) -> Iterator[str]:
    """A process that runs, by the real command; gives the address of its metrics."""
    (tmp_path / "units.py").write_text(dedent(UNITS))
    (tmp_path / "live.yaml").write_text(LIVE)
    command = [sys.executable, "-m", "streampy", "run", "live.yaml", "--metrics", "127.0.0.1:0"]
    with ended(*command, folder=tmp_path) as program:
        assert program.stderr is not None
        line = program.stderr.readline()
        assert line.startswith("streampy: metrics at http://127.0.0.1:"), line
        yield line.split()[-1]


def test_run_tells_its_metrics_over_http(live):
    with get(live) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    with pytest.raises(URLError, match="404"):
        get(live.replace("/metrics", "/else"))


@needs_prometheus
def test_prometheus_scrapes_a_run_and_answers_every_query_of_the_dashboard(live, tmp_path):
    target = live.removeprefix("http://").removesuffix("/metrics")
    jobs = f"- job_name: streampy\n  static_configs: [{{targets: ['{target}']}}]\n"
    (tmp_path / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}")
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with ended(*command, folder=tmp_path):
        url = f"http://127.0.0.1:{port}"
        until_told(url, f"rate(streampy_unit_busy_seconds_total[{RATE}]) > 0")
        for query in queries():
            assert until_told(url, query)


def test_every_metric_of_the_dashboard_is_one_that_there_is():
    names = {family.name for family in FAMILIES}
    text = (Path(__file__).parents[2] / "src/streampy/web/grafana.json").read_text()
    used = {word for word in text.replace("(", " ").replace("{", " ").split() if word.startswith("streampy_")}
    bare = {word.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count").strip('",') for word in used}
    assert bare <= names


@pytest.mark.parametrize("where", ["9000", "127.0.0.1:port", "127.0.0.1:99999", "198.51.100.1:80"])
def test_an_address_that_can_not_be_had_is_a_usage_error(tmp_path, where):
    (tmp_path / "units.py").write_text(dedent(UNITS))
    (tmp_path / "live.yaml").write_text(LIVE)
    command = [sys.executable, "-m", "streampy", "run", "live.yaml", "--metrics", where]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=SOON)
    assert 2 == done.returncode
    assert "streampy: --metrics: " in done.stderr
