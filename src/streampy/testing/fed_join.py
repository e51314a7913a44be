"""The join of a unit that is fed: the one that runs, told of what arrives at the time at which it does.

Knows nothing of how the unit is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from streampy.flow.joiner import Joined, Joiner, JoinInput
from streampy.model.item import Item, Reason, Tombstone
from streampy.model.pipe import Join
from streampy.model.plan import JoinPlan, Share
from streampy.model.ports import Helping, Ports
from streampy.testing.arrivals import Arrival
from streampy.testing.tokens import Cancel, Lost


def join(ports: Ports, arrivals: Sequence[Arrival]) -> Iterator[tuple[float, Joined]]:
    """The sets that go on, and when. How long the unit works on one does not matter to the next.

    Raises TimeoutError where a set is not complete in time and the unit's settings call that an error.
    """
    joiner = _joiner(ports, len(arrivals))
    for time, several in groupby(arrivals, key=lambda one: (one.time, one.header.seq)):
        while joiner.due() < time[0]:
            yield from _taken(joiner, joiner.due())
        for arrival in sorted(several, key=lambda one: ports.inputs[one.port].helping is not Helping.LATEST):
            if isinstance(arrival.value, Cancel):
                return
            _tell(joiner, ports, arrival)
        yield from _taken(joiner, time[0])
    joiner.finish()
    yield from _taken(joiner, arrivals[-1].time if arrivals else 0.0)


def _joiner(ports: Ports, count: int) -> Joiner:
    helping: Mapping[str, Helping] = {name: port.helping for name, port in ports.inputs.items()}
    gathers = frozenset(name for name in helping if helping[name] is Helping.LIST)
    latest = frozenset(name for name in helping if helping[name] is Helping.LATEST)
    shares = {name: Share(1, int(name in gathers)) for name in helping if name not in latest}
    asked = ports.join or Join()
    plan = JoinPlan(
        Join(wait=asked.wait, late=asked.late, capacity=count + 1), {"feed": 0}, {"feed": shares}, gathers, latest
    )
    inputs = {
        name: JoinInput(name, port.optional, name in gathers, name in latest) for name, port in ports.inputs.items()
    }
    return Joiner("feed", plan, inputs, ordered=True)


def _taken(joiner: Joiner, time: float) -> Iterator[tuple[float, Joined]]:
    verdict = joiner.take(time)
    if verdict.late:
        raise TimeoutError(f"{len(verdict.late)} items were not complete in time, the first {verdict.late[0].key}")
    for joined in verdict.joined:
        yield time, joined


def _tell(joiner: Joiner, ports: Ports, arrival: Arrival) -> None:
    time, name, header, value = arrival
    port = ports.inputs[name]
    if isinstance(value, Lost):
        joiner.bury(name, Tombstone(header, Reason.DROPPED, "feed"), 1, time)
        return
    if port.helping is not Helping.LIST:
        joiner.add(name, header, Item(value, header) if port.gives_headers else value, time)
        return
    parts = value if isinstance(value, list) else [value]
    joiner.close(name, header, len(parts), 1, time)
    for index, part in enumerate(parts):
        if isinstance(part, Lost):
            joiner.bury(name, Tombstone(header.part(index), Reason.DROPPED, "feed"), 1, time)
        else:
            joiner.add(name, header.part(index), part, time)
