"""A region to write to, its blocks, and the same region as a reader has it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from streampy.memory.blocks import Blocks
from streampy.memory.generations import Descriptor
from streampy.memory.region import Region
from streampy.memory.sweep import name_run

SIZE = 1 << 20
PROGRAM = Path(__file__).parent / "other.py"


@dataclass
class Shared:
    """A region as its writer has it, and as the only reader does, whose name is 1."""

    region: Region
    attached: Region
    blocks: Blocks = field(init=False)
    given_back: list[Descriptor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blocks = Blocks(self.region)

    def give_back(self, descriptor: Descriptor) -> None:
        """What the reader does when it is done."""
        self.given_back.append(descriptor)
        self.blocks.give_back(descriptor, 1)

    def region_of(self, name: str) -> Region:
        """The reader's."""
        assert name == self.attached.name
        return self.attached


@pytest.fixture
def shared() -> Iterator[Shared]:
    with Region.create(name_run(), "test", SIZE) as region, Region.attach(region.name) as attached:
        yield Shared(region, attached)


@pytest.fixture
def other() -> Iterator[Callable[..., Popen[bytes]]]:
    """Starts other OS processes, which run `other.py`."""
    with ExitStack() as stack:

        def start(*words: str) -> Popen[bytes]:
            started = stack.enter_context(Popen([sys.executable, PROGRAM, *words], stdin=PIPE, stdout=PIPE))
            stack.callback(started.kill)
            return started

        yield start
