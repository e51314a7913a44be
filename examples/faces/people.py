"""Who is in the clip, in which photograph, and which photographs they are enrolled from.

The faces were marked in the photographs by hand; nothing here comes from the finder that is tested with it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Person:
    """One person.

    Args:
        name: as enrolled, and as in the truth.
        photo: the photograph that is pasted into the clip.
        face: left, top, right, bottom of the face in it, in pixels: brow to chin.
        enrolled_from: photographs in the database; none for a stranger.

    """

    name: str
    photo: str
    face: tuple[int, int, int, int]
    enrolled_from: tuple[str, ...]


PEOPLE = (
    Person("Barack Obama", "obama.jpg", (376, 90, 614, 424), ("obama2.jpg", "obama3.jpg")),
    Person("Joe Biden", "biden.jpg", (428, 168, 714, 566), ("biden.jpg",)),
    Person("Eileen Collins", "astronaut.png", (181, 66, 266, 172), ("astronaut.png",)),
    Person("Grace Hopper", "grace_hopper.jpg", (178, 110, 357, 340), ()),
)


def lay_out(cache: Path, folder: Path) -> None:
    """Make the enrolment folder: one inner folder for each person who is enrolled, with the photographs."""
    shutil.rmtree(folder, ignore_errors=True)
    for person in PEOPLE:
        for photo in person.enrolled_from:
            (folder / person.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cache / photo, folder / person.name / photo)
