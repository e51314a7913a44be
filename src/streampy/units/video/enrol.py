"""New faces for the database."""

import streampy as sp
from streampy.units.video.database import open_faces
from streampy.units.video.types import Descriptor, Profile


class Enrol(sp.Unit):
    """Add faces to a database: photographs of known people, or whoever a camera sees and nobody knows.

    `name="{source}", apart=0` (the defaults) enrols every face under the name of its photograph's folder;
    `name="guest {number}", apart=0.6` gives each stranger a number, once.
    """

    def __init__(self, *, database: str, name: str = "{source}", apart: float = 0.0) -> None:
        """Choose the database and what to call people.

        Args:
            database: a file, or `postgresql://user:password@host/name` on a server (`streampy[postgres]`), for
                replicas on several machines.
            name: `{source}` is replaced by the name of the face's source, `{number}` by the count of names, from 1.
            apart: a face nearer than this to one that is enrolled already is not added.

        """
        self.where = database
        self.name = name
        self.apart = apart

    def start(self) -> None:
        """Open the database."""
        self.database = open_faces(self.where)

    def work(self, descriptor: Descriptor) -> Profile | None:
        """Add a face; gives whom it was added as, None where it was known already."""
        with self.database.alone():  # two workers that see one stranger at once are to give one number
            self.database.refresh()
            (match,) = self.database.nearest(descriptor.vector[None])
            if match.distance < self.apart:
                return None
            name = self.name.format(source=descriptor.source, number=len(self.database.names) + 1)
            self.database.add(name, descriptor.vector)
        return Profile(name, match.distance, descriptor.face)

    def stop(self) -> None:
        """Close the database."""
        self.database.close()
