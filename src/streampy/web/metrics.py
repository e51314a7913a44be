"""What segments tell of themselves, as Prometheus reads it: its text format, version 0.0.4.

Knows nothing of where the snapshots come from. Families are listed once, here, so names, types and help can't differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final, NamedTuple

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
STATES: Final = ("starting", "running", "paused", "draining", "stopping", "stopped", "failed")
SECONDS: Final = tuple(2.0**power for power in range(-16, 6))
"""From 15 µs to 32 s: the `le` of what is measured in seconds. Powers of two, as the buckets of `Summary`, so exact."""
ITEMS: Final = tuple(2.0**power for power in range(11))

Labels = tuple[tuple[str, str], ...]
Found = Iterator[tuple[Labels, Any]]
Find = Callable[[Mapping[str, Any]], Found]


class Family(NamedTuple):
    """All series of one name."""

    name: str
    kind: str
    """`counter`, `gauge` or `histogram`."""
    help: str
    find: Find
    """The values in a snapshot, each with the labels that it has beyond those of its segment."""
    bounds: Sequence[float] = ()


def _of_segment(value: Callable[[Mapping[str, Any]], Any]) -> Find:
    def find(snapshot: Mapping[str, Any]) -> Found:
        found = value(snapshot)
        if found is not None:
            yield (), found

    return find


def _of_stats(*path: str) -> Find:
    return _of_segment(lambda snapshot: _dig(snapshot.get("stats"), path))


def _of_units(*path: str) -> Find:
    def find(snapshot: Mapping[str, Any]) -> Found:
        for name, unit in _part(snapshot, "units").items():
            if (value := _dig(unit, path)) is not None:
                yield (("unit", name),), value

    return find


def _of_pipes(*path: str) -> Find:
    def find(snapshot: Mapping[str, Any]) -> Found:
        for name, pipe in _part(snapshot, "pipes").items():
            unit, _, port = name.rpartition(".")
            if (value := _dig(pipe, path)) is not None:
                yield (("unit", unit), ("port", port)), value

    return find


def _of_links(*path: str) -> Find:
    def find(snapshot: Mapping[str, Any]) -> Found:
        for name, link in _part(snapshot, "links").items():
            if (value := _dig(link, path)) is not None:
                yield (("other", name),), value

    return find


def _latencies(snapshot: Mapping[str, Any]) -> Found:
    for name, summary in _part(snapshot, "latency").items():
        yield (("unit", name),), summary


def _states(snapshot: Mapping[str, Any]) -> Found:
    for state in STATES:
        yield (("state", state),), int(snapshot.get("state") == state)


def _info(snapshot: Mapping[str, Any]) -> Found:
    yield (("version", str(snapshot.get("version", ""))), ("pid", str(snapshot.get("pid", "")))), 1


def _part(snapshot: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    stats = snapshot.get("stats")
    return (stats.get(name) or {}) if stats else {}


def _dig(found: Any, path: Iterable[str]) -> Any:
    for key in path:
        if found is None:
            return None
        found = found.get(key)
    return found


def _counts(of: str, what: Callable[..., Find], told: Mapping[str, str]) -> list[Family]:
    return [Family(f"streampy_{of}_{key}_total", "counter", text, what(key)) for key, text in told.items()]


FAMILIES: Final[tuple[Family, ...]] = (
    Family("streampy_segment_info", "gauge", "Which program runs; always 1.", _info),
    Family("streampy_segment_state", "gauge", "1 for the state that the segment is in, 0 for the others.", _states),
    Family(
        "streampy_segment_start_time_seconds",
        "gauge",
        "When it was started, in unix time.",
        _of_segment(lambda snapshot: snapshot.get("started")),
    ),
    *_counts(
        "unit",
        _of_units,
        {
            "received": "Items that the unit was called with.",
            "emitted": "Items that the unit gave.",
            "filtered": "Items of which the unit made nothing.",
            "failed": "Items on which the unit raised once too often.",
            "retried": "Further tries after the unit raised.",
        },
    ),
    *(
        Family(f"streampy_unit_{key}_seconds_total", "counter", text, _of_units(key))
        for key, text in {
            "busy": "Seconds in the unit's own code, added up over its workers.",
            "idle": "Seconds in which workers waited for items, added up.",
            "blocked": "Seconds in which workers waited for room in what follows, added up.",
        }.items()
    ),
    Family("streampy_unit_gil_ratio", "gauge", "Share of all the time in which it held the GIL.", _of_units("gil")),
    Family("streampy_unit_workers", "gauge", "Workers of the unit.", _of_units("workers")),
    Family("streampy_unit_restarts_total", "counter", "Workers that took another's place.", _of_units("restarted")),
    Family("streampy_unit_hung_total", "counter", "Calls that did not come back in time.", _of_units("hung")),
    Family("streampy_unit_work_seconds", "histogram", "Seconds that a call took.", _of_units("work"), SECONDS),
    Family("streampy_pipe_depth", "gauge", "Items that wait in the pipe.", _of_pipes("depth")),
    Family("streampy_pipe_capacity", "gauge", "Items that the pipe holds.", _of_pipes("capacity")),
    Family("streampy_pipe_high_water", "gauge", "Most items that ever waited in the pipe.", _of_pipes("high_water")),
    *_counts(
        "pipe",
        _of_pipes,
        {
            "received": "Items that came into the pipe.",
            "delivered": "Items that were handed over.",
            "dropped": "Items that the pipe had no room for.",
            "expired": "Items that were too old when it was their turn.",
        },
    ),
    Family("streampy_pipe_overloaded", "gauge", "1 while the pipe is full.", _of_pipes("overloaded")),
    Family("streampy_pipe_wait_seconds", "histogram", "Seconds that an item waited.", _of_pipes("wait"), SECONDS),
    Family("streampy_pipe_batch_items", "histogram", "Items in a batch.", _of_pipes("batch"), ITEMS),
    Family("streampy_link_peers", "gauge", "OS processes of the other segment that are there.", _of_links("peers")),
    Family("streampy_link_kept", "gauge", "Items kept until the other segment answers.", _of_links("kept")),
    Family("streampy_latency_seconds", "histogram", "Seconds from birth to delivery.", _latencies, SECONDS),
    *(
        Family(f"streampy_items_{key}_total", "counter", text, _of_stats("ledger", key))
        for key, text in {
            "born": "Items that sources emitted, or that were pushed.",
            "split": "Parts and copies that were made on the way.",
            "joined": "Items that went into another one at a join.",
            "delivered": "Items that came to their end with a result.",
            "filtered": "Items that ended in a unit that made nothing of them.",
            "dropped": "Items that ended because there was no room.",
            "failed": "Items that ended because a unit raised.",
            "expired": "Items that ended because they were too old.",
        }.items()
    ),
    Family("streampy_items_in_flight", "gauge", "Items on their way.", _of_stats("ledger", "in_flight")),
    Family(
        "streampy_ledger_balanced", "gauge", "1 where every item is accounted for.", _of_stats("ledger", "balanced")
    ),
    Family("streampy_gil_wait_seconds", "histogram", "Seconds waited for the GIL.", _of_stats("gil_wait"), SECONDS),
    Family("streampy_trace_spans_total", "counter", "Spans sent to the collector.", _of_stats("trace", "sent")),
    Family("streampy_trace_spans_dropped_total", "counter", "Spans that were not sent.", _of_stats("trace", "dropped")),
)
"""All that is told, in its order."""


def render(snapshots: Iterable[Mapping[str, Any]]) -> str:
    """The metrics of these segments; see `docs/observe.md` for their names and labels."""
    labelled = list(_labelled(snapshots))
    lines: list[str] = []
    for family in FAMILIES:
        write = _histogram if family.kind == "histogram" else _number
        found = [
            line
            for labels, snapshot in labelled
            for more, value in family.find(snapshot)
            for line in write(family, (*labels, *more), value)
        ]
        if found:
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}", *found]
    return "\n".join(lines) + "\n" if lines else ""


def _labelled(snapshots: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Labels, Mapping[str, Any]]]:
    """Each with the labels of its segment; where two would have the same, the second gets `run` and `pid` too."""
    seen: set[Labels] = set()
    for snapshot in snapshots:
        names = ("process", "segment", "replica", "host")
        labels: Labels = tuple((name, str(snapshot.get(name, ""))) for name in names)
        if labels in seen:
            labels = (*labels, ("run", str(snapshot.get("run", ""))), ("pid", str(snapshot.get("pid", ""))))
        seen.add(labels)
        yield labels, snapshot


def _number(family: Family, labels: Labels, value: Any) -> Iterator[str]:
    yield f"{family.name}{_text(labels)} {_value(value)}"


def _histogram(family: Family, labels: Labels, summary: Mapping[str, Any]) -> Iterator[str]:
    """A classic one: cumulative counts."""
    buckets = [(inf if bound is None else bound, count) for bound, count in summary.get("buckets") or ()]
    for bound in family.bounds:
        at_most = sum(count for upper, count in buckets if upper <= bound)
        yield f"{family.name}_bucket{_text((*labels, ('le', f'{bound:g}')))} {at_most}"
    count = sum(count for _, count in buckets)
    yield f"{family.name}_bucket{_text((*labels, ('le', '+Inf')))} {count}"
    yield f"{family.name}_sum{_text(labels)} {_value(summary['mean'] * summary['count'])}"
    yield f"{family.name}_count{_text(labels)} {count}"


def _value(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool | int) else repr(float(value))


def _text(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
