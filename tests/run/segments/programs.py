"""Segments as real OS processes, which can be killed, frozen, and told to go. The `with` block ends them all."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Self

from tests.net.hosts import Host

SOON = 30.0
"""Seconds in which what must happen has to happen, on a busy machine."""


class Program:
    """One OS process of a segment."""

    def __init__(self, segment: str, told: dict[str, Any], host: Host | None, files: list[int]) -> None:
        self.segment = segment
        self.outs: list[Any] = []
        """What came out, so far as it was heard."""
        self.times: list[float] = []
        """When it did."""
        self.logs: list[str] = []
        self.end: dict[str, Any] | None = None
        command = [sys.executable, "-m", "tests.run.segments.program", json.dumps(told)]
        self.program = subprocess.Popen(
            command if host is None else host.command(*command),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=files,
        )
        self.pid = self.program.pid
        self._heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.errors: list[str] = []
        self._is_up = False
        self._readers = [Thread(target=self._read), Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        for line in self.program.stdout:
            what = json.loads(line)
            if "out" in what:
                self.times.append(monotonic())
                self.outs.append(what["out"])
            elif "log" in what:
                self.logs.append(what["log"])
            elif "end" in what:
                self.end = what["end"]
            self._heard.put(what)
        self._heard.put({"over": True})

    def _read_errors(self) -> None:
        self.errors.extend(self.program.stderr)

    def wait_for(self, is_so: Callable[[Program], object], what: str, timeout: float = SOON) -> None:
        """Until something is so, which is looked at whenever it has told something."""
        until = monotonic() + timeout
        while not is_so(self):
            try:
                heard = self._heard.get(timeout=max(0.0, until - monotonic()))
            except Empty:
                raise AssertionError(f"{self.segment}: not within {timeout:g} s: {what}; {self.told()}") from None
            if heard.get("over") and not is_so(self):
                self._heard.put(heard)
                raise AssertionError(f"{self.segment} ended before {what}; {self.told()}")

    def told(self) -> str:
        return f"{len(self.outs)} results, end {self.end}, log {self.logs[-3:]}, stderr {''.join(self.errors)[-2000:]}"

    def await_up(self) -> Self:
        """Until its units have started."""
        while not self._is_up:
            try:
                heard = self._heard.get(timeout=SOON)
            except Empty:
                raise AssertionError(f"{self.segment} did not start: {self.told()}") from None
            self._is_up = "up" in heard
            if "over" in heard:
                raise AssertionError(f"{self.segment} did not start: {self.told()}")
        return self

    def await_outs(self, count: int) -> None:
        """Until so many results were heard."""
        self.wait_for(lambda one: len(one.outs) >= count, f"{count} results")

    def await_log(self, text: str) -> None:
        """Until it has logged something in which this stands."""
        self.wait_for(lambda one: any(text in line for line in one.logs), f"log {text!r}")

    def await_end(self, timeout: float = SOON) -> dict[str, Any]:
        """How it ended, by itself."""
        try:
            self.program.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.segment} did not end within {timeout:g} s: {self.told()}") from None
        for reader in self._readers:
            reader.join()
        assert self.end is not None, self.told()
        return self.end

    def kill(self) -> None:
        self.program.kill()
        self.program.wait()

    def freeze(self) -> None:
        self.program.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.program.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        self.program.terminate()

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        for reader in self._readers:
            reader.join()
        for file in (self.program.stdout, self.program.stderr):
            with suppress(BrokenPipeError):
                file.close()


class Programs:
    """Those of one process."""

    def __init__(self, graph: str, **options: Any) -> None:
        self._graph = graph
        self._options = options
        self._all: list[Program] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for program in self._all:
            program.close()

    def start(
        self, segment: str, *, host: Host | None = None, port: socket.socket | None = None, **told: Any
    ) -> Program:
        """Start one; port: a socket that listens, for it."""
        what = {"graph": self._graph, "options": self._options, "segment": segment, **told}
        files = []
        if port is not None:
            what["fd"] = port.fileno()
            files.append(port.fileno())
        program = Program(segment, what, host, files)
        self._all.append(program)
        return program
