"""Who a face is."""

import numpy as np

import streampy as sp
from streampy.units.video.database import open_faces
from streampy.units.video.types import Descriptor, Profile


class Identify(sp.Unit):
    """Name faces by the nearest one in a database; faces enrolled meanwhile count from the next batch on."""

    def __init__(self, *, database: str, threshold: float = 0.6) -> None:
        """Choose the database, and the distance from which on a face is nobody's.

        database: a file, or `postgresql://user:password@host/name` on a server (`streampy[postgres]`), for replicas on
        several machines.
        0.6 is what dlib's ResNet was trained for; networks compared by angle, with descriptors of length 1, use about
        1.1 (SFace: 1.128).
        """
        self.where = database
        self.threshold = threshold

    def start(self) -> None:
        """Open the database."""
        self.database = open_faces(self.where)

    def work(self, descriptor: sp.Batch[Descriptor]) -> sp.Batch[Profile]:
        """Give one profile for each descriptor; one without a name where nobody is near enough."""
        self.database.refresh()
        matches = self.database.nearest(np.stack([one.vector for one in descriptor]))
        return sp.Batch(
            Profile(match.name if match.distance < self.threshold else "", match.distance, one.face)
            for match, one in zip(matches, descriptor, strict=True)
        )

    def stop(self) -> None:
        """Close the database."""
        self.database.close()
