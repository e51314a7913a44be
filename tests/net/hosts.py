"""Hosts on a network of their own: each a network namespace, with a cable to a switch that can be pulled.

Needs root and `ip` (iproute2); `why_no_hosts` says what is missing, for tests that are skipped by that. What is made
is removed at the end of the `with` block, whatever happens; what a test run that was killed has left, by the next one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

_PREFIX = "spt"
"""How the names of namespaces begin; then the PID of the test run, so that who is gone can be told."""
_SETTINGS = Path("/etc/netns")
_serial = count()


@cache
def why_no_hosts() -> str:
    """Why there can be none here; "" where there can."""
    if os.geteuid():
        return "hosts are network namespaces, and only root can make these"
    if shutil.which("ip") is None:
        return "hosts are network namespaces, and there is no `ip` here (iproute2)"
    tried = subprocess.run(["ip", "netns", "add", f"{_PREFIX}{os.getpid()}-try"], capture_output=True, check=False)
    if tried.returncode:
        return f"hosts are network namespaces, which can't be made here: {tried.stderr.decode().strip()}"
    _ip("netns", "del", f"{_PREFIX}{os.getpid()}-try")
    return ""


@cache
def why_no_weather() -> str:
    """Why a cable can't be made slow or lossy here; "" where it can."""
    if why_no_hosts():
        return why_no_hosts()
    with hosts("a") as network:
        try:
            network["a"].weather("delay", "1ms")
        except subprocess.CalledProcessError as error:
            return f"`tc` has no netem here: {error.stderr.strip()}"
        except FileNotFoundError:
            return "there is no `tc` here (iproute2)"
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass
class Host:
    """One of them."""

    name: str
    address: str
    namespace: str
    switch: str
    port: str
    """Of the switch, at the other end of its cable."""
    names: dict[str, Sequence[str]] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """What runs a command there; it is the command itself that runs, under the same PID."""
        return ["ip", "netns", "exec", self.namespace, *words]

    def pull(self) -> None:
        """Pull the cable: nothing comes or goes any more, and nobody is told."""
        _ip("-n", self.switch, "link", "set", self.port, "nomaster")

    def plug(self) -> None:
        """Put it in again."""
        _ip("-n", self.switch, "link", "set", self.port, "master", "switch")

    def weather(self, *netem: str) -> None:
        """Make what goes to it slow or lossy: `delay 50ms`, `loss 5%`; see netem(8). Nothing: as it was."""
        del_or = ["del"] if not netem else ["replace"]
        words = ["tc", "-n", self.switch, "qdisc", *del_or, "dev", self.port, "root"]
        subprocess.run([*words, *(["netem", *netem] if netem else [])], check=True, capture_output=True, text=True)

    def know(self, names: Mapping[str, Sequence[str]]) -> None:
        """What programs there find when they look up these names, from now on."""
        lines = [f"{address} {name}\n" for name, addresses in names.items() for address in addresses]
        file = _SETTINGS / self.namespace / "hosts"
        with file.open("r+") as place:  # the same file: programs that run there see it through a mount
            place.truncate()
            place.write("".join(["127.0.0.1 localhost\n", *lines]))


@contextmanager
def hosts(*names: str) -> Iterator[dict[str, Host]]:
    """Hosts that reach each other, by name; each has the next address of 10.99.0.0/24."""
    _sweep()
    base = f"{_PREFIX}{os.getpid()}-{next(_serial)}"
    switch = f"{base}-switch"
    made = {
        name: Host(name, f"10.99.0.{number}", f"{base}-{name}", switch, f"port{number}")
        for number, name in enumerate(names, 1)
    }
    try:
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        for host in made.values():
            _make(host)
        yield made
    finally:
        for namespace in [*(host.namespace for host in made.values()), switch]:
            _remove(namespace)


def _make(host: Host) -> None:
    folder = _SETTINGS / host.namespace
    folder.mkdir(parents=True)
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    (folder / "resolv.conf").write_text("")  # nobody else is asked
    _ip("netns", "add", host.namespace)
    _ip("-n", host.switch, "link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
    _ip("-n", host.switch, "link", "set", host.port, "master", "switch", "up")
    _ip("-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", "eth0")
    _ip("-n", host.namespace, "link", "set", "eth0", "up")
    _ip("-n", host.namespace, "link", "set", "lo", "up")


def _remove(namespace: str) -> None:
    with suppress(subprocess.CalledProcessError):
        _ip("netns", "del", namespace)
    shutil.rmtree(_SETTINGS / namespace, ignore_errors=True)
    with suppress(OSError):
        _SETTINGS.rmdir()  # where it was made for this alone


def _sweep() -> None:
    """Remove what test runs left that are gone."""
    found = Path("/run/netns")
    for path in found.glob(f"{_PREFIX}*-*") if found.exists() else ():
        pid = path.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            _remove(path.name)
