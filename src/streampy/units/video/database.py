"""Faces with names: what a database of them can do, and which kind is where.

Knows nothing of images, nor how faces are kept.
"""

from contextlib import AbstractContextManager
from importlib import import_module
from types import TracebackType
from typing import NamedTuple, Protocol, Self, cast

from streampy.units.missing import needs
from streampy.units.video.types import Floats

_SERVERS = ("postgresql://", "postgres://")


class Match(NamedTuple):
    """The nearest face of the database."""

    name: str
    """`""` where the database is empty."""
    distance: float
    """Euclidean; `inf` where the database is empty."""


class KnownFaces(Protocol):
    """A set of (name, descriptor) that many may read and add to at once.

    One instance is for one thread at a time.
    """

    def __len__(self) -> int: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def names(self) -> frozenset[str]:
        """Everybody in the database."""

    def add(self, name: str, vector: Floats) -> None:
        """Add one face; it is on the disk when this returns, or at the end of `alone`. One name may have many faces.

        Args:
            name: not empty: that means nobody.
            vector: (d,), the same d for the whole database.

        Raises:
            ValueError: an empty name, or a vector of another size than the others.

        """

    def remove(self, name: str) -> int:
        """Remove every face of a name; returns how many there were."""

    def nearest(self, vectors: Floats) -> list[Match]:
        """Search the nearest face for each row.

        Args:
            vectors: (n, d).

        Raises:
            ValueError: d is not that of the database.

        """

    def refresh(self) -> bool:
        """Take over what others have committed since; returns whether something was, where that had to be asked."""

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts nobody else adds or removes a face; an exception takes back what was done in it."""

    def close(self) -> None:
        """Let go of it; a second time does nothing."""


def open_faces(where: str) -> KnownFaces:
    """Open the database: `postgresql://...` on a server, else a file.

    Raises:
        ImportError: the library for the server is not there.
        ConnectionError: the server is not, or it lacks pgvector.
        sqlite3.DatabaseError: the file is something else.

    """
    if where.startswith(_SERVERS):
        with needs("streampy[postgres]"):
            kind = import_module("streampy.units.video.database_postgres").PostgresFaces
    else:
        kind = import_module("streampy.units.video.database_sqlite").FaceDatabase
    return cast("KnownFaces", kind(where))


def check_name(name: str) -> None:
    """Raise ValueError for a name that means nobody."""
    if not name:
        raise ValueError("a face needs a name that is not empty")


def check_size(where: str, held: int, got: int) -> None:
    """Raise ValueError where a database of vectors of one size is given one of another."""
    if held != got:
        raise ValueError(
            f"{where} holds descriptors of {held} numbers, got one of {got}: "
            "each descriptor network needs a database of its own"
        )
