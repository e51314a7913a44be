"""Pipes whose items lie in shared memory, between two OS processes: their ends, in one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic

import numpy as np
import pytest

from streampy.memory.arena import Arena
from streampy.memory.loans import Loans
from streampy.memory.regions import Regions
from streampy.memory.sweep import name_run
from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.pipes.shared import SharedPipe
from streampy.run.places.straight import Lending
from streampy.testing import check_pipe

SOON = 5.0


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def lending(settings: Pipe, stack: ExitStack) -> SharedPipe:
    loans = [Loans(Regions(), lambda: None) for _ in range(2)]
    return stack.enter_context(SharedPipe.of(settings, (Lending(loans[0]), Lending(loans[1]))))


def test_a_pipe_that_lends_what_it_carries_keeps_the_contract_of_all_pipes(stack):
    check_pipe(lambda settings: lending(settings, stack))


def test_a_frame_is_not_copied_again_and_its_room_is_free_when_nobody_has_it(stack):
    pipe = lending(Pipe(), stack)
    with Arena(name_run(), "test", most=4) as arena:
        frame = np.arange(1_000_000, dtype=np.uint8)
        pipe.sender.put(Batch([arena.seal(frame)], [Header("camera", 0, monotonic())]))
        handed = pipe.receiver.get(monotonic() + SOON)
        assert handed is not None
        (view,) = handed.batch
        assert (view == frame).all()
        assert not view.flags.writeable
        assert arena.stats().blocks == 1
        del handed, view
        with pytest.raises(TimeoutError):
            pipe.receiver.get(monotonic())  # gives back what it has no more
        pipe.sender.look()
        assert arena.stats().blocks == 0
