"""Units for cameras, faces and video files; they need the extra `streampy[video]`.

Every image is BGR, (height, width, 3), uint8, and read-only by agreement: a unit that changes pixels copies them first.
Places in an image are fractions of its width and height, 0..1 from the upper left, so they hold for every size of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from streampy.units.missing import needs

if TYPE_CHECKING:
    from streampy.units.video.camera import Camera
    from streampy.units.video.crop import CropFaces
    from streampy.units.video.database import KnownFaces, Match, open_faces
    from streampy.units.video.database_sqlite import FaceDatabase
    from streampy.units.video.describe import Describe
    from streampy.units.video.draw import Draw
    from streampy.units.video.enrol import Enrol
    from streampy.units.video.find import FindFaces
    from streampy.units.video.identify import Identify
    from streampy.units.video.live import LiveFaces, LiveVideo
    from streampy.units.video.metadata import MetaWriter
    from streampy.units.video.photos import Photos
    from streampy.units.video.resize import Resize
    from streampy.units.video.types import Box, Crop, Descriptor, Face, Faces, Frame, Profile
    from streampy.units.video.writer import VideoWriter

__all__ = [
    "Box",
    "Camera",
    "Crop",
    "CropFaces",
    "Describe",
    "Descriptor",
    "Draw",
    "Enrol",
    "Face",
    "FaceDatabase",
    "Faces",
    "FindFaces",
    "Frame",
    "Identify",
    "KnownFaces",
    "LiveFaces",
    "LiveVideo",
    "Match",
    "MetaWriter",
    "Photos",
    "Profile",
    "Resize",
    "VideoWriter",
    "open_faces",
]

_WHERE = {
    "camera": ("Camera",),
    "crop": ("CropFaces",),
    "database": ("KnownFaces", "Match", "open_faces"),
    "database_sqlite": ("FaceDatabase",),
    "describe": ("Describe",),
    "draw": ("Draw",),
    "enrol": ("Enrol",),
    "find": ("FindFaces",),
    "identify": ("Identify",),
    "live": ("LiveFaces", "LiveVideo"),
    "metadata": ("MetaWriter",),
    "photos": ("Photos",),
    "resize": ("Resize",),
    "types": ("Box", "Crop", "Descriptor", "Face", "Faces", "Frame", "Profile"),
    "writer": ("VideoWriter",),
}


def __getattr__(name: str) -> object:
    """Import a unit when it is first asked for, so that a file writer doesn't load a neural network library."""
    for module, names in _WHERE.items():
        if name in names:
            with needs("streampy[video]"):
                return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no unit {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
