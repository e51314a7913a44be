"""Decides what of a unit's result goes to which output, and with which identity.

Pure. Knows nothing of links; an output may lead to many units.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from streampy.model.item import Header, Item
from streampy.model.outputs import Outputs
from streampy.model.ports import OUT, Emits, Ports


class Sent(NamedTuple):
    """One item on its way out."""

    port: str
    header: Header
    value: Any


class Spread:
    """The results of one item: what was sent to which port so far."""

    __slots__ = ("_ports", "counts", "header")

    def __init__(self, ports: Ports, header: Header) -> None:
        self._ports = ports
        self.header = header
        self.counts = dict.fromkeys(ports.outputs, 0)

    def of(self, result: Any) -> Iterator[Sent]:
        """Everything that a call gave back; iterates the unit's own iterators, so it may raise the unit's errors."""
        if self._ports.emits is Emits.MANY and result is not None:
            for part in result:
                yield from self.one(part)
        else:
            yield from self.one(result)

    def one(self, result: Any) -> Iterator[Sent]:
        """One thing that a unit returned or yielded."""
        if result is None:
            return
        if self._ports.named is None:
            yield self._send(OUT, result)
            return
        if not isinstance(result, self._ports.named):
            wanted = self._ports.named.__name__
            raise TypeError(f"got {type(result).__name__} {result!r:.80}, but the signature promises {wanted}")
        yield from self._each_port(result)

    def _each_port(self, outputs: Outputs) -> Iterator[Sent]:
        for port, value in vars(outputs).items():
            if value is None:
                continue
            if self._ports.outputs[port].many and self._ports.emits is not Emits.MANY:
                for part in value:
                    yield self._send(port, part)
            else:
                yield self._send(port, value)

    def _send(self, port: str, value: Any) -> Sent:
        header = self.header.part(self.counts[port]) if self._ports.outputs[port].many else self.header
        self.counts[port] += 1
        if type(value) is Item:
            given: Header = value.header
            header = header._replace(meta=given.meta, deadline=given.deadline)
            value = value.value
        return Sent(port, header, value)

    @property
    def total(self) -> int:
        """How many items were sent in all."""
        return sum(self.counts.values())

    def fanouts(self) -> list[tuple[str, int]]:
        """The ports at which the item went into parts, and into how many."""
        return [(port, count) for port, count in self.counts.items() if self._ports.outputs[port].many]

    def silent(self) -> list[str]:
        """The ports at which nothing came of the item."""
        return [port for port, count in self.counts.items() if not count and not self._ports.outputs[port].many]
