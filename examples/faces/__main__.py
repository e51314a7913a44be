"""Faces in two cameras, found and named: `python -m examples.faces` from the root of the repository.

Everything is made here: models and photographs come out of well-known packages, the clips are drawn from them with a
known truth, people are enrolled, the process runs, and what it found is held against the truth.
"""

import argparse
import sys
from pathlib import Path

from examples.faces.wanted import check_installed

_HERE = Path(__file__).parent


def main() -> int:
    """Run the example; the exit code is 1 when a bar of quality was missed."""
    options = _parser().parse_args()
    check_installed()
    # Only now: these need the packages that were just looked for.
    from examples.faces import compare, runs, setup  # noqa: PLC0415

    files = setup.prepare(options.cache.resolve(), options.out.resolve())
    if options.compare:
        compare.compare(files, rounds=options.rounds)
        return 0
    runs.run_plain(files) if options.plain else runs.run_process(files, own=options.own)
    return 0 if runs.report(files) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.faces", description=__doc__)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--plain", action="store_true", help="the same units as one plain loop, without a process")
    ways.add_argument("--own", action="store_true", help="each unit in an OS process of its own: the same results")
    ways.add_argument("--compare", action="store_true", help="both, in turn: frames a second, latency, ratio")
    parser.add_argument("--rounds", type=int, default=3, help="of --compare (default: 3)")
    parser.add_argument("--out", type=Path, default=_HERE / "out", help="folder for what is made")
    parser.add_argument("--cache", type=Path, default=_HERE.parents[1] / ".cache" / "faces", help="folder for models")
    return parser


if __name__ == "__main__":
    sys.exit(main())
