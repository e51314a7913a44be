"""What docs/compared.md says beside several of the four libraries, where no other test shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic

import streampy as sp

SOON = 20.0


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def double(number: int) -> int:
    return 2 * number


def add(left: int, right: int) -> int:
    return left + right


def doubled_twice() -> sp.Process:
    """A process inside of a process; the inner ones have the name of a unit in them."""
    inner = sp.Process("double").add("double", double)
    return sp.Process("twice").add("double", inner).add("again", double, from_="double")


def test_a_process_is_a_unit_of_another_as_deep_as_one_likes():
    process = sp.Process("outer").add("numbers", numbers).add("twice", doubled_twice(), from_="numbers")
    with sp.run(process) as running:
        assert [0, 4, 8, 12, 16] == list(running.stream("twice", timeout=SOON))
    assert ["numbers", "twice/double/double", "twice/again"] == list(running.plan.units)


def test_open_inputs_and_outputs_of_a_process_are_its_ports():
    inner = sp.Process("sums").add("add", add).add("double", double)
    process = sp.Process("outer").add("numbers", numbers)
    process.add("sums", inner, from_={"add.left": "numbers", "add.right": "numbers", "double": "numbers"})
    process.add("both", add, from_={"left": "sums.add", "right": "sums.double"})
    with sp.run(process) as running:
        assert [0, 4, 8, 12, 16] == list(running.stream("both", timeout=SOON))


def test_a_whole_process_has_several_workers_and_keeps_its_order():
    inner = sp.Process("inner").add("double", double, workers=2).add("again", double, from_="double")
    process = sp.Process("outer").add("numbers", numbers, until=200).add("inner", inner, from_="numbers", workers=2)
    with sp.run(process) as running:
        assert list(range(0, 800, 4)) == list(running.stream("inner", timeout=SOON))
    workers = {name: unit.workers for name, unit in running.stats().units.items()}
    assert {"numbers": 1, "inner/double": 4, "inner/again": 2} == workers


def test_units_that_know_whom_they_follow_need_no_links():
    class Doubled(sp.Unit):
        number = sp.Pipe(from_="numbers")

        def work(self, number: int) -> int:
            return 2 * number

    with sp.run(sp.Process("wired").add("numbers", numbers).add("doubled", Doubled)) as running:
        assert [0, 2, 4, 6, 8] == list(running.stream("doubled", timeout=SOON))


def test_a_unit_works_at_the_rate_that_it_is_given():
    process = sp.Process("paced").add("numbers", numbers, until=10)
    process.add("double", double, from_="numbers", pipe={"rate": "200/s"})
    began = monotonic()
    with sp.run(process) as running:
        assert list(range(0, 20, 2)) == list(running.stream("double", timeout=SOON))
    assert 8.9 / 200 <= monotonic() - began


def test_what_is_urgent_overtakes_what_waits():
    has_first, may_go_on = threading.Event(), threading.Event()

    def work(number: int) -> int:
        has_first.set()
        assert may_go_on.wait(SOON)
        return number

    with sp.run(sp.Process("urgent").add("work", work, pipe={"order": "priority"})) as running:
        running.push("work", 0)
        assert has_first.wait(SOON)
        running.push("work", 1)
        running.push("work", 2, meta={"priority": 1})
        may_go_on.set()
        done = running.stream("work", timeout=SOON)
        assert [0, 2, 1] == [next(done) for _ in range(3)]


def test_a_whole_process_runs_in_one_thread_and_twice_the_same():
    process = sp.Process("inline").add("numbers", numbers, until=20)
    process.add("double", double, from_="numbers", workers=3, ordered=False)
    threads = threading.active_count()
    first, second = (sp.testing.simulate(process, seed=7) for _ in range(2))
    assert list(range(0, 40, 2)) == sorted(first["double"])
    assert first.trace == second.trace
    assert threads == threading.active_count()


def test_a_batch_goes_out_in_time_while_items_trickle_in():
    def trickle() -> Iterator[int]:
        for number in range(10):
            sp.worker().sleep(0.125)
            yield number

    def size(batch: sp.Batch[int]) -> sp.Batch[int]:
        return sp.Batch(len(batch) for _ in batch)

    process = sp.Process("trickle").add("trickle", trickle)
    process.add("size", size, from_="trickle", pipe={"batch": 64, "wait": 0.5})
    simulated = sp.testing.simulate(process)
    assert simulated.stats.pipes["size.batch"].wait.max <= 0.5
    assert max(simulated["size"]) <= 5
