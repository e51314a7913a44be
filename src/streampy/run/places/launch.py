"""Starts OS processes for units, and tells of their ends: the one way in to this package.

Knows nothing of units: what a new OS process does is a function that is named, and what they say to each other goes
over a socket that is handed over.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, final

from streampy.errors import RunError
from streampy.run.backend import Backend
from streampy.run.places.house import House
from streampy.run.places.listen import Listener
from streampy.run.places.order import Order
from streampy.run.places.script import find_script
from streampy.run.places.talk import levels_here

if TYPE_CHECKING:
    from streampy.run.places.child import Child

_PRELOAD: Final = ("streampy.run.segment",)
_PATIENCE: Final = 5.0
"""Seconds for the end of all."""
_LAST_WORDS: Final = 1.0
"""Seconds for saying what the children have said."""


@final
class Nursery:
    """Bears OS processes that live no longer than this one, however it ends. Any thread may call it.

    What they print and log comes out here, the name of each before its lines. They hear neither Ctrl-C nor SIGTERM.
    """

    def __init__(self, run: str, *, preload: Sequence[str] = _PRELOAD, backend: Backend | None = None) -> None:
        """run: a name, for people. preload: modules that all of them need, imported once."""
        self._run = run
        self._preload = preload
        self._backend = backend or Backend()
        self._lock = self._backend.lock()
        self._house: House | None = None
        self._listener = Listener(run, self._backend)
        self._is_closed = False

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "not started" if self._house is None else repr(self._house)
        return f"<Nursery of {self._run!r}: {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(self._backend.now() + _PATIENCE)

    def start(self) -> None:
        """Get ready, and don't wait for it; else the first `bear` does. Raises RunError."""
        self._ready()

    def _ready(self) -> House:
        with self._lock:
            if self._is_closed:
                raise RunError(f"the nursery of {self._run!r} is closed: no OS process is started any more")
            if self._house is None or self._house.is_ended:
                order = replace(self._order(f"nursery of {self._run}"), preload=list(self._preload))
                self._house = House(order, self._listener, self._backend)
            return self._house

    def _order(self, name: str) -> Order:
        if not sys.executable:
            raise RunError(
                "sys.executable is empty, as where Python is embedded in another program, so no other interpreter can"
                " be started: set it to the path of one, or place all units `main`"
            )
        return Order(
            name,
            path=[entry for entry in sys.path if isinstance(entry, str)],
            command=[
                sys.executable,
                *subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined] # as multiprocessing does
            ],
            arguments=sys.argv,
        )

    def bear(
        self,
        name: str,
        main: str,
        file: int,
        *,
        env: Mapping[str, str] | None = None,
        cpus: Sequence[int] = (),
        needs_main: bool = False,
        on_end: Callable[[Child, int], None] | None = None,
    ) -> Child:
        """Start an OS process that calls `main(file)`, and ends with it; returns when it is born.

        name: for people: before what it prints, and in `top`. main: `module:function`; an exception that leaves it is
        printed, and makes the exit code 1. file: a file descriptor, which it gets a copy of; the caller closes its own.
        env: environment variables beyond those of this OS process. cpus: the numbers of the cores that it may use;
        with either it begins with a new interpreter, which takes 0.2 s longer, so that libraries see them when they
        are loaded. needs_main: something in it is defined in the user's script, which is then imported there.
        on_end: called with its exit code (negative where a signal ended it) soon after it ended, in a thread that
        tells of the others too, so it must not wait; `Child.last_words` are complete then. This may be before `bear`
        returns. Raises RunError where it can't be started.
        """
        levels, level_disabled = levels_here()
        order = replace(
            self._order(name),
            main=main,
            folder=_folder(),
            environ={**os.environ, **(env or {})},
            is_fresh=bool(env or cpus),
            cpus=cpus,
            script=find_script() if needs_main else None,
            levels=levels,
            level_disabled=level_disabled,
        )
        return self._ready().bear(order, file, on_end)

    def close(self, until: float) -> None:
        """Kill what still lives, and wait until nothing of it is left: no OS process, thread or file descriptor.

        until: `time.monotonic` seconds; past it, the nursery itself is killed. What the children said is said then,
        except where stdout or stderr of this OS process can't be written so soon. Not to be called in `on_end`.
        """
        with self._lock:
            self._is_closed = True
            house = self._house
        if house is not None:
            house.close(until)
        self._listener.close()
        self._backend.wait_for(self._listener.over, max(until, self._backend.now() + _LAST_WORDS))


def _folder() -> str | None:
    with suppress(FileNotFoundError):  # it was removed
        return os.getcwd()  # noqa: PTH109 - a string is needed
    return None
