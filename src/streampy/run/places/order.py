"""What is asked of a nursery and what it answers: packets of a few bytes, and the order that a child is born with.

Knows nothing of how these are sent, nor of what is done with them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum, auto
from struct import Struct
from typing import Final

PACKET: Final = Struct("=Bqq")
"""An `Ask` or a `News`, the number of the child, and what `News` says of it."""
FILES: Final = 5
"""How many file descriptors go with `Ask.BEAR`: the order, the child's socket, its stdout, its stderr, its log."""
_BOOT: Final = (
    "import sys; sys.path[:] = filter(None, sys.path); import json; "
    "sys.path[:] = json.load(open(int(sys.argv[1]), 'rb', closefd=False))['path']; "
    "from streampy.run.places.{module} import main; main()"
)
"""A fresh interpreter finds nothing but the standard library: it reads where the rest lies, then where to go on."""


class Ask(IntEnum):
    """What the main OS process asks."""

    BEAR = auto()
    KILL = auto()


class News(IntEnum):
    """What the nursery tells."""

    BORN = auto()
    """And its pid."""
    NOT_BORN = auto()
    """And the number of the error."""
    ENDED = auto()
    """And its exit code, which is negative where a signal ended it."""


@dataclass(frozen=True, slots=True)
class Script:
    """The user's script, as it is needed where a unit is defined in it."""

    file: str
    package: str | None
    """Of which it is a part, where it was started by `python -m`."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to be: all of the main OS process that it takes over, and what is its own."""

    name: str
    path: Sequence[str]
    """`sys.path`."""
    command: Sequence[str]
    """The interpreter, and its options."""
    main: str = ""
    """`module:function`."""
    arguments: Sequence[str] = ()
    """`sys.argv`."""
    folder: str | None = None
    """The working directory; None where the main OS process has none any more."""
    environ: Mapping[str, str] = field(default_factory=dict)
    is_fresh: bool = False
    """Whether it begins with a new interpreter."""
    cpus: Sequence[int] = ()
    script: Script | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    """Of loggers, by their names."""
    level_disabled: int = 0
    """Log records up to this level go nowhere."""
    preload: Sequence[str] = ()
    """Modules that the nursery imports before any child is born."""

    def write(self) -> int:
        """A file descriptor at which it can be read; the caller closes it."""
        file = os.memfd_create("streampy-order", os.MFD_CLOEXEC)
        with open(file, "wb", closefd=False) as opened:
            opened.write(json.dumps(asdict(self)).encode())
        os.lseek(file, 0, os.SEEK_SET)
        return file

    @classmethod
    def read(cls, file: int) -> Order:
        """The order that was written there, which stays as it is."""
        fields = json.loads(os.pread(file, os.fstat(file).st_size, 0))
        script = fields.pop("script")
        return cls(**fields, script=Script(**script) if script else None)

    def boot(self, module: str, *arguments: str) -> list[str]:
        """The command of a fresh interpreter that goes on in `main` of a module of this package.

        The first of its `arguments` is the file descriptor of an order.
        """
        return [*self.command, "-c", _BOOT.format(module=module), *arguments, f"streampy {self.name}"]
