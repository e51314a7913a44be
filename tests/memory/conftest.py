"""A region to write to, its blocks, and the same region as a reader has it; two ends that lend to each other."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from streampy.memory.arena import Arena
from streampy.memory.blocks import Block, Blocks
from streampy.memory.loans import Loans
from streampy.memory.region import Region
from streampy.memory.regions import Regions
from streampy.memory.sweep import name_run

SIZE = 1 << 20
PROGRAM = Path(__file__).parent / "other.py"


@dataclass
class Shared:
    """A region as its writer has it, and as a reader does."""

    region: Region
    attached: Region
    blocks: Blocks = field(init=False)
    kept: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blocks = Blocks(self.region)


@pytest.fixture
def shared() -> Iterator[Shared]:
    with Region.create(name_run(), "test", SIZE) as region, Region.attach(region.name) as attached:
        both = Shared(region, attached)
        yield both
        both.kept.clear()


class Ends:
    """An arena, and both ends of the lending between the OS process that has it and another one, played by this one."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.woken = 0
        self.regions = Regions()
        self.here = Loans(self.regions, self._wake)
        self.there = Loans(self.regions, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    @property
    def blocks(self) -> int:
        """How many are alive."""
        return self.arena.stats().blocks

    def send(self, value: Any, *, opened: bool = True) -> Any:
        """Seal a value and lend it; what comes out there."""
        return self.there.loads(self.here.dumps(self.arena.seal(value)), opened=opened)

    def settle(self) -> int:
        """What was let go of there comes back here; returns how many loans are left."""
        self.here.returned(pickle.loads(pickle.dumps(self.there.take_returned())))
        return len(self.here)


@pytest.fixture
def ends() -> Iterator[Ends]:
    with Arena(name_run(), "test", most=10, item=100_000) as arena:
        both = Ends(arena)
        yield both
        both.here.clear()
        both.there.clear()
        both.regions.close()


class Other:
    """Another OS process, see `other.py`, that is told things, and answers each."""

    def __init__(self, started: Popen[bytes]) -> None:
        self.started = started
        self.stdout = started.stdout

    def ask(self, *words: Any) -> Any:
        """What it answers."""
        pickle.dump(words, self.started.stdin)
        self.started.stdin.flush()
        return pickle.load(self.started.stdout)

    def kill(self) -> None:
        """At once, whatever it does; it is dead then."""
        self.started.kill()
        self.started.wait()


@pytest.fixture
def other() -> Iterator[Callable[..., Other]]:
    """Starts other OS processes."""
    with ExitStack() as stack:

        def start(*words: str) -> Other:
            started = stack.enter_context(Popen([sys.executable, PROGRAM, *words], stdin=PIPE, stdout=PIPE))
            stack.callback(started.kill)
            return Other(started)

        yield start


@pytest.fixture
def small_folder(tmp_path) -> Iterator[Callable[[int], Path]]:
    """Mounts shared memory of so many bytes."""
    mounted = []

    def mount(size: int) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"only who may mount can try a small folder: {done.stderr.strip()}")
        mounted.append(tmp_path)
        return tmp_path

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)
