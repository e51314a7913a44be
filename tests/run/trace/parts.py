"""Units of processes that are traced."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import streampy as sp


def numbers(*, until: int = 3) -> Iterator[int]:
    yield from range(until)


def batches(*, until: int = 100) -> Iterator[sp.Batch[int]]:
    yield sp.Batch(range(until))


def same(number: int) -> int:
    return number


def slow_on_one(number: int) -> int:
    if number == 1:
        threading.Event().wait(0.2)
    return number


def fails_on_one(number: int) -> int:
    if number == 1:
        raise ValueError("one is too few")
    return number


def all_at_once(numbers: sp.Batch[int]) -> sp.Batch[int]:
    return numbers


def twice(number: int) -> Iterator[int]:
    yield number
    yield number


async def later(number: int) -> int:
    await asyncio.sleep(0)
    return number


def added(left: int, right: int) -> int:
    return left + right


def with_meta(item: sp.Item[int]) -> sp.Item[int]:
    return sp.Item(item.value, item.header._replace(meta={"mine": 1}))


def seen(items: Iterator[sp.Item[int]]) -> Iterator[str]:
    for item in items:
        yield ",".join(item.meta)


def stream(numbers: Iterator[int]) -> Iterator[int]:
    yield from numbers


def sink(number: int) -> None:
    """Take it."""
