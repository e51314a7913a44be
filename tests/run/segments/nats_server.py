"""A NATS server of a test's own, with JetStream: it can be killed, and comes back at the same port with its store."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic
from typing import Self

import nats
import pytest
from nats.js.api import StreamState

SOON = 20.0


def needs_nats():
    """The mark of tests that want a server."""
    reason = "no `nats-server` here: apt-get install nats-server"
    return pytest.mark.skipif(shutil.which("nats-server") is None, reason=reason)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


class NatsServer:
    def __init__(self, folder: Path, *, stores: bool = True, config: str = "") -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._store = folder / "store"
        self._log = folder / "nats.log"
        file = folder / "nats.conf"
        file.write_text(config)
        self._command = ["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-l", str(self._log), "-c", str(file)]
        self._command += ["-js", "-sd", str(self._store)] if stores else []
        self._program: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Back when it answers."""
        self._program = subprocess.Popen(self._command)
        until = monotonic() + SOON
        while not self._answers():
            assert self._program.poll() is None, self._log.read_text()
            assert monotonic() < until, f"no answer: {self._log.read_text()}"

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as end:
            return end.recv(4) == b"INFO"
        return False

    def kill(self) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait()
            self._program = None

    def forget(self) -> None:
        """While it is dead: nothing is left of what it stored."""
        shutil.rmtree(self._store)

    def await_messages(self, stream: str, count: int) -> None:
        """Until so many were ever put into a stream."""
        until = monotonic() + SOON
        while asyncio.run(self._state(stream)).last_seq < count:
            assert monotonic() < until, f"no {count} messages in {stream}"

    def messages(self, stream: str) -> int:
        """That lie in a stream."""
        return asyncio.run(self._state(stream)).messages

    async def _state(self, stream: str) -> StreamState:
        client = await nats.connect(self.url)
        try:
            return (await client.jetstream().stream_info(stream)).state
        finally:
            await client.close()

    def publish(self, subject: str, message: bytes) -> None:
        """As somebody who may."""
        asyncio.run(self._publish(subject, message))

    async def _publish(self, subject: str, message: bytes) -> None:
        client = await nats.connect(self.url)
        await client.jetstream().publish(subject, message)
        await client.close()
