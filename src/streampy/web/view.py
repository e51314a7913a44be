"""All running segments in one view: who is there, grouped by run, and how it goes.

Knows nothing of HTTP. While nobody asks it looks at nothing; while somebody watches, each segment is watched once,
however many look, and the folder is looked at once a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from time import time
from typing import Any, Final, final

from streampy.errors import StreamPyError
from streampy.model.suggest import did_you_mean
from streampy.run.control import folder
from streampy.run.control.client import Gone, Refused
from streampy.run.control.verbs import NoSuch
from streampy.web.link import Link, watch

_LOOK: Final = 1.0
"""Seconds between two looks at who is there, while somebody watches."""
_FRESH: Final = 0.2
"""Seconds for which the last look is good enough."""
_ORDER: Final = ("failed", "stopping", "draining", "starting", "paused", "running", "stopped")
"""Of several states the one that says most of the whole."""


@final
class Seen:
    """One segment."""

    def __init__(self, link: Link, snapshot: dict[str, Any]) -> None:
        self.link = link
        self.plan: dict[str, Any] = snapshot["plan"]
        self.head = {name: value for name, value in snapshot.items() if name not in {"plan", "stats"}}
        self.stats: dict[str, Any] | None = snapshot["stats"]
        self.watching: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """See `Found.id`."""
        return str(self.head["id"])

    @property
    def snapshot(self) -> dict[str, Any]:
        """As it was told last."""
        return {**self.head, "plan": self.plan, "stats": self.stats}

    def take(self, live: dict[str, Any]) -> None:
        """How it goes now."""
        self.head |= {"state": live["state"], "uptime": live["uptime"]}
        self.stats = live["stats"]


@final
class View:
    """Of one event loop. `version` grows whenever a segment comes or goes, `ticks` whenever anything is heard."""

    def __init__(self, also: Sequence[str] = (), token: str = "") -> None:
        """Also: `tcp://HOST:PORT` of segments elsewhere; token: for these."""
        self.segments: dict[str, Seen] = {}
        self.version = self.ticks = 0
        self.is_closed = asyncio.Event()
        self._also = list(also)
        self._token = token
        self._lock = asyncio.Lock()
        self._looked_at = -_LOOK
        self._watchers: dict[object, float] = {}
        """Who watches, and how often."""
        self._every = 0.0
        self._looking: asyncio.Task[None] | None = None
        self.changed = asyncio.Condition()
        """Notified whenever `version` grows."""

    def __repr__(self) -> str:
        return f"<View of {len(self.segments)} segments, {len(self._watchers)} watch>"

    # who is there

    async def look(self, *, fresh: float = _FRESH) -> None:
        """See who is there. Raises Unsafe."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            has_lost = any(seen.link.gone.is_set() for seen in self.segments.values())
            if now - self._looked_at < fresh and not has_lost:
                return
            found = await asyncio.to_thread(folder.find, set(self.segments))
            gone = [seen for seen in self.segments.values() if seen.link.gone.is_set()]
            for seen in gone:
                await self._forget(seen)
            addresses = [str(one.path) for one in found if one.id not in self.segments] + self._missing()
            came = [one for one in await asyncio.gather(*map(self._meet, addresses)) if one is not None]
            for seen in came:
                self.segments[seen.id] = seen
                self._watch_one(seen)
            self._looked_at = asyncio.get_running_loop().time()
        if gone or came:
            await self._tell()

    def _missing(self) -> list[str]:
        there = {seen.link.address for seen in self.segments.values()}
        return [address for address in self._also if address not in there]

    async def _meet(self, address: str) -> Seen | None:
        link = None
        with suppress(Gone, Refused):  # it went, or is not ours to see
            link = await Link.open(address, self._token if address.startswith("tcp://") else "")
            return Seen(link, await link.ask("snapshot"))
        if link is not None:
            await link.close()
        return None

    async def _forget(self, seen: Seen) -> None:
        self.segments.pop(seen.id, None)
        if seen.watching is not None:
            seen.watching.cancel()
        await seen.link.close()

    async def _tell(self) -> None:
        async with self.changed:
            self.version += 1
            self.ticks += 1
            self.changed.notify_all()

    # how it goes, as long as somebody watches

    def begin_watching(self, who: object, every: float) -> None:
        """Somebody watches, and wants to know so often; until `end_watching`."""
        self._watchers[who] = every
        self._adapt()
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._keep_looking())

    def end_watching(self, who: object) -> None:
        """One less."""
        self._watchers.pop(who, None)
        self._adapt()

    def _adapt(self) -> None:
        """Have all segments watched as often as the most eager wants it; not at all where nobody does."""
        every = min(self._watchers.values(), default=0.0)
        if every == self._every:
            return
        self._every = every
        for seen in self.segments.values():
            if seen.watching is not None:
                seen.watching.cancel()
                seen.watching = None
            self._watch_one(seen)

    def _watch_one(self, seen: Seen) -> None:
        if self._every:
            seen.watching = asyncio.get_running_loop().create_task(self._watch(seen, self._every))

    async def _watch(self, seen: Seen, every: float) -> None:
        with suppress(Gone):
            async for live in watch(seen.link.address, self._token, every):
                seen.take(live)
                self.ticks += 1
        self._looked_at = -_LOOK

    async def _keep_looking(self) -> None:
        try:
            while self._watchers and not self.is_closed.is_set():
                with suppress(StreamPyError, OSError):
                    await self.look(fresh=0.0)
                links = [asyncio.ensure_future(seen.link.gone.wait()) for seen in self.segments.values()]
                try:
                    closed = asyncio.ensure_future(self.is_closed.wait())
                    await asyncio.wait([closed, *links], timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for one in (closed, *links):
                        one.cancel()
        finally:
            self._looking = None

    async def close(self) -> None:
        """Nothing more is looked at."""
        self.is_closed.set()
        async with self.changed:
            self.changed.notify_all()
        if self._looking is not None:
            await asyncio.wait([self._looking])
        for seen in list(self.segments.values()):
            await self._forget(seen)

    # what is told

    def processes(self, tell: Callable[[Seen], dict[str, Any]]) -> list[dict[str, Any]]:
        """All segments, told by `tell`, grouped by run."""
        groups: dict[str, list[Seen]] = {}
        for seen in sorted(self.segments.values(), key=_place):
            groups.setdefault(process_id(seen), []).append(seen)
        return [_process(name, group, tell) for name, group in groups.items()]

    def process(self, which: str, tell: Callable[[Seen], dict[str, Any]]) -> dict[str, Any]:
        """One of them. Raises NoSuch."""
        group = self.of_process(which)
        return _process(process_id(group[0]), group, tell)

    def of_process(self, which: str) -> list[Seen]:
        """The segments of one run, by its id, or by the name of the process where only one has it. Raises NoSuch."""
        meant = [seen for seen in self.segments.values() if which in {process_id(seen), seen.head["process"]}]
        ids = sorted({process_id(seen) for seen in meant})
        if len(ids) == 1:
            return sorted(meant, key=_place)
        if ids:
            raise NoSuch(f"several runs are called {which!r}: {', '.join(ids)}; say which by its id")
        known = sorted({process_id(seen) for seen in self.segments.values()})
        raise NoSuch(f"nothing that runs is called {which!r}{did_you_mean(which, known) if known else ''}")

    def of_segment(self, which: str) -> list[Seen]:
        """One segment, by its id. Raises NoSuch."""
        if which not in self.segments:
            hint = did_you_mean(which, self.segments) if self.segments else ""
            raise NoSuch(f"no segment that runs has the id {which!r}{hint}")
        return [self.segments[which]]

    async def refresh(self, seen: Sequence[Seen]) -> None:
        """Ask them anew how it goes."""
        await asyncio.gather(*(self._refresh(one) for one in seen))

    async def _refresh(self, seen: Seen) -> None:
        with suppress(Gone, Refused):
            seen.take(await seen.link.ask("stats"))

    async def ask(self, meant: Sequence[Seen], verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Have all of them do something: `segments` with what each answered, `errors` with what some did not do.

        Those that lack the unit don't count where others have it. Raises what the first one raised where none did it.
        """
        answers = await asyncio.gather(*(_tried(seen.link.ask(verb, fields)) for seen in meant))
        told = {seen.id: answer for seen, (answer, error) in zip(meant, answers, strict=True) if error is None}
        errors = {seen.id: error for seen, (_, error) in zip(meant, answers, strict=True) if error is not None}
        serious = {name: error for name, error in errors.items() if getattr(error, "kind", "") != "NoSuch"}
        if not told:
            raise next(iter((serious or errors).values()))
        return {"segments": told, "errors": {name: tell_error(error) for name, error in serious.items()}}


def tell_error(error: Exception) -> dict[str, str]:
    """As JSON has it."""
    kind = error.kind if isinstance(error, Refused) else type(error).__name__
    return {"kind": kind, "message": str(error), "traceback": error.trace if isinstance(error, Refused) else ""}


async def _tried(asked: Coroutine[Any, Any, Any]) -> tuple[Any, Exception | None]:
    try:
        return await asked, None
    except (Refused, Gone) as error:
        return None, error


def process_id(seen: Seen) -> str:
    """`faces@4711`."""
    return f"{seen.head['process']}@{seen.head['run']}"


def _place(seen: Seen) -> tuple[Any, ...]:
    head = seen.head
    return head["process"], head["run"], head["segment"], head["replica"], head["id"]


def _process(name: str, group: Sequence[Seen], tell: Callable[[Seen], dict[str, Any]]) -> dict[str, Any]:
    states = [seen.head["state"] for seen in group]
    return {
        "id": name,
        "process": group[0].head["process"],
        "run": group[0].head["run"],
        "state": min(states, key=_rank),
        "segments": [tell(seen) for seen in group],
    }


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


def system(view: View, version: str, tell: Callable[[Seen], dict[str, Any]]) -> dict[str, Any]:
    """Everything that runs."""
    return {"at": time(), "version": version, "processes": view.processes(tell)}
