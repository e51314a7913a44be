"""Traces as a collector gets them: by real HTTP, from real OS processes."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.run.trace import parts
from tests.run.trace.collector import Collector, Received

import streampy as sp
from streampy.run.trace.settings import TraceSettings

ROOT = Path(__file__).parents[3]
ALL = 1.0


def chain(**places: str) -> sp.Process:
    """Numbers, same, again, sink; each with a pipe of its own, so that nothing is fused."""
    process = sp.Process("chain").add("numbers", parts.numbers, place=places.get("numbers", "main"))
    process.add("same", parts.same, from_="numbers", place=places.get("same", "main"), pipe={"capacity": 8})
    process.add("again", parts.same, from_="same", place=places.get("again", "main"), pipe={"capacity": 8})
    return process.add("sink", parts.sink, from_="again", place=places.get("sink", "main"), pipe={"capacity": 8})


def run(process: sp.Process, collector: Collector, **trace: Any) -> sp.Stats:
    settings = TraceSettings(url=f"{collector.url}/v1/traces", **({"sample": ALL, "most": 1000.0} | trace))
    with sp.run(process, trace=settings) as running:
        running.wait()
        return running.stats()


def assert_each_comes_from_the_one_before(trace: dict[str, Received], *names: str) -> None:
    assert trace[names[0]].parent == ""
    for before, after in pairwise(names):
        assert trace[before].span == trace[after].parent, (before, after)
        assert trace[before].start <= trace[after].end, (before, after)


def test_every_hop_is_a_span_whose_parent_is_the_hop_before(collector):
    run(chain(), collector)
    trace = collector.wait_for_trace("numbers", "same", "again", "sink")
    assert_each_comes_from_the_one_before(trace, "numbers", "same", "again", "sink")
    assert {"wait", "batching", "transport", "work", "stream", "seq", "unit", "worker", "batch"} <= {
        key.removeprefix("streampy.") for key in trace["same"].told
    }
    assert "chain" == trace["same"].resource["service.name"]
    assert trace["sink"]["latency"] >= trace["sink"]["work"]


def test_an_item_has_one_trace_through_os_processes_of_their_own(collector):
    run(chain(numbers="own", same="own", again="own"), collector)
    trace = collector.wait_for_trace("numbers", "same", "again", "sink")
    assert_each_comes_from_the_one_before(trace, "numbers", "same", "again", "sink")
    pids = {trace[name].resource["process.pid"] for name in ("numbers", "same", "again", "sink")}
    assert 4 == len(pids)
    assert os.getpid() in pids
    assert trace["again"]["transport"] > 0.0


def test_units_that_are_fused_have_a_span_each(collector):
    process = sp.Process("fused").add("numbers", parts.numbers).add("same", parts.same, from_="numbers")
    process.add("all", parts.all_at_once, from_="same").add("twice", parts.twice, from_="all")
    run(process.add("sink", parts.sink, from_="twice"), collector)
    trace = collector.wait_for_trace("numbers", "same", "all", "twice", "sink")
    assert_each_comes_from_the_one_before(trace, "numbers", "same", "all", "twice", "sink")
    of_it = collector.wait_for(lambda spans: [span for span in spans if span.trace == trace["sink"].trace])
    assert ["0", "1"] == sorted(span["path"] for span in of_it if span.name == "sink")


def test_tasks_joins_and_streams_are_hops_too(collector):
    process = sp.Process("joined").add("numbers", parts.numbers).add("later", parts.later, from_="numbers")
    process.add("added", parts.added, from_={"left": "numbers", "right": "later"})
    process.add("stream", parts.stream, from_="added")
    run(process.add("sink", parts.sink, from_="stream", pipe={"capacity": 8}), collector)
    trace = collector.wait_for_trace("numbers", "later", "added", "stream", "sink")
    assert_each_comes_from_the_one_before(trace, "numbers", "later")
    assert trace["stream"].parent == trace["added"].span
    assert trace["sink"].parent == trace["stream"].span
    assert trace["later"].span == trace["added"].parent or trace["numbers"].span == trace["added"].parent
    assert trace["added"]["wait"] >= 0.0


def test_a_batch_waits_for_the_rest_of_it_and_the_span_says_so(collector):
    process = sp.Process("batched").add("numbers", parts.numbers, set={"until": 4})
    process.add("all", parts.all_at_once, from_="numbers", pipe={"batch": 4, "wait": 5.0})
    run(process.add("sink", parts.sink, from_="all"), collector)
    trace = collector.wait_for_trace("numbers", "all", "sink")
    assert 4 == trace["all"]["batch"]
    assert trace["all"]["batching"] >= 0.0


def test_of_items_that_are_emitted_in_batches_the_share_is_traced(collector):
    process = (
        sp.Process("many").add("batches", parts.batches, set={"until": 1000}).add("sink", parts.sink, from_="batches")
    )
    stats = run(process, collector, sample=0.05)
    assert stats.ledger.delivered == 1000
    seqs = {span["seq"] for span in collector.wait_for(lambda spans: [one for one in spans if one.name == "sink"])}
    assert 20 < len(seqs) < 100  # the gaps are drawn from 1 to 39, so at least 25 of 1000


def test_a_source_begins_no_more_traces_a_second_than_it_may(collector):
    process = (
        sp.Process("many").add("batches", parts.batches, set={"until": 1000}).add("sink", parts.sink, from_="batches")
    )
    run(process, collector, most=5.0)
    collector.wait_for(lambda spans: [span for span in spans if span.name == "sink"])
    assert len([span for span in collector.spans if span.name == "batches"]) <= 6


def test_an_item_on_which_a_unit_raised_ends_with_an_error(collector):
    process = sp.Process("fails").add("numbers", parts.numbers)
    process.add("fails", parts.fails_on_one, from_="numbers", on_error="skip", pipe={"capacity": 8})
    stats = run(process.add("sink", parts.sink, from_="fails"), collector)
    assert (1, 2) == (stats.ledger.failed, stats.ledger.delivered)
    (failed,) = collector.wait_for(lambda spans: [span for span in spans if span.error is not None])
    assert ("fails", 1) == (failed.name, failed["seq"])


def test_the_error_that_stops_a_process_is_told(collector):
    process = sp.Process("fails").add("numbers", parts.numbers)
    process.add("fails", parts.fails_on_one, from_="numbers", pipe={"capacity": 8})
    with pytest.raises(sp.UnitFailed):
        run(process.add("sink", parts.sink, from_="fails"), collector)
    (failed,) = collector.wait_for(lambda spans: [span for span in spans if span.error is not None])
    assert "one is too few" in failed.error


def test_what_a_unit_says_of_its_items_does_not_cut_their_trace(collector):
    process = sp.Process("meta").add("numbers", parts.numbers).add("meta", parts.with_meta, from_="numbers")
    process.add("sink", parts.sink, from_="meta", pipe={"capacity": 8})
    run(process, collector)
    trace = collector.wait_for_trace("numbers", "meta", "sink")
    assert_each_comes_from_the_one_before(trace, "numbers", "meta", "sink")


@pytest.mark.parametrize("place", ["main", "own"])
def test_a_slow_item_is_told_with_the_hops_before_it_was_slow(collector, place):
    process = sp.Process("slow").add("numbers", parts.numbers)
    process.add("same", parts.same, from_="numbers", pipe={"capacity": 8})
    process.add("slow", parts.slow_on_one, from_="same", place=place, pipe={"capacity": 8})
    run(process.add("sink", parts.sink, from_="slow", pipe={"capacity": 8}), collector, sample=0.0, slow=0.1)
    trace = collector.wait_for(
        lambda spans: (
            found
            if {"same", "slow", "sink"} <= (found := {one.name: one for one in spans if one["seq"] == 1}).keys()
            else None
        )
    )
    assert 1 == len({span.trace for span in trace.values()})
    assert trace["same"]["age"] < 0.1
    assert 0.2 <= min(trace["slow"]["age"], trace["sink"]["age"])
    assert not [span for span in collector.spans if span["seq"] == 0]


CUT = """
process: cut
units:
  numbers: {use: "tests.run.trace.parts:numbers"}
  same: {use: "tests.run.trace.parts:same", from: numbers}
  again: {use: "tests.run.trace.parts:same", from: same, place: own}
  sink: {use: "tests.run.trace.parts:sink", from: again}
segments:
  edge: [numbers, sink]
  core: {units: [same, again], listen: "tcp://127.0.0.1:0"}
links:
  edge -> core: {}
"""


def test_an_item_has_one_trace_from_edge_to_core_and_back(collector, tmp_path):
    pytest.importorskip("msgpack")
    (tmp_path / "cut.yaml").write_text(CUT)
    words = [sys.executable, "-m", "streampy", "run", str(tmp_path / "cut.yaml")]
    done = subprocess.run(
        [*words, "--trace", "100%", "--trace-to", collector.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert (0, "") == (done.returncode, done.stderr)
    trace = collector.wait_for_trace("numbers", "same", "again", "sink")
    assert_each_comes_from_the_one_before(trace, "numbers", "same", "again", "sink")
    assert ["edge", "core", "core", "edge"] == [
        trace[name].resource["streampy.segment"] for name in ("numbers", "same", "again", "sink")
    ]
    assert 3 == len({span.resource["process.pid"] for span in trace.values()})
    assert trace["same"]["transport"] > 0.0
    assert trace["sink"]["transport"] > 0.0


def test_the_collector_may_be_away_and_nobody_suffers(collector, caplog):
    gone = Collector()
    gone.url = "http://127.0.0.1:9"
    assert 3 == run(chain(), gone).ledger.delivered
    assert any("were not sent" in record.getMessage() for record in caplog.records)


def test_a_collector_that_is_busy_is_asked_again(collector):
    collector.answers = [503]
    run(chain(), collector)
    collector.wait_for_trace("numbers", "same", "again", "sink")
    assert collector.asked > 1


def test_headers_of_the_environment_are_sent(collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20secret")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "site=hall-3")
    monkeypatch.setenv("STREAMPY_TRACE", "100%")
    with sp.run(chain()) as running:
        running.wait()
    trace = collector.wait_for_trace("numbers", "sink")
    assert "a secret" == collector.headers[0]["x-key"]
    assert "hall-3" == trace["sink"].resource["site"]


def test_what_is_pushed_by_hand_is_traced_too(collector):
    process = sp.Process("pushed").add("same", parts.same).add("sink", parts.sink, from_="same", pipe={"capacity": 8})
    with sp.run(process, trace=TraceSettings(url=f"{collector.url}/v1/traces", sample=ALL)) as running:
        running.push("same", 1)
        running.drain()
    trace = collector.wait_for_trace("push to same", "same", "sink")
    assert_each_comes_from_the_one_before(trace, "push to same", "same", "sink")


def test_a_trace_that_began_elsewhere_goes_on(collector):
    process = sp.Process("pushed").add("same", parts.same).add("sink", parts.sink, from_="same", pipe={"capacity": 8})
    with sp.run(process, trace=TraceSettings(url=f"{collector.url}/v1/traces", slow=60.0)) as running:
        running.push("same", 1, meta={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
        running.drain()
    trace = collector.wait_for_trace("same", "sink")
    assert ("ab" * 16, "cd" * 8) == (trace["same"].trace, trace["same"].parent)


def test_without_traces_items_carry_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("STREAMPY_TRACE", raising=False)
    process = sp.Process("plain").add("numbers", parts.numbers).add("seen", parts.seen, from_="numbers")
    with sp.run(process) as running:
        assert ["", "", ""] == list(running.stream("seen"))
        assert running._segment.tracer is None


def test_a_traced_item_carries_w3c_trace_context(collector):
    process = sp.Process("traced").add("numbers", parts.numbers).add("seen", parts.seen, from_="numbers")
    settings = TraceSettings(url=f"{collector.url}/v1/traces", sample=ALL)
    with sp.run(process, trace=settings) as running:
        assert ["traceparent,tracestate"] * 3 == list(running.stream("seen"))
