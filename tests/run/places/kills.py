"""Real SIGKILLs at random moments into a run of real frames, under load; `./dev nox -s kills`, or `kills.py --help`.

Who dies is drawn by chance from a seed, which is printed: `--seed` repeats a round, `--count` says how many kills.
With `stop` all is out within a second; with `restart` every frame has exactly one result, right to the bit; when the
main OS process dies no orphan lives a second later. Nothing hangs, and nothing is left in shared memory.
"""

# ruff: noqa: T201, S311 - a program that prints; chance, not secrets

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from threading import Thread
from time import monotonic, sleep
from typing import Any

from tests.run.places.conftest import ends

from streampy.memory.sweep import sweep

HERE = Path(__file__).parent
MARK = "STREAMPY_KILLS_MARK"
MEMORY = Path("/dev/shm")  # noqa: S108 - is looked at
PATIENCE = 20.0
"""Seconds after which whatever does not happen counts as a hang."""
STARTING = 0.7
"""Seconds that a start takes, about: in these a third of the kills come."""
UNDER_WAY = 0.6
"""Seconds after the first result in which the others come."""
LAST_CRY = signal.SIGUSR1
"""Who gets it writes where all its threads are: see `shots`."""
MOST = 5
"""Kills in a run that goes on."""


class Wrong(Exception):
    """Something is not as it should be after a kill."""


@dataclass
class Round:
    """One run, and whom to kill in it."""

    seed: int
    within: float
    """Seconds in which all must be out."""
    killed: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    """Seconds from a kill until all was out."""
    took_to_tell: list[float] = field(default_factory=list)
    """Seconds from a kill until `streampy` had put all out and raised."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.graph = self.chance.choice(["lasting", "fragile"])
        self.kills_main = self.chance.random() < 0.2
        self.kills = self.chance.randint(1, MOST) if self.graph == "lasting" and not self.kills_main else 1
        self.starts_early = self.chance.random() < 1 / 3

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.graph}, killed {', '.join(self.killed) or 'nobody'}"

    def play(self) -> None:
        """Run it; raises Wrong."""
        doomed = Doomed(self.graph)
        try:
            self._play(doomed)
        except Wrong as error:
            raise Wrong(f"{self}: {error}\n{doomed.cry()}") from None
        finally:
            doomed.close()

    def _play(self, doomed: Doomed) -> None:
        doomed.await_word("begun")
        if self.starts_early:
            sleep(self.chance.uniform(0, STARTING))
        else:
            doomed.await_word("ready")
            sleep(self.chance.uniform(0, UNDER_WAY))
        if self.kills_main:
            self._kill_main(doomed)
        elif self.graph == "fragile":
            self._kill_one_of_all(doomed)
        else:
            self._kill_some(doomed)
        if left := doomed.memory():
            raise Wrong(f"left in {MEMORY}: {left}")

    def _kill_main(self, doomed: Doomed) -> None:
        family = doomed.family()
        at = monotonic()
        self.killed.append("main")
        doomed.program.kill()
        self._all_out(doomed, family, at)
        doomed.program.wait()
        sweep()  # as the next run does

    def _kill_one_of_all(self, doomed: Doomed) -> None:
        family = doomed.family()
        at = self._kill(doomed)
        told = doomed.verdict()
        if told["error"] is None or not any(kind in {"WorkerDied", "RunError"} for kind in told["kinds"]):
            raise Wrong(f"expected WorkerDied, got {told}")
        self.took_to_tell.append(told["out_at"] - at)
        self._all_out(doomed, family, at)
        if told["strange"]:
            raise Wrong(f"results that are not as they should be: {told}")

    def _kill_some(self, doomed: Doomed) -> None:
        for number in range(self.kills):
            if number:
                sleep(self.chance.choice([0.0, self.chance.uniform(0, UNDER_WAY)]))
            self._kill(doomed)
        doomed.await_word("ready")
        doomed.program.stdin.close()
        told = doomed.verdict()
        if told["error"] is not None:
            raise Wrong(f"it was to go on, and ended: {told}")
        born = told["ledger"]["born"]
        if told["strange"] or not told["balanced"] or told["ledger"]["failed"] or told["ledger"]["in_flight"]:
            raise Wrong(f"the ledger, or the results, are not as they should be: {told}")
        if not born == told["results"] == told["ordered"] > 0:
            raise Wrong(f"{born} frames were born: {told}")
        self._all_out(doomed, doomed.family(), monotonic(), is_measured=False)

    def _kill(self, doomed: Doomed) -> float:
        """Somebody but the main OS process, as soon as there is somebody; returns when."""
        until = monotonic() + PATIENCE
        while monotonic() < until:
            family = doomed.family()
            family.pop(doomed.program.pid, None)
            if family:
                pid, name = self.chance.choice(sorted(family.items()))
                self.killed.append(name)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                return monotonic()
            if doomed.program.poll() is not None:
                raise Wrong(f"the main OS process has ended by itself: {doomed.program.returncode}")
            sleep(0.005)  # nothing tells of the birth of a stranger's child
        raise Wrong("there was nobody to kill")

    def _all_out(self, doomed: Doomed, family: dict[int, str], at: float, *, is_measured: bool = True) -> None:
        until = at + (self.within if is_measured else PATIENCE)
        left = {*ends(list(family), until), *ends(list(doomed.family()), until)}
        if is_measured:
            self.took.append(monotonic() - at)
        if left:
            names = {pid: family.get(pid, "?") for pid in left}
            raise Wrong(f"{until - at:g} s after the kill these still live: {names}")


class Doomed:
    """A main OS process, and what it tells."""

    def __init__(self, graph: str) -> None:
        self._mark = token_hex(8)
        paths = [str(HERE), *sys.path]
        self.program = subprocess.Popen(
            [sys.executable, "-c", "import shots; shots.main()", graph],
            env={**os.environ, MARK: self._mark, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._words: SimpleQueue[str] = SimpleQueue()
        self._errors: list[str] = []
        self._said: set[str] = set()
        self._readers = [Thread(target=self._read), Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        for line in self.program.stdout:
            self._words.put(line.strip())
        self._words.put("")

    def _read_errors(self) -> None:
        self._errors.extend(self.program.stderr)

    def await_word(self, word: str) -> None:
        """Wait until it says so, or has said so."""
        while word not in self._said:
            said = self._next()
            self._said.add(said)
            if said.startswith("{") or not said:
                raise Wrong(f"expected {word!r}, got {said or 'its end'!r}")

    def verdict(self) -> dict[str, Any]:
        """How it ended."""
        while not (said := self._next()).startswith("{"):
            if not said:
                raise Wrong(f"it ended without a word, exit code {self.program.wait(PATIENCE)}")
        told: dict[str, Any] = json.loads(said)
        return told

    def _next(self) -> str:
        try:
            return self._words.get(timeout=PATIENCE)
        except Empty:
            raise Wrong(f"it hangs: no word for {PATIENCE:g} s") from None

    def family(self) -> dict[int, str]:
        """The OS processes that live and come from it, itself among them, with their names."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"{MARK}={self._mark}".encode() in path.read_bytes():
                    stat = path.with_name("stat").read_text()
                    if stat.rpartition(")")[2].split()[0] not in "ZX":
                        found[int(path.parent.name)] = stat.partition("(")[2].rpartition(")")[0]
        return found

    def memory(self) -> list[str]:
        """The shared memory of its run."""
        return sorted(path.name for path in MEMORY.glob(f"streampy-{self.program.pid}.*"))

    def cry(self) -> str:
        """Where all its threads are, and all that it wrote to stderr."""
        for pid, name in self.family().items():
            if name != "nursery":
                with suppress(ProcessLookupError):
                    os.kill(pid, LAST_CRY)
        sleep(0.5)  # they are written by who may hang
        return "".join(self._errors)

    def close(self) -> None:
        """Nothing of it is left."""
        self.program.kill()
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.program.wait()
        for reader in self._readers:
            reader.join()
        for file in (self.program.stdin, self.program.stdout, self.program.stderr):
            with suppress(BrokenPipeError):
                file.close()


def main() -> None:
    """Kill so many; the exit code is the number of rounds that went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="how many kills at least (200)")
    parser.add_argument("--seed", type=int, help="of one round, which is to be repeated")
    parser.add_argument("--first", type=int, help="the seed of the first round (by chance)")
    parser.add_argument("--within", type=float, default=1.0, help="seconds in which all must be out (1)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else arguments.first
    seed = random.randrange(1 << 30) if seed is None else seed
    count = 1 if arguments.seed is not None else arguments.count
    kills, wrong, took = 0, 0, []
    while kills < count:
        one = Round(seed, arguments.within)
        try:
            one.play()
            told = "".join(f", told after {each:.2f} s" for each in one.took_to_tell)
            print(f"{one}{told}" + "".join(f", all out after {each:.2f} s" for each in one.took), flush=True)
        except Wrong as error:
            wrong += 1
            print(f"WRONG: {error}", flush=True)
        kills += max(1, len(one.killed))
        took += one.took
        seed += 1
    took.sort()
    told = f"; all out after {took[len(took) // 2]:.2f} s (median), {took[-1]:.2f} s (most)" if took else ""
    print(f"{kills} kills, {wrong} rounds went wrong{told}")
    sys.exit(min(wrong, 100))


if __name__ == "__main__":
    main()
