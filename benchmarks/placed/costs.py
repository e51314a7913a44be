"""What OS processes cost that have nothing to do, and to start, as tables.

Knows nothing of how they are started.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from placed.measures import Extent
from placed.one import measure
from placed.tables import Table, spread

_MB = 1e6


def idle(extent: Extent) -> Table:
    """E. CPU time while nothing happens."""
    seconds = 2 * extent.seconds
    rows, raw = [], {}
    for name, way in (("ours", "StreamPy"), ("queues", "`multiprocessing.Queue`, by hand")):
        found = [measure(name, "idle", seconds=seconds) for _ in range(min(2, extent.rounds))]
        raw[name] = found
        cpu = median(one["cpu"] for one in found) / seconds
        wakings = median(one["wakings"] for one in found) / seconds
        rows.append([way, str(found[0]["count"]), f"{1000 * cpu:.1f}", f"{wakings:.1f}"])
    head = ["twelve units at rest", "OS processes", "ms of CPU a second", "wakings a second"]
    return Table("idle", head, rows, f"All together, over {seconds:g} s.", raw)


def memory(extent: Extent) -> Table:
    """F. Whose memory is whose."""
    del extent  # it does not vary
    rows, raw = [], {}
    for with_numpy in (False, True):
        found = raw["with NumPy" if with_numpy else "without"] = measure("ours", "memory", with_numpy=with_numpy)
        main, nursery, *workers = found.values()
        for name, ones in (("main", [main]), ("nursery", [nursery]), ("a worker", workers)):
            sizes = [f"{median(one[kind] for one in ones) / _MB:.1f}" for kind in ("uss", "pss", "rss")]
            middle = sorted(ones, key=lambda one: one["uss"])[len(ones) // 2]
            rows.append([name, "with" if with_numpy else "without", *sizes, _largest(middle["parts"])])
    head = ["OS process", "NumPy", "USS MB", "PSS MB", "RSS MB", "the USS is"]
    return Table("memory", head, rows, raw=raw)


def _largest(parts: dict[str, int]) -> str:
    found = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{size / _MB:.1f} {kind}" for kind, size in found if size > _MB / 10)


def start(extent: Extent) -> Table:
    """G. Seconds until all are there."""
    rows, raw = [], {}
    ways = {"ours": "StreamPy", "queues": "spawned with `multiprocessing`", "floor": "forked by hand"}
    for count in (1, 12, 50):
        found: dict[str, list[Any]] = {name: [] for name in ways}
        for _ in range(extent.rounds if count < 50 else 1):
            for name in ways:
                if (name, count) != ("queues", 50):
                    found[name].append(measure(name, "start", count=count))
        raw[str(count)] = found
        rows.append([str(count), *(spread(one, ".3f") if one else "" for one in found.values())])
    return Table("start", ["OS processes", *(f"{way}, s" for way in ways.values())], rows, raw=raw)
