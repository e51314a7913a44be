"""What docs/compared.md says beside PipeRT2, where no other test shows it."""

from __future__ import annotations

from collections.abc import Iterator

import streampy as sp

SOON = 20.0


def ticks() -> Iterator[int]:
    number = 0
    while not sp.worker().stopping:
        yield number
        number += 1


def same(number: int) -> int:
    return number


class Counting(sp.Unit):
    """A sink that tells how many came."""

    def __init__(self) -> None:
        self.count = 0

    def work(self, number: int) -> None:  # noqa: ARG002 - an input like any
        self.count += 1

    @sp.event("count")
    def tell(self) -> int:
        return self.count


def test_a_branch_that_is_held_and_drops_leaves_the_others_alone():
    process = sp.Process("branches").add("ticks", ticks)
    process.add("aside", Counting, from_="ticks", pipe={"capacity": 1, "overflow": "drop_oldest"})
    process.add("on", same, from_="ticks", pipe={"capacity": 1})
    with sp.run(process) as running:
        running.pause("aside")
        before = running.fire("aside", "count")
        on = running.stream("on", timeout=SOON)
        assert list(range(1000)) == [next(on) for _ in range(1000)]
        assert before == running.fire("aside", "count")
        running.resume("aside")
        while running.fire("aside", "count") == before:
            next(on)
    stats = running.stats()
    assert stats.pipes["aside.number"].dropped > 900
    assert stats.ledger.balanced


def test_two_processes_of_one_program_share_nothing():
    def scale(number: int, *, by: int) -> int:
        return by * number

    with (
        sp.run(sp.Process("process").add("scale", scale, by=2)) as one,
        sp.run(sp.Process("process").add("scale", scale, by=3)) as other,
    ):
        assert [(20, 30), (22, 33)] == [(one.call("scale", n), other.call("scale", n)) for n in (10, 11)]
        one.stop()
        assert 36 == other.call("scale", 12)
    assert (2, 3) == (one.stats().ledger.delivered, other.stats().ledger.delivered)
