"""What running segments answered, for people. Knows nothing of how they were asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streampy.model.measure import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streampy.run.control.client import Address

_MOST_STACKS = 20


def show_list(there: Sequence[Address]) -> str:
    """A line for each segment that runs."""
    if not there:
        return "nothing runs here\n"
    rows = [["name", "pid", "run", "state", "since", "host"]]
    for one in there:
        head = one.head
        since = format_duration(head["uptime"])
        rows.append([one.name, str(head["pid"]), str(head["run"]), head["state"], since, head["host"]])
    return _table(rows)


def show_answer(name: str, verb: str, fields: Mapping[str, Any], answer: Any) -> str:
    """What one segment answered to a verb."""
    match verb:
        case "stats" if "unit" in fields:
            return f"{name}: {fields['unit']}\n{_table(_units({fields['unit']: answer}, {}))}" if answer else ""
        case "stats":
            return _stats(name, answer)
        case "peek":
            return f"{name}\n{_items(answer['items'])}"
        case "profile":
            return f"{name}\n{_stacks(answer)}"
        case _ if answer is None:
            return f"{name}: {verb} done\n"
        case _:
            return f"{name}: {json.dumps(answer, ensure_ascii=False)}\n"


def _stats(name: str, live: Mapping[str, Any]) -> str:
    stats = live["stats"]
    lines = f"{name}: {live['state']}, for {format_duration(live['uptime'])}\n"
    if stats is None:
        return lines
    ledger = stats["ledger"]
    ways = ("born", "delivered", "filtered", "dropped", "failed", "expired", "in_flight")
    lines += "  " + ", ".join(f"{way.replace('_', ' ')} {ledger[way]}" for way in ways if ledger[way]) + "\n"
    lines += _table(_units(stats["units"], stats["pipes"]))
    lines += f"  {stats['bottleneck']['text']}\n"
    lines += "".join(f"  {hog}\n" for hog in stats["hogs"])
    return lines + "".join(f"  error: {one['unit']}: {one['text']}\n" for one in stats["errors"][-3:])


def _units(units: Mapping[str, Any], pipes: Mapping[str, Any]) -> list[list[str]]:
    titles = [
        "unit",
        "state",
        "workers",
        "in/s",
        "out/s",
        "busy",
        "idle",
        "blocked",
        "work p50",
        "p99",
        "waiting",
        "lost",
    ]
    rows = [titles]
    for name, unit in units.items():
        mine = [pipe for end, pipe in pipes.items() if end.rpartition(".")[0] == name]
        lost = unit["failed"] + unit["filtered"] + sum(pipe["dropped"] + pipe["expired"] for pipe in mine)
        waiting = " ".join(f"{pipe['depth']}/{pipe['capacity']}" for pipe in mine)
        share, rates = unit["share"], unit["rates"]
        rows.append(
            [
                name,
                unit["state"],
                str(unit["workers"]),
                f"{rates['in']:.1f}",
                f"{rates['out']:.1f}",
                *(f"{share[key]:.0%}" for key in ("busy", "idle", "blocked")),
                *(format_duration(unit["work"][key]) for key in ("p50", "p99")),
                waiting,
                str(lost or ""),
            ]
        )
    return rows


def _items(items: Sequence[Mapping[str, Any]]) -> str:
    if not items:
        return "  nothing came\n"
    rows = [["item", "age", "type", "value"]]
    rows += [[one["key"], format_duration(one["age"]), one["type"], one["repr"]] for one in items]
    return _table(rows, left=4)


def _stacks(profile: Mapping[str, Any]) -> str:
    rows = [["of the time", "where"]]
    for stack, count in list(profile["stacks"].items())[:_MOST_STACKS]:
        rows.append([f"{count / max(1, profile['samples']):.0%}", stack.replace(";", " > ")])
    return _table(rows, left=2)


def _table(rows: Sequence[Sequence[str]], left: int = 2) -> str:
    """So many columns from the left, the others from the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip() + "\n")
    return "".join(lines)
