"""Units in OS processes: how late frames are, how much goes through, and what it costs.

    python benchmarks/places.py [--quick] [--only latency hog ...] [--json FILE] [--fill docs/performance.md]

Beside StreamPy stand, in the same run, `multiprocessing.Queue` by hand, and the bare floor: the number of a block over
a Unix seqpacket socket, one shared mapping of blocks that are given back, forked OS processes, and no framework. All
ways call the same functions. A frame is 1080 x 1920 x 3 bytes; the source copies it from a picture each time, notes in
it when that was done, and from then on it is under way, until the sink has it. Source, sink and each of the twelve
units have an OS process of their own. A unit reads every fourth row of the frame.

Each way is measured alone, in an interpreter of its own; round by round the ways take turns, because the machine is
noisy. The first second of frames, and the first tenth of what is sent as fast as possible, is discarded. Each
percentile is that of one round; told are the median of the rounds, and in brackets from where to where they were. Read
the ratios: absolute times are those of this machine and of whatever else it did.

`multiprocessing.Queue` copies each array four times a hop, and can't keep up with 30 frames a second: what is told of
its latency is how far it had fallen behind, and grows with the time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from placed import costs, measures
from placed.tables import fill

MEASURES = {
    "latency": measures.latency,
    "small": measures.small,
    "throughput": measures.throughput,
    "pool": measures.pool,
    "hog": measures.hog,
    "idle": costs.idle,
    "memory": costs.memory,
    "start": costs.start,
}


def main() -> None:
    """Measure, tell, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each way in each round, about")
    parser.add_argument("--quick", action="store_true", help="one round of a second: what works, not how well")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--json", type=Path, help="file to write all that was found to")
    parser.add_argument("--fill", type=Path, help="page whose tables are to be brought up to date")
    chosen = parser.parse_args()
    extent = measures.Extent(1, 1.0) if chosen.quick else measures.Extent(chosen.rounds, chosen.seconds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    how = f"{machine}; {extent.rounds} rounds of {extent.seconds:g} s"
    print(how)
    tables = []
    for name in chosen.only:
        tables.append(MEASURES[name](extent))
        print(f"\n{tables[-1]}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps({"how": how, "tables": list(map(asdict, tables))}, indent=2) + "\n")
    if chosen.fill:
        fill(chosen.fill, f"On {how}.", tables)


if __name__ == "__main__":
    main()
