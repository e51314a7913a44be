"""Links between segments, beside a bare socket, pyzmq and gRPC: frames, round trips, small items, replicas, far ends.

    python benchmarks/links.py [--quick] [--only frames trips ...] [--json FILE] [--fill docs/performance.md]

Both ends are OS processes of their own on this machine, over loopback. A link of StreamPy goes from a unit at the edge
to one in the core, and back to one at the edge: with identities, pipes, counts, and each item kept until it was
answered, so that the death of the other end loses none. By hand it is a blocking socket, with pyzmq push and pull or
dealers, with gRPC a stream each way or single calls: bytes that are sent and forgotten. So the bare socket is the
floor, not a rival. pyzmq and gRPC run in an environment of their own, pinned, which uv makes in build/peers.

Each way is measured alone, in new interpreters; round by round the ways take turns, because the machine is noisy. The
first tenth of each run is discarded. Each percentile is that of one round; told are the median of the rounds, and in
brackets from where to where they were; a ratio is the median of those of single rounds. Read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from beside.environments import versions_of
from linked.measures import MEASURES, Extent, pythons_of
from placed.tables import fill

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure, tell, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short round: what works, not how well")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "peers", help="folder of the environments")
    parser.add_argument("--json", type=Path, help="file to write all that was found to")
    parser.add_argument("--fill", type=Path, help="page whose tables are to be brought up to date")
    chosen = parser.parse_args()
    pythons = pythons_of(chosen.cache.resolve())
    extent = Extent(1, 0.2, pythons) if chosen.quick else Extent(chosen.rounds, 1.0, pythons)
    others = [pin.replace("==", " ") for pin in versions_of("links")[:2]] if "rpc" in pythons else []
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    how = ", ".join([f"{machine}; {extent.rounds} rounds", *others])
    print(how)
    tables = []
    for name in chosen.only:
        tables.append(MEASURES[name](extent))
        print(f"\n{tables[-1]}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps({"how": how, "tables": list(map(asdict, tables))}, indent=2) + "\n")
    if chosen.fill:
        fill(chosen.fill, f"On {how}.", tables, by="links")


if __name__ == "__main__":
    main()
