"""A reader is killed at any moment: nothing is locked, all that it had is given back, and another one goes on."""

from __future__ import annotations

import pickle
from subprocess import Popen

import numpy as np

from streampy.memory.codec import encode
from streampy.memory.generations import Gone
from streampy.memory.parcel import Parcel, put


def ask(reader: Popen[bytes], parcel: Parcel) -> object:
    reader.stdin.write(pickle.dumps(parcel))
    reader.stdin.flush()
    return pickle.load(reader.stdout)


def frame(number: int) -> np.ndarray:
    return np.full(10_000, number, np.uint8)


def test_a_reader_in_another_os_process_sees_the_pixels(shared, other):
    reader = other("read", shared.region.name)
    parcel = put(encode(frame(3)), shared.blocks, ["a"])
    assert 30_000 == ask(reader, parcel)


def test_what_a_killed_reader_had_is_given_back_and_the_next_one_reads_on(shared, other):
    first = other("read", shared.region.name)
    for number in range(20):
        assert 10_000 * number == ask(first, put(encode(frame(number)), shared.blocks, ["first"]))
    assert 20 == shared.blocks.stats().blocks
    first.kill()
    first.wait()
    shared.blocks.reader_died("first")
    assert (0, 0) == (shared.blocks.stats().blocks, shared.blocks.stats().used)
    second = other("read", shared.region.name)
    assert 70_000 == ask(second, put(encode(frame(7)), shared.blocks, ["second"]))


def test_a_reader_that_was_taken_for_dead_is_told_and_never_sees_another_frame(shared, other):
    reader = other("read", shared.region.name)
    late = put(encode(frame(1)), shared.blocks, ["late"])
    shared.blocks.reader_died("late")
    while put(encode(frame(2)), shared.blocks, ["another"]) is not None:
        pass
    assert isinstance(ask(reader, late), Gone)
