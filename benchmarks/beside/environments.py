"""An environment of its own for each peer, with what is pinned in `pins/`: made once, by uv, and used again.

Knows nothing of what runs in them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_PINS = Path(__file__).parent / "pins"


class NotThere(Exception):
    """A peer can't be had here; the text says why."""


def python_of(name: str, cache: Path, checkout: Path | None = None) -> Path:
    """The interpreter of an environment, which is made where it is missing or its pins have changed.

    checkout: installed too, as it lies there, for what is on no index. Raises NotThere.
    """
    pins = (_PINS / f"{name}.txt").read_text()
    folder = cache / name
    made, wanted = folder / "made", hashlib.sha256(f"{sys.version} {pins} {checkout}".encode()).hexdigest()
    python = folder / "bin" / "python"
    if made.is_file() and made.read_text() == wanted:
        return python
    uv = shutil.which("uv", path=os.pathsep.join([os.environ.get("PATH", ""), str(Path(".cache/uv/bin").resolve())]))
    if uv is None:
        raise NotThere("there is no uv, which makes its environment")
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    _run([*install, "--requirement", str(_PINS / f"{name}.txt")])
    if checkout:
        _run([*install, "--no-build-isolation", "--editable", str(checkout)])
    made.write_text(wanted)
    return python


def versions_of(name: str) -> list[str]:
    """What is pinned, as `name==version`."""
    return [line for line in (_PINS / f"{name}.txt").read_text().splitlines() if line and not line.startswith("#")]


def _run(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if ended.returncode:
        raise NotThere(f"`{' '.join(Path(part).name for part in command[:3])}` failed: {ended.stderr.strip()[-300:]}")
