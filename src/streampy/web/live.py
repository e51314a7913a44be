"""What those who watch are told: all there is first and whenever a segment comes or goes, then how it goes.

Knows nothing of how it reaches them. Each is told what is so at the moment when it is ready for more: who is slow
misses some, and holds nobody up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from time import time
from typing import TYPE_CHECKING, Any, Final, final

from streampy.web.view import system

if TYPE_CHECKING:
    from streampy.web.view import View

LEAST: Final = 0.1
MOST: Final = 10.0
"""Seconds between two looks."""
Event = tuple[str, str]
"""Its name, and its data as JSON."""


@final
class Live:
    """For all that watch: what many are told is put into words once."""

    def __init__(self, view: View, version: str) -> None:
        self._view = view
        self._version = version
        self._told: dict[str, tuple[int, str]] = {}

    async def events(self, every: float) -> AsyncIterator[Event]:
        """`system`, `stats` and `gone`, until the server ends."""
        view, who = self._view, object()
        view.begin_watching(who, every)
        try:
            await view.look()
            version, there = -1, set(view.segments)
            while not view.is_closed.is_set():
                if version != view.version:
                    version = view.version
                    for name in sorted(there - set(view.segments)):
                        yield "gone", json.dumps({"id": name, "state": "stopped"})
                    there = set(view.segments)
                    yield "system", self._once("system", self._system)
                else:
                    yield "stats", self._once("stats", self._stats)
                await self._pause(every, version)
        finally:
            view.end_watching(who)

    async def _pause(self, every: float, version: int) -> None:
        """So long, or until a segment comes or goes."""
        view = self._view
        with suppress(TimeoutError):
            async with asyncio.timeout(every), view.changed:
                await view.changed.wait_for(lambda: view.version != version or view.is_closed.is_set())

    def _once(self, name: str, tell: Any) -> str:
        tick, told = self._told.get(name, (-1, ""))
        if tick != self._view.ticks:
            tick, told = self._view.ticks, json.dumps(tell())
            self._told[name] = tick, told
        return told

    def _system(self) -> dict[str, Any]:
        return system(self._view, self._version, lambda seen: seen.snapshot)

    def _stats(self) -> dict[str, Any]:
        return {
            "at": time(),
            "segments": {
                name: {"state": seen.head["state"], "uptime": seen.head["uptime"], "stats": seen.stats}
                for name, seen in self._view.segments.items()
            },
        }


def as_sse(event: Event) -> bytes:
    """As a server-sent event; JSON has no line ends in it."""
    name, data = event
    return f"event: {name}\ndata: {data}\n\n".encode()
