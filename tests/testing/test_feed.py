"""A unit without a run: time, losses and the end of the process are tokens in its inputs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

import streampy as sp
from streampy.testing import Cancel, Clock, Lost, Stuck, Wait, feed
from streampy.units.rate import Delay, Throttle
from streampy.units.windows import TimeWindow


@sp.unit(join=sp.Join(wait=0.06))
def annotate(frame: str, names: str | None) -> str:
    return f"{frame} {names or 'bare'} at {sp.worker().now():g}"


@sp.unit(join=sp.Join(wait=0.06, late="error"))
def insist(frame: str, names: str) -> str:
    return f"{frame} {names}"


def gather(frame: str, faces: list[int]) -> tuple[str, list[int]]:
    return frame, faces


def tune(frame: str, gain: sp.Latest[int]) -> tuple[str, int | None]:
    return frame, gain


def when(value: sp.Item[int]) -> tuple[int, float, float]:
    return value.value, value.born, sp.worker().now()


def test_time_passes_between_values():
    assert [(1, 0.0, 0.0), (2, 1.5, 1.5), (3, 1.5, 1.5)] == feed(when, value=[1, Wait(1.5), 2, 3])


def test_what_comes_within_the_wait_of_a_join_is_not_late():
    assert ["F0 Ada at 0.05"] == feed(annotate, frame=["F0"], names=[Wait("50ms"), "Ada"])


def test_what_comes_after_the_wait_of_a_join_is_late():
    assert ["F0 bare at 0.06", "F1 Bob at 0.1"] == feed(
        annotate, frame=["F0", Wait(0.1), "F1"], names=[Wait(0.07), "Ada", Wait(0.03), "Bob"]
    )


def test_a_late_set_that_is_an_error_comes_out_as_one():
    with pytest.raises(TimeoutError, match="1 items were not complete in time, the first feed #0"):
        feed(insist, frame=["F0"], names=[Wait(1), "Ada"])


def test_a_join_does_not_wait_for_what_is_lost():
    assert ["F0 bare at 0", "F1 Bob at 0"] == feed(annotate, frame=["F0", "F1"], names=[Lost(), "Bob"])


def test_a_set_ends_where_a_part_that_it_needs_is_lost():
    assert ["F1 Bob"] == feed(insist, frame=["F0", "F1"], names=[Lost(), "Bob"])


def test_one_of_the_parts_of_a_fan_out_may_be_lost():
    assert [("F0", [1, 3]), ("F1", [])] == feed(gather, frame=["F0", "F1"], faces=[[1, Lost(), 3], []])


def test_the_newest_value_is_the_one_that_came_before():
    assert [("F0", None), ("F1", 2), ("F2", 3)] == feed(
        tune, frame=["F0", Wait(1), "F1", Wait(1), "F2"], gain=[Wait(0.5), 1, 2, Wait(1), 3]
    )


def test_nothing_is_called_for_what_is_lost():
    assert [(0, 0.0, 0.0), (2, 0.0, 0.0)] == feed(when, value=[0, Lost(), 2])


def test_batches_and_streams_do_not_see_what_is_lost():
    def double(values: sp.Batch[int]) -> sp.Batch[int]:
        return sp.Batch(2 * value for value in values)

    def total(values: Iterator[int]) -> Iterator[int]:
        yield sum(values)

    assert [2, 6] == feed(double, values=[1, Lost(), 3])
    assert [4] == feed(total, values=[1, Lost(), 3])


def test_a_unit_sleeps_without_waiting_and_tells_how_long():
    clock, then = Clock(100.0), time.monotonic()
    assert [1, 2, 3] == feed(Throttle, settings={"per_second": 0.01}, clock=clock, value=[1, 2, 3])
    assert 300.0 == clock.now()
    assert time.monotonic() - then < 10


def test_a_unit_that_works_for_long_is_given_its_next_item_late():
    assert [(1, 0.0, 5.0), (2, 1.0, 6.0)] == [
        (value, born, round(now, 9)) for value, born, now in feed(SlowAtFirst, value=[1, Wait(1), 2])
    ]


class SlowAtFirst(sp.Unit):
    pause = 5.0

    def work(self, value: sp.Item[int]) -> tuple[int, float, float]:
        sp.worker().sleep(self.pause)
        self.pause = 1.0
        return value.value, value.born, sp.worker().now()


def test_windows_and_delays_see_the_time_that_passed():
    assert [[1, 2], [3]] == feed(TimeWindow, settings={"seconds": 1.0}, values=[1, Wait(0.9), 2, Wait(0.1), 3])
    clock = Clock()
    assert [1, 2] == feed(Delay, settings={"seconds": 3.0}, clock=clock, value=[1, Wait(1), 2])
    assert 4.0 == clock.now()


def test_async_units_wait_in_the_same_time_and_in_one_event_loop():
    class Client(sp.Unit):
        async def start(self) -> None:
            self.loop = asyncio.get_running_loop()

        async def work(self, value: int) -> tuple[int, float]:
            assert asyncio.get_running_loop() is self.loop
            await asyncio.sleep(60)
            return await asyncio.to_thread(lambda: 2 * value), sp.worker().now()

    assert [(2, 60.0), (4, 120.0)] == feed(Client, value=[1, 2])


def test_an_async_unit_that_waits_for_ever_is_told_so():
    async def hang(value: int) -> int:
        await asyncio.Event().wait()
        return value

    with pytest.raises(Stuck, match="waits without an end"):
        feed(hang, value=[1])


def test_a_stream_unit_is_thrown_out_when_the_process_is_put_out():
    ended: list[object] = []

    class Total(sp.Unit):
        def work(self, values: Iterator[int]) -> Iterator[int]:
            try:
                yield from values
            finally:
                ended.append(sp.worker().stopping)

        def stop(self) -> None:
            ended.append("stop")

    assert [1, 2] == feed(Total, values=[1, 2, Cancel(), 3])
    assert [True, "stop"] == ended


def test_an_async_stream_unit_is_thrown_out_too():
    ended: list[str] = []

    async def total(values: AsyncIterator[int]) -> AsyncIterator[int]:
        try:
            async for value in values:
                yield value
        finally:
            ended.append("thrown out")

    assert ([1, 2], ["thrown out"]) == (feed(total, values=[1, 2, Cancel(), 3]), ended)


def test_a_unit_is_not_called_for_what_comes_after_the_end_of_the_process():
    assert [(1, 0.0, 0.0)] == feed(when, value=[1, Cancel(), 2])
    assert ["F0 Ada at 0"] == feed(annotate, frame=["F0", "F1"], names=["Ada", Cancel()])


def test_feeding_leaves_no_trace_in_the_test():
    feed(when, value=[1])
    assert time.monotonic() - sp.worker().now() < 10


@pytest.mark.parametrize("seconds", [-1, "soon", float("inf")])
def test_a_wait_that_makes_no_sense_is_refused(seconds):
    with pytest.raises(ValueError, match="expected"):
        Wait(seconds)


def test_time_does_not_go_back():
    with pytest.raises(ValueError, match="time does not go back"):
        Clock().move(-1)
