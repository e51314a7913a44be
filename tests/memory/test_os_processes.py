"""OS processes are killed at any moment: nothing is locked, nothing leaks, nobody sees the data of another item."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from streampy.memory.arena import FULL, Arena
from streampy.memory.generations import Gone
from streampy.memory.loans import Loans
from streampy.memory.regions import Regions
from streampy.memory.sweep import clear, name_run


def frame(number: int) -> np.ndarray:
    return np.full(10_000, number, np.uint16)


def send(ends, reader, *numbers: int, keeps: int = 0):
    answer, returned = reader.ask(ends.here.dumps([ends.arena.seal(frame(number)) for number in numbers]), keeps)
    ends.here.returned(returned)
    return answer


def test_a_reader_in_another_os_process_sees_the_pixels_and_returns_them(ends, other):
    reader = other("read")
    assert [3, 4] == send(ends, reader, 3, 4)
    send(ends, reader)
    assert (0, 0) == (len(ends.here), ends.blocks)


def test_what_a_killed_reader_had_is_free_and_the_next_one_reads_on(ends, other):
    first = other("read")
    assert [1, 2, 3] == send(ends, first, 1, 2, 3, keeps=3)
    assert 3 == ends.blocks
    first.kill()
    ends.here.clear()
    assert 0 == ends.blocks
    assert [7] == send(ends, other("read"), 7)


def test_a_reader_that_was_taken_for_dead_is_told_and_never_sees_another_frame(ends, other):
    reader = other("read")
    late = ends.here.dumps([ends.arena.seal(frame(1))])
    ends.here.clear()
    others = list(iter(lambda: ends.arena.seal(frame(2)), FULL))
    gone, _ = reader.ask(late, 0)
    assert isinstance(gone, Gone)
    assert others


@pytest.fixture
def run() -> Iterator[str]:
    """Its files are cleared, whatever comes."""
    name = name_run()
    yield name
    clear(name)


def test_what_a_killed_writer_sent_stays_good_and_its_files_are_cleared(other, run):
    regions = Regions()
    loans = Loans(regions, lambda: None)
    writer = other("write", run, "a")
    message, numbers, _ = writer.ask([], 5)
    sealed = loans.loads(message)
    writer.kill()
    assert 1 == len(clear(run))
    assert numbers == [int(one.open()[-1]) for one in sealed]
    regions.close()


class Readers:
    """Some that are lent batches, keep what they like, and are killed now and then."""

    def __init__(self, arena: Arena, start, chance: Random) -> None:
        self.arena, self.start, self.chance = arena, start, chance
        self.all = [(start("read"), Loans(Regions(), lambda: None)) for _ in range(2)]
        self.number = 0

    def give(self, most: int) -> int:
        """A batch to one of them; returns how many blocks it had. Where there is no room, all drop what they have."""
        reader, loans = self.chance.choice(self.all)
        batch, numbers = [], []
        while len(batch) < most and (sealed := self._seal()) is not FULL:
            batch.append(sealed)
            numbers.append(self.number % 60_000)
            self.number += 1
        seen, returned = reader.ask(loans.dumps(batch), self.chance.randrange(10))
        assert numbers == seen
        loans.returned(returned)
        count = len(batch)
        del batch, sealed
        if not count:
            self.drop_all()
        return count

    def _seal(self):
        return self.arena.seal(np.full(self.chance.randrange(2500, 10_000), self.number % 60_000, np.uint16))

    def drop_all(self) -> None:
        for reader, loans in self.all:
            for _ in range(2):  # what is dropped after it answers is told the next time
                loans.returned(reader.ask(loans.dumps([]), 0)[1])

    def kill_one(self) -> None:
        reader, loans = self.all.pop(self.chance.randrange(len(self.all)))
        if self.chance.random() < 0.5:
            loans.dumps([self._seal()])  # on its way
        reader.kill()
        loans.clear()
        self.all.append((self.start("read"), Loans(Regions(), lambda: None)))


class Writers:
    """Some that lend batches, of which this OS process keeps what it likes; they are killed now and then."""

    def __init__(self, run: str, start, chance: Random) -> None:
        self.run, self.start, self.chance = run, start, chance
        self.regions = Regions()
        self.count = 0
        self.all = [self._begin() for _ in range(2)]
        self.kept: list[tuple[object, int]] = []

    def _begin(self):
        self.count += 1
        return self.start("write", self.run, f"writer{self.count}"), Loans(self.regions, lambda: None)

    def take(self, most: int) -> int:
        """A batch of one of them; returns how many blocks it had."""
        writer, loans = self.chance.choice(self.all)
        message, numbers, _ = writer.ask(loans.take_returned(), most)
        values = loans.loads(message, opened=self.chance.random() < 0.5)
        self.kept += zip(values, numbers, strict=True)
        self.chance.shuffle(self.kept)
        del values
        del self.kept[self.chance.randrange(20) :]
        for value, number in self.kept:
            array = value if isinstance(value, np.ndarray) else value.open()
            assert (array == number).all()
        return len(numbers)

    def drop_all(self) -> list[int]:
        """How many blocks each has then."""
        self.kept.clear()
        return [writer.ask(loans.take_returned(), 0)[2].blocks for writer, loans in self.all]

    def kill_one(self) -> None:
        writer, _ = self.all.pop(self.chance.randrange(len(self.all)))
        writer.kill()
        self.all.append(self._begin())


@pytest.mark.parametrize(
    ("blocks", "deaths"), [(2000, 3), pytest.param(1_000_000, 200, marks=[pytest.mark.long, pytest.mark.timeout(1200)])]
)
def test_whoever_lives_and_dies_nothing_leaks_and_no_block_is_taken_for_another(other, run, blocks, deaths):
    chance = Random(5)  # noqa: S311 - chance, not secrets
    with Arena(run, "here", most=20, item=20_000) as arena:
        readers, writers = Readers(arena, other, chance), Writers(run, other, chance)
        moved = killed = 0
        while moved < blocks:
            moved += readers.give(16) + writers.take(16)
            if moved * (deaths + 1) > (killed + 1) * blocks:
                killed += 1
                chance.choice([readers, writers]).kill_one()
        assert deaths <= killed
        readers.drop_all()
        assert ([0, 0], 0, 0) == (writers.drop_all(), arena.stats().blocks, arena.stats().used)
        for one, _ in readers.all + writers.all:
            one.kill()
        writers.regions.close()
    assert clear(run)
