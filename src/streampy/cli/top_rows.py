"""What `streampy top` says of each unit, as cells of text: from the snapshots of segments.

Pure. Knows nothing of the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from streampy.model.measure import format_duration
from streampy.run.bottleneck import per_second

NOTHING: Final = "nothing runs here: start a process by `streampy run FILE`, in another terminal"
COLUMNS: Final = (
    "unit",
    "state",
    "workers",
    "in/s",
    "out/s",
    "busy, blocked",
    "waiting",
    "worked p50",
    "p99",
    "lost",
    "failed",
)
_BAR: Final = 16
"""Characters of the bar that shows how a unit spends its time."""
_GAUGE: Final = 6
BUSY, BLOCKED, IDLE = "█", "▒", "·"


class Row(NamedTuple):
    """Of one unit, or of a whole segment: then `unit` is empty."""

    key: str
    segment: Mapping[str, Any]
    unit: str
    cells: tuple[str, ...]
    """By COLUMNS; of a segment what came in and out of it as a whole, and how long that took from birth to end."""
    is_limit: bool = False


def rows_of(segments: list[dict[str, Any]]) -> Iterator[Row]:
    """A row for each segment, and one for each of its units."""
    for segment in segments:
        yield Row(segment["id"], segment, "", _of_segment(segment))
        limits = ((segment.get("stats") or {}).get("bottleneck") or {}).get("units") or []
        for unit in segment["plan"]["units"]:
            cells = _cells(segment, unit)
            yield Row(f"{segment['id']}|{unit}", segment, unit, cells, is_limit=unit in limits)


def name_of(segment: Mapping[str, Any]) -> str:
    """`faces/core#1`."""
    of_segment = f"/{segment['segment']}" if segment["segment"] else ""
    return f"{segment['process']}{of_segment}{'#' + str(segment['replica']) if segment['replica'] else ''}"


def title(segment: Mapping[str, Any]) -> str:
    """`faces  running  12.3 s  born 300, in flight 3  p95 24.1 ms`."""
    parts = [name_of(segment), segment["state"], format_duration(segment.get("uptime") or 0.0)]
    stats = segment.get("stats")
    if stats:
        ledger = stats["ledger"]
        parts.append(f"born {_count(ledger['born'])}, in flight {_count(ledger['in_flight'])}")
        slowest = max((one["p95"] for one in stats["latency"].values()), default=0.0)
        parts += [f"p95 {format_duration(slowest)}"] if slowest else []
        parts += [f"{name} {_count(ledger[name])}" for name in ("dropped", "expired", "failed") if ledger[name]]
    return "  ".join(parts)


def limit_of(segment: Mapping[str, Any]) -> list[str]:
    """What limits it, and who hogs the GIL: a sentence each."""
    stats = segment.get("stats") or {}
    text = (stats.get("bottleneck") or {}).get("text", "")
    return [*([text] if text else []), *stats.get("hogs", [])]


def errors_of(segment: Mapping[str, Any], unit: str, most: int = 5) -> Iterator[str]:
    """The last errors of a unit (of all: ""), with their tracebacks, and lines of the log; newest first."""
    stats = segment.get("stats") or {}
    errors = [one for one in stats.get("errors", []) if unit in {"", one.get("unit")}]
    for one in errors[: -most - 1 : -1]:
        yield f"{one.get('unit', '')} {one.get('item', '')}: {one.get('text', '')}".strip()
        yield from str(one.get("traceback") or "").rstrip().splitlines()
    logger = f"streampy.unit.{unit}"
    log = [one for one in stats.get("log", []) if not unit or one.get("logger") == logger]
    for one in log[: -2 * most - 1 : -1]:
        yield f"{one.get('level', '')} {one.get('logger', '')}: {one.get('text', '')}"


def workers_of(segment: Mapping[str, Any], unit: str) -> Iterator[str]:
    """The workers of a unit, where each lives, and the settings that it has now: a line each."""
    told = (segment.get("stats") or {}).get("units", {}).get(unit)
    if told is None:
        return
    for one in told.get("crew", []):
        yield f"  worker {one['name']}: {one['state']}, place {one['place']}, pid {one['pid']}"
    if told.get("settings"):
        yield "  settings: " + ", ".join(f"{name}={value!r}" for name, value in told["settings"].items())


def _of_segment(segment: Mapping[str, Any]) -> tuple[str, ...]:
    stats = segment.get("stats")
    uptime = f"up {format_duration(segment.get('uptime') or 0.0)}"
    if not stats:
        return (name_of(segment), segment["state"], "", "", "", uptime, *[""] * (len(COLUMNS) - 6))
    ledger = stats["ledger"]
    sources = [unit for unit, told in segment["plan"]["units"].items() if not told["inputs"]]
    slowest = max(stats["latency"].values(), key=lambda one: float(one["p99"]), default=None)
    times = ("p50", "p99")
    lost = ledger["dropped"] + ledger["expired"]
    return (
        name_of(segment),
        segment["state"],
        str(sum(one["workers"] for one in stats["units"].values())),
        "",
        per_second(sum(stats["units"][unit]["rates"]["out"] for unit in sources if unit in stats["units"])),
        uptime,
        f"{_count(ledger['in_flight'])} in flight",
        *(["", ""] if slowest is None else [format_duration(slowest[time]) for time in times]),
        _count(lost) if lost else "",
        _count(ledger["failed"]) if ledger["failed"] else "",
    )


def _cells(segment: Mapping[str, Any], unit: str) -> tuple[str, ...]:
    stats = segment.get("stats") or {}
    told = stats.get("units", {}).get(unit)
    name = f"  {unit}"
    if told is None:
        return (name, segment["state"], *[""] * (len(COLUMNS) - 2))
    pipes = [pipe for port, pipe in stats["pipes"].items() if port.rpartition(".")[0] == unit]
    lost = sum(pipe["dropped"] + pipe["expired"] for pipe in pipes)
    rates, work = told["rates"], told["work"]
    has_inputs = bool(segment["plan"]["units"][unit]["inputs"])
    has_outputs = bool(segment["plan"]["units"][unit]["outputs"])
    return (
        name,
        told["state"],
        str(told["workers"]),
        per_second(rates["in"]) if has_inputs else "",
        per_second(rates["out"]) if has_outputs else "",
        bar(told["share"]),
        gauge(pipes),
        format_duration(work["p50"]) if work["count"] else "",
        format_duration(work["p99"]) if work["count"] else "",
        _count(lost) if lost else "",
        _count(told["failed"]) if told["failed"] else "",
    )


def bar(share: Mapping[str, float]) -> str:
    """`████▒▒·········· 25%`: busy, blocked, and the rest."""
    busy = min(_BAR, round(_BAR * share["busy"]))
    blocked = min(_BAR - busy, round(_BAR * share["blocked"]))
    return f"{BUSY * busy}{BLOCKED * blocked}{IDLE * (_BAR - busy - blocked)} {share['busy']:4.0%}"


def gauge(pipes: list[Mapping[str, Any]]) -> str:
    """`███··· 32/64` of the fullest of its pipes; "" where it has none, as it is fused."""
    if not pipes:
        return ""
    fullest = max(pipes, key=lambda pipe: pipe["depth"] / max(1, pipe["capacity"]))
    full = min(_GAUGE, round(_GAUGE * fullest["depth"] / max(1, fullest["capacity"])))
    return f"{BUSY * full}{IDLE * (_GAUGE - full)} {fullest['depth']}/{fullest['capacity']}"


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
