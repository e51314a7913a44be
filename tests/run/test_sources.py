"""A source that raises, or falls silent, is opened again where its policy says so."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

import streampy as sp

SOON = 20.0


def camera(opened: list[int], *, fails: int) -> Callable[[], Iterator[int]]:
    """Gives three values each time that it is opened; the first times it raises behind them."""

    def frames() -> Iterator[int]:
        opened.append(len(opened))
        yield from range(3)
        if len(opened) <= fails:
            raise ConnectionError(f"lost the {len(opened)}. time")

    return frames


def camera_async(opened: list[int], *, fails: int) -> Callable[[], AsyncIterator[int]]:
    async def frames() -> AsyncIterator[int]:
        for number in camera(opened, fails=fails)():
            yield number

    return frames


@pytest.mark.parametrize("make", [camera, camera_async])
def test_a_source_that_raises_is_opened_again_and_numbers_go_on(make):
    opened: list[int] = []
    process = sp.Process("source").add("a", make(opened, fails=5), on_error=sp.OnError(retry=1, backoff=0))
    with sp.run(process.add("b", keys, from_="a")) as running:
        assert list(range(18)) == list(running.stream("b", timeout=SOON))
    assert len(opened) == 6
    assert running.stats().units["a"].retried == 5


def keys(frame: sp.Item[int]) -> int:
    return frame.seq


def never(*, error: str = "no camera") -> Iterator[int]:
    raise ConnectionError(error)
    yield


async def never_async() -> AsyncIterator[int]:
    raise ConnectionError("no camera")
    yield


@pytest.mark.parametrize("source", [never, never_async])
def test_tries_in_a_row_are_used_up_and_then_the_process_stops(source):
    process = sp.Process("source").add("a", source, on_error=sp.OnError(retry=3, backoff=0))
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        running.wait(SOON)
    assert isinstance(failed.value.__cause__, ConnectionError)
    assert running.stats().units["a"].retried == 3


@pytest.mark.parametrize("source", [never, never_async])
def test_a_source_may_end_where_it_raises_and_the_others_go_on(source, caplog):
    process = sp.Process("source").add("a", source, on_error="skip").add("b", camera([], fails=0))
    process.add("c", keys, from_=["a", "b"])
    with sp.run(process) as running:
        assert [0, 1, 2] == list(running.stream("c", timeout=SOON))
    assert "the source ends, for it raised: ConnectionError: no camera" in caplog.text


@pytest.mark.leaves_a_thread
def test_f12_a_source_that_falls_silent_is_named():
    let_go = threading.Event()

    def silent() -> Iterator[int]:
        yield 1
        let_go.wait(SOON)

    process = sp.Process("silent").add("a", silent, timeout=0.05)
    with pytest.raises(sp.Hung, match=r"'a' gave nothing within its timeout of 0\.05 s"), sp.run(process) as running:
        running.wait(SOON)
    let_go.set()
    running.wait(SOON)


@pytest.mark.leaves_a_thread
def test_f12_a_source_that_falls_silent_is_replaced():
    let_go, lives = threading.Event(), []

    def silent() -> Iterator[int]:
        lives.append(1)
        yield len(lives)
        if len(lives) < 3:
            let_go.wait(SOON)

    process = sp.Process("silent").add("a", silent, timeout=0.05, on_crash=sp.OnCrash(then="restart", backoff=0))
    with sp.run(process) as running:
        assert [1, 2, 3] == list(running.stream("a", timeout=SOON))
        let_go.set()


def test_an_async_source_that_falls_silent_is_opened_again():
    lives = []

    async def silent() -> AsyncIterator[int]:
        lives.append(1)
        yield len(lives)
        if len(lives) < 3:
            await asyncio.sleep(SOON)

    process = sp.Process("silent").add("a", silent, timeout=0.05, on_error=sp.OnError(retry=1, backoff=0))
    with sp.run(process) as running:
        assert [1, 2, 3] == list(running.stream("a", timeout=SOON))


def test_an_async_source_whose_start_raises_leaves_no_worker_behind():
    class NoDevice(sp.Unit):
        def start(self) -> None:
            raise OSError("no device")

        async def work(self) -> AsyncIterator[int]:
            yield 1

    for _ in range(20):
        process = sp.Process("source").add("a", NoDevice, workers=2)
        with pytest.raises((sp.UnitFailed, ExceptionGroup)):
            sp.run(process.add("b", keys, from_="a"))
