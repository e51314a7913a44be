"""OS processes by hand, as the other ways have them: forked, and waited for.

Knows nothing of what they do. Only for an interpreter with one thread; whoever starts that sees to it that all end.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable


def fork(work: Callable[[], object]) -> int:
    """Have it done in an OS process of its own; returns its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)


def run_all(works: Iterable[Callable[[], object]]) -> None:
    """Have each done in an OS process of its own, until all have ended. Raises RuntimeError where one failed."""
    wait_for([fork(work) for work in works])


def wait_for(pids: Iterable[int]) -> None:
    """Until all have ended. Raises RuntimeError where one failed."""
    failed = [pid for pid in pids if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]
    if failed:
        raise RuntimeError(f"OS processes {failed} failed; what they raised is printed above")
