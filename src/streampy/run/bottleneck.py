"""Says what limits the rate of a process, and why: from its plan and two looks at its statistics.

Pure. Knows nothing of how they are measured, nor of who shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final

from streampy.model.ports import Helping
from streampy.run.shares import shares

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.stats import PipeStats, Stats

_HELD_BACK: Final = 0.05
"""Of the time of a sender: who waits longer for room is held back; less is the cost of handing over."""
_SPARE: Final = 0.3
"""Of the time of a unit: who waits longer for items keeps up on the whole."""
_MOST: Final = 0.5
_FEW: Final = 20
"""Calls from which nothing should be concluded yet."""
_NAMED: Final = 3


class Limit(Enum):
    """What kind of thing limits the rate."""

    UNIT = "unit"
    """A unit has no more to give: others wait for it, or its items are dropped."""
    SOURCE = "source"
    """The sources give no more; everything behind them keeps up."""
    BURSTS = "bursts"
    """A unit keeps up on the whole, but its pipe loses items now and then."""
    PACE = "pace"
    """A pipe lets no more pass: it has a `rate`, or lets so many items in at once (`in_flight`)."""
    HAND_OVER = "hand-over"
    """A pipe is full though its unit is rarely in its own code: the rest is handing over, or waiting for the GIL."""
    NOTHING = "nothing"
    """Nothing came, so there is nothing to conclude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The conclusion; as text, one sentence."""

    limit: Limit
    units: tuple[str, ...] = ()
    """Those that are the limit: one, or all the sources."""
    why: str
    advice: str = ""
    """What would help; empty where nothing needs to."""

    def __str__(self) -> str:
        return f"{self.why}; {self.advice}" if self.advice else self.why


def find_limit(plan: Plan, before: Stats, after: Stats) -> Finding:
    """What limits the rate between two looks: the unit that others wait for, or the sources where nobody waits.

    before: the first look, such as when all units have started. after: the second one, before the process drains.
    """
    return _Search(plan, before, after).find()


def per_second(rate: float) -> str:
    """`0.25`, `29.9`, `12 345`: three digits, and thousands apart."""
    digits = 0 if rate >= 100 else 1 if rate >= 10 else 2  # noqa: PLR2004 - digits behind the point
    return f"{rate:,.{digits}f}".replace(",", " ")


class _Search:
    def __init__(self, plan: Plan, before: Stats, after: Stats) -> None:
        self.plan = plan
        self.before, self.after = before, after
        self.shares = shares(plan, before, after)
        self.chain_of = {name: chain for chain in plan.chains for name in chain}
        self.sources = [name for name, unit in plan.units.items() if not unit.inputs]

    def find(self) -> Finding:
        if not any(share.items for share in self.shares.values()):
            return Finding(limit=Limit.NOTHING, why="nothing came, so there is nothing to conclude")
        pressed = [chain for chain in self.plan.chains if self._is_pressed(chain)]
        if pressed:
            return self._slow(max(pressed, key=self._engaged))
        shared = [chain for chain in self.plan.chains if chain[0] in self.sources and self._busiest(chain) != chain[0]]
        if shared:
            return self._unit(max(shared, key=self._most_busy))
        return self._keeps_up()

    def _slow(self, chain: Sequence[str]) -> Finding:
        """What is the matter with the worker behind a pipe that is full."""
        if self.shares[chain[0]].idle > _SPARE and self._at_once(chain[0]) < inf:
            return self._let_in(chain)
        if self.shares[chain[0]].idle > _SPARE:
            return self._pace(chain[0]) if self._rate(chain[0]) < inf else self._bursts(chain[0])
        if self._engaged(chain) > _MOST > self._busy(chain):
            return self._hand_over(chain)
        return self._unit(chain)

    def _unit(self, chain: Sequence[str]) -> Finding:
        name = self._busiest(chain)
        why = f"{name} is the limit: busy {self.shares[name].busy:.0%} of the time"
        if len(chain) > 1:
            why += f" of the thread that it shares with {_listed([one for one in chain if one != name])}"
        why += self._pressure(chain[0])
        calls = self.after.units[name].work.count - self.before.units[name].work.count
        if calls < _FEW and not self.plan.units[name].ports.is_stream:
            why += f" (only {calls} calls: measure longer to be sure)"
        return Finding(limit=Limit.UNIT, units=(name,), why=why, advice=self._advice(name, chain))

    def _bursts(self, name: str) -> Finding:
        idle = f"waits for items {self.shares[name].idle:.0%} of the time"
        capacity = max(entry.pipe.capacity for entry in self.plan.units[name].inputs.values())
        return Finding(
            limit=Limit.BURSTS,
            units=(name,),
            why=f"{name} keeps up on the whole, it {idle}, but items come in bursts{self._pressure(name)}",
            advice=f"a larger pipe (its capacity is {capacity}) would take them in",
        )

    def _pace(self, name: str) -> Finding:
        return Finding(
            limit=Limit.PACE,
            units=(name,),
            why=f"the pipe of {name} is the limit, as it is told to be: {per_second(self._rate(name))} items/s"
            f"{self._pressure(name)}",
        )

    def _let_in(self, chain: Sequence[str]) -> Finding:
        """The pipe waits for the end of earlier items: what is behind it is the limit, or the number that let in."""
        behind = [one for one in self.plan.chains if one is not chain and one[0] not in self.sources]
        slowest = max(behind, key=self._most_busy, default=chain)
        if self._most_busy(slowest) > 1 - _SPARE:
            return self._unit(slowest)
        name = chain[0]
        return Finding(
            limit=Limit.PACE,
            units=(name,),
            why=f"the pipe of {name} is the limit: it lets {self._at_once(name):g} items in at once"
            f"{self._pressure(name)}, and no unit behind it is busy all the time",
            advice="a higher `in_flight` would help",
        )

    def _hand_over(self, chain: Sequence[str]) -> Finding:
        idle = f"waits for items only {self.shares[chain[0]].idle:.0%} of the time"
        return Finding(
            limit=Limit.HAND_OVER,
            units=(chain[0],),
            why=f"the way to {chain[0]} is the limit{self._pressure(chain[0])}: the unit is busy "
            f"{self._busy(chain):.0%} and {idle}, the rest goes into handing over, or into waiting for the GIL",
            advice="units without a pipe of their own, which are fused, or larger batches would help",
        )

    def _keeps_up(self) -> Finding:
        rates = [f"{name} gives {per_second(self.shares[name].items)} items/s" for name in self.sources]
        others = {name: share.busy for name, share in self.shares.items() if name not in self.sources}
        by_hand = any(unit.is_open for unit in self.plan.units.values())
        fed = "fed by hand" if by_hand else "fed by other segments"
        why = f"{_listed(rates) or fed}: nothing is overloaded"
        if others:
            busiest = max(others, key=others.__getitem__)
            why += f"; {busiest}, the busiest unit, works {others[busiest]:.0%} of the time"
        return Finding(limit=Limit.SOURCE, units=tuple(self.sources), why=why)

    def _advice(self, name: str, chain: Sequence[str]) -> str:
        unit = self.plan.units[name]
        ways = []
        if unit.inputs and not unit.ports.is_stream:
            least, more = unit.spec.workers - unit.spec.spare, unit.spec.workers + 1
            workers = f"`workers: {f'{{min: {least}, max: {more}}}' if unit.spec.spare else more}`"
            is_held_up = self._works_with_gil(name)
            ways.append(
                f"more workers ({f'`place: own`, {workers}: threads share the GIL' if is_held_up else workers})"
            )
        batches = [entry.pipe.batch for entry in unit.inputs.values() if entry.port.helping is Helping.BATCH]
        if batches and any(pipe.batch.p50 > _MOST * min(batches) for pipe in self._pipes(name).values()):
            ways.append(f"a larger batch (`batch: {2 * min(batches)}`)")
        if name != chain[0] and self._busy(chain) - self.shares[name].busy > _HELD_BACK:
            ways.append("a pipe of its own (`pipe: {capacity: 8}`)")
        return f"{' or '.join(ways) or 'a quicker unit'} would help"

    def _works_with_gil(self, name: str) -> bool:
        """Whether more threads would not help, for a unit that holds the GIL for most of its work."""
        share, spec = self.shares[name], self.plan.units[name].spec
        return spec.place == "main" and share.busy > 0 and share.gil > _MOST * min(1.0, share.busy * spec.workers)

    def _pressure(self, name: str) -> str:
        """What is seen at the pipes of a unit, to be put behind a sentence."""
        lost = sum(self._lost(end) for end in self._pipes(name))
        if lost:
            return f", and its pipe lost {lost} items"
        return ", and its pipe was full" if self._was_full(name) else ""

    def _is_pressed(self, chain: Sequence[str]) -> bool:
        """Whether pipes of its first unit lost items, or are full because it is behind."""
        name = chain[0]
        if any(self._lost(end) for end in self._pipes(name)):
            return True
        may_be_behind = self.shares[name].idle <= _SPARE or min(self._rate(name), self._at_once(name)) < inf
        return may_be_behind and self._was_full(name) and self._holds_back(name)

    def _rate(self, name: str) -> float:
        """Items a second that the pipes of a unit let pass at the most."""
        return min((entry.pipe.rate for entry in self.plan.units[name].inputs.values()), default=inf)

    def _at_once(self, name: str) -> float:
        """How many items the pipes of a unit let in before an earlier one has ended."""
        return min((entry.pipe.in_flight for entry in self.plan.units[name].inputs.values()), default=inf)

    def _holds_back(self, name: str) -> bool:
        links = [link for entry in self.plan.units[name].inputs.values() for link in entry.links]
        return any(self.shares[link.sender].blocked > _HELD_BACK for link in links if link.sender in self.shares)

    def _was_full(self, name: str) -> bool:
        inputs = self.plan.units[name].inputs
        return any(
            stats.overloaded or stats.high_water >= inputs[end.rpartition(".")[2]].pipe.capacity
            for end, stats in self._pipes(name).items()
        )

    def _lost(self, end: str) -> int:
        """Items that a pipe dropped or refused between the looks."""
        old, new = self.before.pipes[end], self.after.pipes[end]
        return new.dropped + new.expired - old.dropped - old.expired

    def _pipes(self, name: str) -> dict[str, PipeStats]:
        """The pipes of a unit by `unit.port`; a fused one has none."""
        ends = [f"{name}.{port}" for port in self.plan.units[name].inputs]
        return {end: self.after.pipes[end] for end in ends if end in self.after.pipes}

    def _busiest(self, chain: Sequence[str]) -> str:
        return max(chain, key=self._busy_of)

    def _most_busy(self, chain: Sequence[str]) -> float:
        return max(map(self._busy_of, chain))

    def _busy(self, chain: Sequence[str]) -> float:
        return sum(map(self._busy_of, chain))

    def _busy_of(self, name: str) -> float:
        return self.shares[name].busy

    def _engaged(self, chain: Sequence[str]) -> float:
        """The share of its time in which a worker neither waits for items nor for room."""
        return 1.0 - self.shares[chain[0]].idle - self.shares[chain[-1]].blocked


def _listed(names: Sequence[str]) -> str:
    """`left, right and 3 more`."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
