"""Where the workers of a process live, and what its pipes carry across: derived from a checked plan.

Knows nothing of what is wrong with it (`housing` does), nor of how OS processes and shared memory are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from streampy.model.process import MAIN
from streampy.model.sendable import needs_script

if TYPE_CHECKING:
    from streampy.model.plan import InputPlan, UnitPlan

_IN_HAND = 2
"""Batches that a worker may hold: the one that it works on, and the one before that it is still emitting."""
UNTAKEN = 4096
"""Items that a worker in another OS process may have sent to `main`, and that are not where they belong yet."""
_ON_THE_WAY = 2
"""Items that are being written, and being handed over."""


class Transport(StrEnum):
    """What carries items to an input."""

    FUSED = "fused"
    """A direct call."""
    THREAD = "thread"
    """A hand-off within one OS process, between threads or tasks."""
    SHARED = "shared"
    """Shared memory, between OS processes."""
    NETWORK = "network"
    """A connection, between segments."""


@dataclass(frozen=True, slots=True)
class Place:
    """One OS process, and who lives in it."""

    name: str
    """`main`, `detect#1`, `gpu`."""
    workers: Mapping[tuple[str, ...], tuple[int, ...]]
    """For each chain of fused units the indexes of those of its workers that live there; of a pool all it can have."""
    env: Mapping[str, str]
    """Environment variables that it has beside those of `main`."""
    cpus: tuple[int, ...]
    """The CPUs that it may use; empty: all that `main` may use."""
    needs_script: bool
    """Whether the script that Python was started with must be imported there, as it defines what lives there."""

    @property
    def is_main(self) -> bool:
        """Whether it is the OS process that was there before the start."""
        return self.name == MAIN

    @property
    def units(self) -> tuple[str, ...]:
        """The units that have workers there."""
        return tuple(unit for chain in self.workers for unit in chain)


@dataclass(frozen=True, slots=True)
class SharedPipe:
    """A pipe that items come to from another OS process, so that they lie in shared memory."""

    unit: str
    input: str
    blocks: int
    """How many items can be alive at once: waiting, on their way, and in the hands of the workers."""
    item: float | None
    """The bytes of one, where somebody said how many."""

    @property
    def bytes(self) -> float | None:
        """What all of them take; None: nobody knows before the first ones have come."""
        return None if self.item is None else self.blocks * self.item


def places_of(units: Mapping[str, UnitPlan], chains: Iterable[tuple[str, ...]]) -> tuple[Place, ...]:
    """All OS processes of a plan: `main`, also where no unit lives there, then the others by their units."""
    found: dict[str, dict[tuple[str, ...], tuple[int, ...]]] = {MAIN: {}}
    env: dict[str, dict[str, str]] = {MAIN: {}}
    cpus: dict[str, tuple[int, ...]] = {}
    for chain in chains:
        for index in range(units[chain[0]].spec.workers):
            name = units[chain[0]].spec.home_of(index)
            living = found.setdefault(name, {})
            living[chain] = (*living.get(chain, ()), index)
            for unit in (units[one] for one in chain if units[one].spec.is_away):
                env.setdefault(name, {}).update(unit.env_of(index))
                cpus[name] = cpus.get(name) or unit.cpus_of(index)
    scripted = {name for name, unit in units.items() if unit.spec.is_away and needs_script(unit)}
    return tuple(
        Place(
            name,
            living,
            env.get(name, {}),
            cpus.get(name, ()),
            needs_script=any(unit in scripted for chain in living for unit in chain),
        )
        for name, living in found.items()
    )


def transport_of(sender: UnitPlan | None, receiver: UnitPlan) -> Transport:
    """What carries items from a unit to the unit that it is linked to; without a sender, what is pushed by hand."""
    if sender is not None and not receiver.not_fused:
        return Transport.FUSED
    return Transport.SHARED if _crosses(sender, receiver) else Transport.THREAD


def is_shared(unit: UnitPlan, port: str, units: Mapping[str, UnitPlan]) -> bool:
    """Whether items come to an input from another OS process; those of a sender that is not there come to `main`."""
    senders = {link.sender for link in unit.inputs[port].links}
    return any(_crosses(units.get(name), unit) for name in senders) if senders else _crosses(None, unit)


def shared_pipes(units: Mapping[str, UnitPlan]) -> Iterator[SharedPipe]:
    """The pipes that items come to from another OS process."""
    for unit in units.values():
        for entry in unit.inputs.values():
            if is_shared(unit, entry.port.name, units):
                yield SharedPipe(unit.name, entry.port.name, _blocks(unit, entry), entry.pipe.item)


def _crosses(sender: UnitPlan | None, receiver: UnitPlan) -> bool:
    """Whether there may be another OS process at the other end; without a sender, `main` pushes into the pipe."""
    return len(_homes(receiver) | ({MAIN} if sender is None else _homes(sender))) > 1


def _homes(unit: UnitPlan) -> set[str]:
    return {unit.spec.home_of(index) for index in range(unit.spec.workers)}


def _blocks(unit: UnitPlan, entry: InputPlan) -> int:
    return entry.pipe.most + unit.spec.workers * _IN_HAND * entry.pipe.batch + _ON_THE_WAY
