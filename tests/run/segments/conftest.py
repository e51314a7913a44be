"""Ports that are free, and programs that are ended whatever happens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest


class Ports:
    """Sockets that listen on loopback; closed at the end of the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def take(self) -> socket.socket:
        return self._stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))


@pytest.fixture
def ports() -> Iterator[Ports]:
    with ExitStack() as stack:
        yield Ports(stack)
