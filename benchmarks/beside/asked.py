"""The entry that all adapters share: reads what is asked, has it run, and tells how that ended.

    python -m beside.adapters.NAME JOB

JOB is what `Job.told` gave. Knows nothing of any peer. Imported in the environment of each peer.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beside.job import Job

Run = Callable[[Job], dict[str, float] | None]
"""Does all of a job, and returns when it is over: `lost`, if the peer itself tells how many items were."""


def main(run: Run, *, takes_streams: bool = False) -> None:
    """Run what the command line asks for; the exit code is 1 where that raised.

    takes_streams: `run` does all streams of a job itself; else each is a job, run from a thread of its own.
    """
    job = Job.of(sys.argv[1])
    told: dict[str, Any] = {"began": time.monotonic(), "found": None, "raised": ""}
    code = 0
    try:
        if job.streams > 1 and not takes_streams:
            _side_by_side(run, job)
        else:
            told["found"] = run(job)
    except BaseException as error:
        told["raised"] = "".join(traceback.format_exception(error))
        traceback.print_exc()
        code = 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        told["ended"] = time.monotonic()
        (Path(job.folder) / "told").write_text(json.dumps(told))
    sys.exit(code)


def _side_by_side(run: Run, job: Job) -> None:
    threads = [threading.Thread(target=run, args=(job.stream(number),)) for number in range(job.streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
