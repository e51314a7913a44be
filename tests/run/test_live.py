"""A running process is steered: units are held and let go, and given other settings."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

import streampy as sp

SOON = 20.0


def scale(number: int, *, by: int = 1) -> int:
    return by * number


class Scale(sp.Unit):
    """Takes other settings itself."""

    def __init__(self, *, by: int = 1) -> None:
        self.by = by

    def work(self, number: int) -> int:
        return self.by * number

    def change(self, *, by: int) -> None:
        self.by = by


class Counting(sp.Unit):
    """Has to be made anew."""

    stopped = 0

    def __init__(self, *, by: int = 1) -> None:
        self.by = by
        self.count = 0

    def work(self, number: int) -> int:
        self.count += 1
        return 100 * self.count + self.by * number

    def stop(self) -> None:
        type(self).stopped += 1


async def scale_async(number: int, *, by: int = 1) -> int:
    return by * number


@pytest.mark.parametrize("unit", [scale, Scale, scale_async])
@pytest.mark.parametrize("workers", [1, 2])
def test_settings_are_changed_while_it_runs(unit, workers):
    with sp.run(sp.Process("live").add("scale", unit, workers=workers, by=2)) as running:
        assert running.call("scale", 5) == 10
        running.set("scale", by=7)
        assert running.call("scale", 5) == 35


def test_a_unit_that_does_not_say_how_is_made_anew():
    unit = type("Counting", (Counting,), {"stopped": 0})
    with sp.run(sp.Process("live").add("scale", unit, by=2)) as running:
        assert [102, 202] == [running.call("scale", 1), running.call("scale", 1)]
        running.set("scale", by=3)
        assert [103, 203] == [running.call("scale", 1), running.call("scale", 1)]
    assert unit.stopped == 2
    assert running.stats().units["scale"].received == 4


def test_a_source_with_other_settings_starts_again_and_counts_on():
    class Camera(sp.Unit):
        def __init__(self, *, url: str) -> None:
            self.url = url

        def work(self) -> Iterator[str]:
            while not sp.worker().sleep(0.001):
                yield self.url

    with sp.run(sp.Process("live").add("camera", Camera, url="one").add("keys", keys, from_="camera")) as running:
        seen = running.stream("keys", timeout=SOON)
        assert next(seen) == ("one", 0)
        running.set("camera", url="two")
        urls, numbers = zip(*(next(seen) for _ in range(200)), strict=True)
        assert urls[-1] == "two"
        assert list(range(1, 201)) == list(numbers)


def keys(frame: sp.Item[str]) -> tuple[str, int]:
    return frame.value, frame.seq


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"bi": 3}, "takes no setting 'bi'; known: by"), ({"by": "much"}, "got 'much', expected int")],
)
def test_a_wrong_setting_changes_nothing(settings, message):
    with sp.run(sp.Process("live").add("scale", scale, by=2)) as running:
        with pytest.raises(sp.StreamPyError) as told:
            running.set("scale", **settings)
        assert message in str(told.value)
        assert running.call("scale", 5) == 10


def test_a_unit_that_raises_on_a_change_tells_whoever_asked_and_goes_on():
    class Careful(Scale):
        def change(self, *, by: int) -> None:
            raise OverflowError(by)

    with sp.run(sp.Process("live").add("scale", Careful, by=2)) as running:
        with pytest.raises(OverflowError):
            running.set("scale", by=9)
        assert running.call("scale", 5) == 10


def test_a_worker_that_is_hired_later_has_the_settings_of_now():
    barrier = threading.Barrier(2)

    class Both(Scale):
        def work(self, number: int) -> int:
            if number < 2:
                barrier.wait(SOON)
            return super().work(number)

    with sp.run(sp.Process("live").add("scale", Both, workers={"min": 1, "max": 2})) as running:
        running.set("scale", by=10)
        for number in range(2):
            running.push("scale", number)
        results = running.stream("scale", timeout=SOON)
        assert [0, 10] == [next(results), next(results)]


# holding units


def ticks() -> Iterator[int]:
    number = 0
    while not sp.worker().stopping:
        yield number
        number += 1


def test_a_held_unit_takes_nothing_and_loses_nothing():
    process = sp.Process("held").add("first", scale).add("second", scale, from_="first", pipe={"capacity": 64})
    with sp.run(process) as running:
        running.pause("second")
        for number in range(10):
            running.push("first", number)
        with pytest.raises(TimeoutError):
            next(running.stream("second", timeout=0.05))
        running.resume("second")
        results = running.stream("second", timeout=SOON)
        assert list(range(10)) == [next(results) for _ in range(10)]


def test_a_group_is_held_by_a_pattern():
    process = sp.Process("held").add("camera1", ticks).add("camera2", ticks).add("other", ticks)
    for name in ("camera1", "camera2", "other"):
        process.add(f"{name}-frames", scale, from_=name, pipe={"capacity": 1})
    with sp.run(process) as running:
        running.pause("camera*")
        streams = {name: running.stream(f"{name}-frames", timeout=0.1) for name in ("camera1", "camera2", "other")}
        before = {name: until_quiet(streams[name]) for name in ("camera1", "camera2")}
        assert list(range(1000)) == [next(streams["other"]) for _ in range(1000)]
        running.resume("camera*")
        for name, seen in before.items():
            assert next(running.stream(f"{name}-frames", timeout=SOON)) == len(seen)


def until_quiet(stream: Iterator[int]) -> list[int]:
    seen = []
    with suppress(TimeoutError):
        seen.extend(iter(lambda: next(stream), None))
    return seen


def test_a_process_with_a_held_unit_can_be_stopped():
    process = sp.Process("held").add("a", ticks).add("b", scale, from_="a", pipe={"capacity": 4})
    with sp.run(process) as running:
        running.pause("b")
    assert running.is_over
    assert running.stats().ledger.balanced


def test_a_unit_that_is_not_there_can_not_be_held():
    with sp.run(sp.Process("held").add("scale", scale)) as running:
        with pytest.raises(sp.StreamPyError, match="there is no unit 'scales', did you mean 'scale'"):
            running.pause("scales")


# events between units


class Listening(sp.Unit):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def work(self, number: int) -> list[str]:  # noqa: ARG002 - an input like any
        return self.told

    @sp.event("tell")
    def tell(self, word: str, *, again: int = 1) -> None:
        if not again:
            raise ValueError(word)
        self.told += again * [word]


def test_a_unit_fires_an_event_at_another_one():
    def speak(number: int) -> int:
        sp.worker().fire("listen", "tell", "hello", again=2)
        return number

    process = sp.Process("events").add("speak", speak).add("listen", Listening, from_="speak", pipe={"capacity": 4})
    with sp.run(process) as running:
        assert ["hello", "hello"] == running.call("speak", 1)


def test_an_event_that_raises_is_logged_where_nobody_waits_for_it(caplog):
    def speak(number: int) -> int:
        sp.worker().fire("listen", "tell", "hello", again=0)
        return number

    process = sp.Process("events").add("speak", speak).add("listen", Listening, from_="speak", pipe={"capacity": 4})
    with sp.run(process) as running:
        assert running.call("speak", 1) == []
    assert "the event 'tell' raised in unit 'listen'" in caplog.text
    assert "ValueError: hello" in caplog.text


def test_an_event_that_is_not_there_is_an_error_of_the_unit_that_fires_it():
    def speak(number: int) -> int:
        sp.worker().fire("listen", "tel", "hello")
        return number

    process = sp.Process("events").add("speak", speak).add("listen", Listening, from_="speak", pipe={"capacity": 4})
    with pytest.raises(sp.UnitFailed, match="'listen' has no event 'tel', did you mean 'tell'"), sp.run(process) as one:
        one.call("speak", 1)


# deadlines


def test_no_work_is_spent_on_what_nobody_waits_for_any_more():
    let_go, seen = threading.Event(), []

    def work(number: int) -> int:
        seen.append(number)
        let_go.wait(SOON)
        return number

    with sp.run(sp.Process("deadline").add("work", work)) as running:
        running.push("work", 1)
        running.push("work", 2, deadline=-1)
        with pytest.raises(TimeoutError):
            running.call("work", 3, timeout=0.01)
        let_go.set()
        assert running.call("work", 4, timeout=SOON) == 4
        stats = running.stats()
    assert [1, 4] == seen
    assert stats.ledger.expired == 2


def test_an_event_is_fired_at_a_group():
    process = sp.Process("events").add("one", Listening).add("two", Listening).add("other", scale)
    with sp.run(process) as running:
        assert [None, None] == running.fire("*", "tell", "hello")
        assert ["hello"] == running.call("two", 1)
        with pytest.raises(sp.StreamPyError, match="has no event 'sell', did you mean 'tell'"):
            running.fire("*", "sell")
