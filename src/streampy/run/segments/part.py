"""Makes of what a user says of one segment the part of the process that it is.

Knows nothing of how it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from socket import socket
from typing import TYPE_CHECKING

from streampy.errors import StreamPyError
from streampy.model.segments import LinkSpec, read_dial
from streampy.model.suggest import did_you_mean
from streampy.pipes.net.broker import Account
from streampy.pipes.net.tls import Tls
from streampy.run.segments.brokered import BrokerNetwork, MakeBroker
from streampy.run.segments.ends import Ends
from streampy.run.segments.network import TcpNetwork
from streampy.run.segments.networks import Networks
from streampy.run.segments.types import make_packing
from streampy.run.segments.wire import Network, Part

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
    brokers = {wire: _broker_of(wire) for wire in plan.wires if wire.via and segment in wire.ends}
    for wire in brokers:
        _refuse_split_families(plan, wire, backend)
    dialled = any(wire.listener == segment and not wire.via for wire in plan.wires)
    if dialled and not listen and not plan.segments[segment].listen:
        raise StreamPyError(
            f"segment {segment!r} does not know where to listen: say it in the process, `segments: {{{segment}: "
            f"{{listen: tcp://0.0.0.0:7400}}}}`, or on the command line, `--listen tcp://0.0.0.0:7400`"
        )
    diallers = {wire.dialler for wire in plan.wires if wire.listener == segment}
    dials = {name: _addresses(name, there) for name, there in dial.items()}
    serves = bool(diallers - expect.keys())
    packing = make_packing(plan)
    networks: list[Network] = [
        BrokerNetwork(plan, segment, wire, backend, packing=packing, serves=serves, make=make)
        for wire, make in brokers.items()
    ]
    if not networks or any(segment in wire.ends and not wire.via for wire in plan.wires):
        networks.append(TcpNetwork(plan, segment, backend, packing, listen_at=listen, dials=dials, serves=serves))
    return Part(plan, segment, networks[0] if len(networks) == 1 else Networks(networks), expect)


def _refuse_split_families(plan: Plan, wire: LinkSpec, backend: Backend) -> None:
    """Which replica gets an item is the broker's choice, and made anew for each: so parts of one may not meet there."""
    for link in plan.crossings:
        here, there = plan.segment_of(link.sender), plan.segment_of(link.receiver)
        replicas = plan.segments[there].replicas
        if wire.ends == {here, there} and replicas > 1 and Ends(plan, here, {}, backend).gathers(link):
            raise StreamPyError(
                f"links.{wire}.via: what comes of one item of {link} may have to meet again in {there!r}, but a broker "
                f"spreads items over its {replicas} replicas: give it one replica, with more workers; or move what "
                "joins into another segment; or leave `via` out, so that segments dial"
            )


def _broker_of(wire: LinkSpec) -> MakeBroker:
    """Connects to the broker of a link. Raises StreamPyError where it can't be, whatever is at the address."""
    kind = wire.via.partition("://")[0]
    if kind != "nats":
        raise StreamPyError(
            f"links.{wire}.via: a link by {kind} is not carried yet; take nats://HOST:PORT, or leave `via` out, so "
            "that segments dial"
        )
    try:
        from streampy.pipes.net.nats import Nats  # noqa: PLC0415 - needs an extra
    except ImportError:
        raise StreamPyError(f'links.{wire}.via: nats-py is not installed: pip install "streampy[nats]"') from None
    files = None if wire.tls is None else Tls(wire.tls.ca, wire.tls.cert, wire.tls.key, wire.tls.name)
    account = Account(wire.via, wire.token, files)
    return lambda network, box: Nats(account, box, network)


def _addresses(name: str, there: str | Sequence[str]) -> tuple[str, ...]:
    try:
        return read_dial([there] if isinstance(there, str) else list(there))
    except ValueError as error:
        raise StreamPyError(f"dial {name}: {error}") from error
