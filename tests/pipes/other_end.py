"""The other end of a pipe, in an OS process of its own: `python other_end.py WHAT FILE SETTINGS COUNT`."""

from __future__ import annotations

import json
import os
import sys
from time import monotonic

from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.shared import Channel, PeerDied, SharedReceiver, SharedSender


def echo(channel: Channel) -> None:
    """Send back all that comes."""
    try:
        while True:
            channel.send(channel.receive())
    except PeerDied:
        return


def get(channel: Channel, settings: Pipe, count: int) -> None:
    """Get so many batches, say so, and then get no more until somebody kills or ends it."""
    with SharedReceiver(channel, settings) as receiver:
        for _ in range(count):
            receiver.get()
        say(b".")
        sys.stdin.read()


def check(channel: Channel, settings: Pipe, count: int) -> None:
    """Get all; say whether these were so many items, numbered from 0, each as it should be."""
    expected = 0
    with SharedReceiver(channel, settings) as receiver:
        while (handed := receiver.get()) is not None:
            for header, value in zip(handed.batch.headers, handed.batch, strict=True):
                if isinstance(value, int):
                    assert (expected, expected) == (header.seq, value)
                else:
                    assert (expected, expected % 256) == (header.seq, int(value[-1, -1, -1]))
                expected += 1
    assert count == expected
    say(b"all")


def put(channel: Channel, settings: Pipe, count: int) -> None:
    """Put so many items, and say a byte behind each; then stay until somebody kills it."""
    with SharedSender(channel, settings) as sender:
        for number in range(count):
            sender.put(Batch([number], [Header("there", number, monotonic())]))
            say(b".")
        sys.stdin.read()


def fail(channel: Channel, settings: Pipe, count: int) -> None:
    """Put so many items, then fail."""
    with SharedSender(channel, settings) as sender:
        for number in range(count):
            sender.put(Batch([number], [Header("there", number, monotonic())]))
        try:
            look()
        except ValueError as error:
            sender.fail(error)


def look() -> None:
    """As a unit does."""
    raise ValueError("too dark")


def say(what: bytes) -> None:
    """To whoever started this."""
    os.write(sys.stdout.fileno(), what)


if __name__ == "__main__":
    what, file, settings, count = sys.argv[1:]
    with Channel.at(int(file)) as channel:
        if what == "echo":
            echo(channel)
        else:
            {"get": get, "check": check, "put": put, "fail": fail}[what](
                channel, Pipe(**json.loads(settings)), int(count)
            )
