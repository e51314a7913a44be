"""The thread in which the `async def` units of a process run, as tasks.

Knows nothing of units.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streampy.run.backend import Backend

Main = Coroutine[Any, Any, None]


class EventLoop:
    """Tasks may be added from any thread until it is closed; it then ends with the last of them."""

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend = backend
        self._name = name
        self._lock = backend.lock()
        self._early: list[tuple[Main, str]] | None = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[asyncio.Task[None], None] = {}  # no set: in a simulation they are cancelled in one order
        self._is_cancelled = False
        self._closing: asyncio.Event | None = None

    @property
    def thread(self) -> str:
        """The name of its thread, once it runs."""
        return f"streampy {self._name} loop"

    def add(self, main: Main, name: str) -> None:
        """Run this as a task. The first one starts the thread."""
        with self._lock:
            if self._early is None:
                assert self._loop is not None, "the early ones were taken by the loop"  # noqa: S101 - narrows the type
                self._loop.call_soon_threadsafe(self._start, main, name)
                return
            self._early.append((main, name))
            if len(self._early) > 1:
                return
        self._backend.launch(self._main, f"{self._name} loop")

    def cancel(self) -> None:
        """Cancel all tasks, also those that are still to come."""
        with self._lock:
            self._is_cancelled = True
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._cancel_all)

    def close(self) -> None:
        """No more tasks are added."""
        with self._lock:
            if self._loop is not None and not self._loop.is_closed() and self._closing is not None:
                self._loop.call_soon_threadsafe(self._closing.set)

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=self._backend.event_loop()) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._closing = asyncio.Event()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            early, self._early = self._early or [], None
        for main, name in early:
            self._start(main, name)
        await self._closing.wait()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, main: Main, name: str) -> None:
        task = asyncio.get_running_loop().create_task(main, name=f"streampy {name}")
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        if self._is_cancelled:
            self._cancel_soon(task)

    def _cancel_all(self) -> None:
        for task in self._tasks:
            self._cancel_soon(task)

    def _cancel_soon(self, task: asyncio.Task[None]) -> None:
        """Not before its first step: a task that is cancelled before that never runs, not even what it does at last."""
        task.get_loop().call_soon(task.cancel)
