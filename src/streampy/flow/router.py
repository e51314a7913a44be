"""Decides what of a unit's result goes to which output, and with which identity.

Pure. Knows nothing of links; an output may lead to many units.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from streampy.model.item import Header, Item, keep_trace
from streampy.model.outputs import Outputs
from streampy.model.ports import OUT, Emits, Ports


class Sent(NamedTuple):
    """One item on its way out."""

    port: str
    header: Header
    value: Any


class Spread:
    """The results of one item: what was sent to which port so far."""

    __slots__ = ("_ports", "_yielded", "counts", "header", "missing")

    def __init__(self, ports: Ports, header: Header) -> None:
        self._ports = ports
        self.header = header
        self.counts = dict.fromkeys(ports.outputs, 0)
        self.missing: list[tuple[str, Header]] = []
        """The parts that left an output out, and that output."""
        self._yielded = 0

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
            yield self._send(OUT, result, self.counts[OUT])
            return
        if not isinstance(result, self._ports.named):
            wanted = self._ports.named.__name__
            raise TypeError(f"got {type(result).__name__} {result!r:.80}, but the signature promises {wanted}")
        if self._ports.emits is Emits.MANY:
            yield from self._part(result)
        else:
            yield from self._each_port(result)

    def _part(self, outputs: Outputs) -> Iterator[Sent]:
        """One part with several outputs: at all of them it has the same number, so that they meet again at a join."""
        number = self._yielded
        self._yielded += 1
        for port, output in self._ports.outputs.items():
            value = vars(outputs).get(port)
            if value is not None:
                yield self._send(port, value, number)
            elif output.many:
                self.missing.append((port, self.header.part(number)))

    def _each_port(self, outputs: Outputs) -> Iterator[Sent]:
        for port, output in self._ports.outputs.items():
            value = vars(outputs).get(port)
            if value is None:
                continue
            for number, part in enumerate(value) if output.many else ((0, value),):
                yield self._send(port, part, number)

    def _send(self, port: str, value: Any, number: int) -> Sent:
        header = self.header.part(number) if self._ports.outputs[port].many else self.header
        self.counts[port] += 1
        if type(value) is Item:
            given: Header = value.header
            meta = keep_trace(header.meta, given.meta) if header.meta else given.meta
            header = header._replace(meta=meta, deadline=given.deadline)
            value = value.value
        return Sent(port, header, value)

    @property
    def total(self) -> int:
        """How many items were sent in all."""
        return sum(self.counts.values())

    def fanouts(self) -> list[tuple[str, int]]:
        """The ports at which the item went into parts, and into how many, those that are missing there among them."""
        return [
            (port, max(count, self._yielded)) for port, count in self.counts.items() if self._ports.outputs[port].many
        ]

    def silent(self) -> list[str]:
        """The ports at which one result was to come of the item, and none did."""
        return [port for port, count in self.counts.items() if not count and not self._ports.outputs[port].many]
