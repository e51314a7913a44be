"""Makes of what a user says of one segment the part of the process that it is.

Knows nothing of how it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from socket import socket
from typing import TYPE_CHECKING

from streampy.errors import StreamPyError
from streampy.model.segments import read_dial
from streampy.model.suggest import did_you_mean
from streampy.run.segments.network import TcpNetwork
from streampy.run.segments.wire import Part

if TYPE_CHECKING:
    from streampy.model.plan import Plan
    from streampy.run.backend import Backend


def make_part(
    plan: Plan,
    segment: str,
    backend: Backend,
    *,
    listen: str | socket,
    dial: Mapping[str, str | Sequence[str]],
    expect: Mapping[str, int],
) -> Part:
    """See `streampy.run`. Raises StreamPyError for a segment that is none, and for what is no address."""
    for name in (segment, *dial, *expect):
        if name not in plan.segments:
            there = did_you_mean(name, plan.segments) if plan.segments else "; the process has no segments"
            raise StreamPyError(f"{name!r} is no segment of {plan.name!r}{there}")
    brokered = next((wire for wire in plan.wires if wire.via and segment in wire.ends), None)
    if brokered is not None:
        raise StreamPyError(
            f"links.{brokered}.via: a link by a broker is not carried yet; leave `via` out, so that segments dial"
        )
    dialled = any(wire.listener == segment for wire in plan.wires)
    if dialled and not listen and not plan.segments[segment].listen:
        raise StreamPyError(
            f"segment {segment!r} does not know where to listen: say it in the process, `segments: {{{segment}: "
            f"{{listen: tcp://0.0.0.0:7400}}}}`, or on the command line, `--listen tcp://0.0.0.0:7400`"
        )
    diallers = {wire.dialler for wire in plan.wires if wire.listener == segment}
    network = TcpNetwork(
        plan,
        segment,
        backend,
        listen_at=listen,
        dials={name: _addresses(name, there) for name, there in dial.items()},
        serves=bool(diallers - expect.keys()),
    )
    return Part(plan, segment, network, expect)


def _addresses(name: str, there: str | Sequence[str]) -> tuple[str, ...]:
    try:
        return read_dial([there] if isinstance(there, str) else list(there))
    except ValueError as error:
        raise StreamPyError(f"dial {name}: {error}") from error
