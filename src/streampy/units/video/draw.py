"""Frames with boxes and names on them."""

import cv2

import streampy as sp
from streampy.units.video.types import Box, Faces, Frame, Image, Profile

_KNOWN, _UNKNOWN, _FOUND = (80, 200, 60), (60, 60, 230), (230, 180, 60)  # BGR
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class Draw(sp.Unit):
    """Draw the faces on their frame: named ones green, strangers red; blue where the names come too late."""

    def __init__(self, *, line: int = 2, letters: float = 0.6) -> None:
        """Choose the width of lines in pixels, and the size of letters (1.0: about 22 pixels high)."""
        self.line = line
        self.letters = letters

    def work(self, frame: Frame, faces: Faces, profiles: list[Profile] | None) -> Frame:
        """Give a copy of the frame with the drawing; a frame without faces goes on as it is, uncopied."""
        if not len(faces):
            return frame
        image = frame.image.copy()
        if profiles is None:
            for face in faces:
                self._box(image, face.box, _FOUND, "")
        else:
            for profile in profiles:
                color = _KNOWN if profile.is_known else _UNKNOWN
                self._box(image, profile.face.box, color, f"{profile.name or 'unknown'} {profile.distance:.2f}")
        return Frame(image, frame.time, frame.index, frame.source)

    def _box(self, image: Image, box: Box, color: tuple[int, int, int], text: str) -> None:
        left, top, right, bottom = box.pixels(image)
        cv2.rectangle(image, (left, top), (right, bottom), color, self.line)
        if not text:
            return
        (width, height), below = cv2.getTextSize(text, _FONT, self.letters, 1)
        edge = max(top, height + below + 4)
        cv2.rectangle(image, (left, edge - height - below - 4), (left + width + 4, edge), color, cv2.FILLED)
        cv2.putText(image, text, (left + 2, edge - below), _FONT, self.letters, (255, 255, 255), 1, cv2.LINE_AA)
