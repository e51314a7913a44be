"""`streampy run` of a process that is cut into segments: all of them run here, and stop together.

Knows nothing of how they are started.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from math import inf
from queue import Empty
from time import monotonic
from typing import TYPE_CHECKING, Final

from streampy.cli.exits import Exit
from streampy.cli.fleet import Fleet, Replica, exit_code
from streampy.cli.signals import INTERRUPTED, heard_in
from streampy.cli.told import DRAIN, PUT_OUT
from streampy.cli.watching import passed_on
from streampy.pipes.base import patience

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from streampy.model.plan import Plan

_LAST: Final = 5.0
"""Seconds that they have to end once they are put out; then they are killed."""


def run_fleet(file: str, plan: Plan, arguments: argparse.Namespace, replicas: Mapping[str, int]) -> int:
    """Run all segments until they end; returns the exit code."""
    if arguments.metrics:
        sys.stderr.write(
            "streampy: --metrics is of one OS process: say which by --segment NAME, or use `streampy ui`\n"
        )
        return Exit.USAGE
    fleet = Fleet(file, plan, _options(arguments), replicas)
    watch = _Watch(fleet, arguments)
    with heard_in(fleet.events):
        try:
            fleet.start(_Printer(is_json=arguments.json, log_is_json=arguments.log == "json"))
            signalled = watch.wait()
        finally:
            if not fleet.is_over:
                fleet.kill()
            fleet.close()
    code = exit_code(fleet.replicas, watch.first)
    if code == Exit.OK and signalled == INTERRUPTED:
        code = Exit.INTERRUPTED
    if arguments.json:
        restarts = {one.name: one.restarts for one in fleet.replicas if one.restarts}
        segments = {one.name: _told(one) for one in fleet.replicas}
        print(json.dumps({"exit": code, "restarts": restarts, "segments": segments}))
    return code


def _options(arguments: argparse.Namespace) -> list[str]:
    """Those that each segment is given too."""
    options = [option for setting in arguments.set for option in ("--set", setting)]
    options += ["--drain-timeout", str(arguments.drain_timeout), *passed_on(arguments)]
    options += ["--control", arguments.control] if arguments.control else []
    options += ["--dead-letters", arguments.dead_letters] if arguments.dead_letters is not None else []
    return options + [f"--{name}" for name in ("stats", "json", "debug") if getattr(arguments, name)]


def _told(replica: Replica) -> object:
    with suppress(ValueError):
        return json.loads(replica.last_line)
    return {"exit": replica.code}


class _Printer:
    """What a segment writes to stderr comes with its name before it; what its units print comes as it is."""

    def __init__(self, *, is_json: bool, log_is_json: bool) -> None:
        self._is_json = is_json
        self._log_is_json = log_is_json

    def __call__(self, replica: Replica, stream: str, line: str) -> None:
        if stream == "stderr" and self._log_is_json:
            sys.stderr.write(line)  # which says itself of which segment it is
        elif stream == "stderr":
            sys.stderr.write(f"{replica.name} | {line}")
        elif not (self._is_json and line.startswith("{")):
            sys.stdout.write(line)
            sys.stdout.flush()


class _Watch:
    """Waits for all of them."""

    def __init__(self, fleet: Fleet, arguments: argparse.Namespace) -> None:
        self.first: Replica | None = None
        """That failed."""
        self._fleet = fleet
        self._drain_timeout = arguments.drain_timeout
        self._until = inf if arguments.seconds is None else monotonic() + arguments.seconds
        self._kill_at = inf
        self._put_out_at = inf
        self._is_draining = self._is_put_out = False
        self._again: dict[Replica, float] = {}
        """Those that have died and are to be started again, and when."""

    def wait(self) -> str:
        """Until all have ended; returns the signal that made it so, if one did."""
        signalled = ""
        while not self._fleet.is_over:
            event = self._next()
            if isinstance(event, Replica):
                self._ended(event)
            elif event:
                signalled = event
                again = "; again to kill at once" if event == INTERRUPTED else ""
                sys.stderr.write(f"streampy: {event}: draining, for {self._drain_timeout:g} s at most{again}\n")
                self._drain()
            self._look_at_the_time()
        return signalled

    def _next(self) -> Replica | str:
        try:
            until = min(self._until, self._kill_at, self._put_out_at, *self._again.values())
            return self._fleet.events.get(timeout=patience(until))
        except Empty:
            return ""

    def _ended(self, replica: Replica) -> None:
        pause = replica.pause(monotonic()) if self._may_begin_again(replica) else None
        if pause is not None:
            self._again[replica] = monotonic() + pause
            sys.stderr.write(f"streampy: segment {replica.name} {replica.end}; it is started again\n")
            return
        self._fleet.leave(replica)
        if replica.has_failed and self.first is None:
            self.first = replica
            often = ", too often within a minute" if replica.restarts else ""
            sys.stderr.write(f"streampy: segment {replica.name} {replica.end}{often}; all others are put out\n")
            self._put_out()
        elif self._fleet.is_left_over:
            self._put_out_at = monotonic() + _LAST

    def _may_begin_again(self, replica: Replica) -> bool:
        """Nobody has told a new one that its sources are to end."""
        return not self._is_put_out and not (self._is_draining and self._fleet.has_sources(replica))

    def _drain(self) -> None:
        self._is_draining = True
        self._fleet.tell(DRAIN)

    def _put_out(self) -> None:
        self._is_put_out = True
        self._put_out_at = inf
        self._again.clear()
        self._fleet.tell(PUT_OUT)
        self._kill_at = monotonic() + _LAST

    def _look_at_the_time(self) -> None:
        now = monotonic()
        if now >= self._until:
            self._until = inf
            self._drain()
        for replica in [replica for replica, when in self._again.items() if now >= when]:
            del self._again[replica]
            self._fleet.restart(replica)
        if now >= self._put_out_at:
            self._put_out()
        if now >= self._kill_at:
            self._kill_at = inf
            late = ", ".join(one.name for one in self._fleet.replicas if one.code is None)
            sys.stderr.write(f"streampy: {late} did not end within {_LAST:g} s: killed\n")
            self._fleet.kill()
