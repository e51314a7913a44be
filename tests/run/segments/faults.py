"""Random faults between segments under load; `./dev nox -s faults`, or `python -m tests.run.segments.faults --help`.

What happens is drawn by chance from a seed, which is printed: `--seed` repeats a round, `--count` says how many faults.
Replicas are killed and come anew, connections are cut, replicas freeze and thaw, and where there can be hosts, cables
are pulled. Whatever happens, each item has exactly one result, in order, and the ledgers of both sides balance.
"""

# ruff: noqa: T201, S311 - a program that prints; chance, not secrets

from __future__ import annotations

import argparse
import random
import socket
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic
from typing import Any

from tests.net.hosts import Host, hosts, why_no_hosts
from tests.run.segments.cut import address_of
from tests.run.segments.programs import Program, Programs
from tests.run.segments.proxy import Proxy

COUNT = 1500
"""Items of a round: about three seconds of them."""
PAUSE = 0.001
MOST = 4
"""Faults of a round."""
PORT = 7400
LISTEN = f"tcp://0.0.0.0:{PORT}"
LIVING = ("born", "split", "joined", "filtered", "dropped", "failed", "expired", "in_flight")


class Wrong(Exception):
    """Something is not as it should be after a fault."""


@dataclass
class Replica:
    """One of the core, and the way to it."""

    name: str
    program: Program
    port: socket.socket | None = None
    proxy: Proxy | None = None
    host: Host | None = None


@dataclass
class Round:
    """One run, and what happens in it."""

    seed: int
    faults: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    """Seconds after each fault in which no result came, the longest."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.on_hosts = not why_no_hosts() and self.chance.random() < 0.25
        self.replicas = self.chance.randint(2, 3)
        self.many = self.chance.randint(1, MOST)

    def __str__(self) -> str:
        where = "hosts" if self.on_hosts else "loopback"
        return f"seed {self.seed}: {self.replicas} replicas on {where}, {', '.join(self.faults) or 'nothing'}"

    def play(self) -> None:
        """Run it; raises Wrong."""
        try:
            with ExitStack() as stack:
                programs = stack.enter_context(Programs("relay", count=COUNT, pause=PAUSE, work_pause=PAUSE))
                self._play(programs, stack)
        except AssertionError as error:
            raise Wrong(f"{self}: {error}") from error

    def _play(self, programs: Programs, stack: ExitStack) -> None:
        names = [f"core{number}" for number in range(self.replicas)]
        network = stack.enter_context(hosts("edge", *names)) if self.on_hosts else {}
        cores = [self._start(programs, name, network.get(name), stack) for name in names]
        edge = programs.start("edge", host=network.get("edge"), dial={"core": [_way_to(core) for core in cores]})
        at = []
        for part in range(1, self.many + 1):
            edge.await_outs(part * COUNT // (MOST + 2) - self.chance.randrange(100))
            at.append(monotonic())
            self._do(self.chance.choice(cores), programs, edge)
        end = edge.await_end(60.0)
        self.gaps = [_gap(edge.times, since, until) for since, until in pairwise([*at, at[-1] + 3.0])]
        self._check(edge.outs, end)
        for core in cores:
            core.program.await_up().terminate()
            last = core.program.await_end()
            if not last.get("balanced") or last["ledger"]["in_flight"]:
                raise Wrong(f"{self}: the ledger of {core.name}: {last}")

    def _start(self, programs: Programs, name: str, host: Host | None, stack: ExitStack) -> Replica:
        if host is not None:
            return Replica(name, programs.start("core", host=host, listen=LISTEN).await_up(), host=host)
        port = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
        program = programs.start("core", port=port).await_up()
        return Replica(name, program, port, stack.enter_context(Proxy(port.getsockname())))

    def _do(self, core: Replica, programs: Programs, edge: Program) -> None:
        kinds = ["kill", "freeze", "cut" if core.host is None else "pull"]
        kind = self.chance.choice(kinds)
        self.faults.append(f"{kind} {core.name} at {len(edge.outs)}")
        longer = len(edge.outs) + self.chance.randrange(10, 150)
        if kind == "kill":
            core.program.kill()
            told = {"listen": LISTEN} if core.host is not None else {}
            core.program = programs.start("core", host=core.host, port=core.port, **told)
        elif kind == "freeze":
            core.program.freeze()
            edge.await_outs(min(longer, COUNT))
            core.program.thaw()
        elif kind == "cut" and core.proxy is not None:
            core.proxy.cut()
        elif core.host is not None:
            core.host.pull()
            edge.await_outs(min(longer, COUNT))
            core.host.plug()

    def _check(self, outs: list[Any], end: dict[str, Any]) -> None:
        values = [value for value, _ in outs]
        expected = [2 * number for number in range(COUNT)]
        if sorted(values) != expected:
            lost, twice = set(expected) - set(values), len(values) - len(set(values))
            raise Wrong(f"{self}: {len(lost)} without a result, {twice} results too many; {end}")
        if values != expected:
            raise Wrong(f"{self}: out of order")
        ledger = end.get("ledger", {})
        if not end.get("balanced") or ledger != {**dict.fromkeys(LIVING, 0), "born": COUNT, "delivered": COUNT}:
            raise Wrong(f"{self}: the ledger of the edge: {end}")


def _way_to(core: Replica) -> str:
    if core.host is not None:
        return f"tcp://{core.host.address}:{PORT}"
    assert core.port is not None
    return core.proxy.address if core.proxy is not None else address_of(core.port)


def _gap(times: list[float], since: float, until: float) -> float:
    """The longest time without a result between two faults."""
    after = [since, *(time for time in times if since < time < until)]
    return max((later - one for one, later in pairwise(after)), default=0.0)


def main() -> None:
    """Make so many; the exit code is the number of rounds that went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="how many faults at least (100)")
    parser.add_argument("--seed", type=int, help="of one round, which is to be repeated")
    parser.add_argument("--first", type=int, help="the seed of the first round (by chance)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else arguments.first
    seed = random.randrange(1 << 30) if seed is None else seed
    count = 1 if arguments.seed is not None else arguments.count
    faults, wrong, gaps = 0, 0, []
    while faults < count:
        one = Round(seed)
        try:
            one.play()
            print(f"{one}; results went on after {', '.join(f'{gap:.2f} s' for gap in one.gaps)}", flush=True)
        except Wrong as error:
            wrong += 1
            print(f"WRONG: {error}", flush=True)
        faults += max(1, len(one.faults))
        gaps += one.gaps
        seed += 1
    gaps.sort()
    told = f"; results went on after {gaps[len(gaps) // 2]:.2f} s (median), {gaps[-1]:.2f} s (most)" if gaps else ""
    print(f"{faults} faults, {wrong} rounds went wrong{told}")
    sys.exit(min(wrong, 100))


if __name__ == "__main__":
    main()
