"""What a child does between its birth and the function that it is to call: it becomes what its order says.

Knows nothing of that function, nor of who asked for it.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from streampy.errors import RunError
from streampy.run.places.deaf import ignore_alone
from streampy.run.places.order import Order
from streampy.run.places.prctl import die_with, set_title
from streampy.run.places.script import import_script
from streampy.run.places.talk import speak

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Cradle:
    """A child that was just forked: nothing but the file descriptors that it was given."""

    def __init__(self, nursery: int, files: Sequence[int]) -> None:
        """nursery: its pid. files: those that go with `Ask.BEAR`."""
        self._nursery = nursery
        self._order, self._file, out, err, self._log = files
        self._streams = {1: out, 2: err}

    def leave(self) -> tuple[Order, int, int]:
        """Its order, its socket and its log; where it is to begin with a new interpreter, this does not return."""
        die_with(self._nursery)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for file, stream in self._streams.items():
            os.dup2(stream, file)
            os.close(stream)
        order = Order.read(self._order)
        if order.is_fresh:
            self._begin_anew(order)
        os.close(self._order)
        return order, self._file, self._log

    def _begin_anew(self, order: Order) -> NoReturn:
        settle(order)  # before libraries are loaded that count the cores
        files = (self._order, self._file, self._log)
        for file in files:
            os.set_inheritable(file, True)
        command = order.boot("birth", *map(str, files))
        os.execve(command[0], command, dict(order.environ))  # noqa: S606 - no shell is wanted


def main() -> None:
    """Go on in the new interpreter."""
    order_file, file, log = map(int, sys.argv[1:4])
    order = Order.read(order_file)
    os.close(order_file)
    for inherited in (file, log):
        os.set_inheritable(inherited, False)
    live(order, file, log, is_forked=False)


def live(order: Order, file: int, log: int, *, is_forked: bool) -> NoReturn:
    """Be what the order says, do what it says, and end."""
    code = 1
    try:
        ignore_alone()
        set_title(order.name)
        faulthandler.enable()
        sys.path[:] = order.path
        sys.argv[:] = order.arguments
        if is_forked:
            os.environ.clear()
            os.environ.update(order.environ)
            settle(order)
            _shuffle()
        speak(log, order.name, dict(order.levels), order.level_disabled)
        if order.script is not None:
            import_script(order.script)
        _find(order.main)(file)
        code = 0
    except SystemExit as left:
        code = _code_of(left)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    _end(code)


def settle(order: Order) -> None:
    """Go to the folder and the cores that the order names. Raises RunError where there are no such cores."""
    if order.folder is not None:
        with suppress(FileNotFoundError):  # it was removed, which is no reason to stay away
            os.chdir(order.folder)
    if order.cpus:
        _keep_to(order.cpus)


def _keep_to(cpus: Sequence[int]) -> None:
    before = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, cpus)
    if os.sched_getaffinity(0) != set(cpus):
        raise RunError(f"can't run on the cores {sorted(cpus)}: here are only {sorted(before)}; see `cpus` of the unit")


def _shuffle() -> None:
    """All that were forked would draw the same numbers; `random` itself sees to that, NumPy does not."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _find(name: str) -> Callable[[int], object]:
    module, _, function = name.partition(":")
    found: Callable[[int], object] = getattr(import_module(module), function)
    return found


def _code_of(left: SystemExit) -> int:
    if left.code is None or isinstance(left.code, int):
        return (left.code or 0) & 0xFF
    sys.stderr.write(f"{left.code}\n")
    return 1


def _end(code: int) -> NoReturn:
    """As an interpreter ends, but without taking down what is loaded: it takes long, and some libraries crash then."""
    try:
        threading._shutdown()  # type: ignore[attr-defined] # as the interpreter does: what is no daemon may finish
        atexit._run_exitfuncs()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody listens any more, or the unit has closed it
            stream.flush()
    os._exit(code)
