"""YuNet, OpenCV's own face finder, from a model file that the user has."""

from pathlib import Path

import cv2
import numpy as np

from streampy.units.video.types import Box, Face, Image


class YuNet:
    """Finds faces with `face_detection_yunet_*.onnx` of the OpenCV model zoo."""

    def __init__(self, model: Path, *, score: float) -> None:
        """Open the model; `score` 0..1 is what a face must have at least."""
        self._detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), score_threshold=score)

    def find(self, image: Image) -> list[Face]:
        """Find the faces of a BGR image, the surest first."""
        height, width = image.shape[:2]
        self._detector.setInputSize((width, height))
        _, rows = self._detector.detect(image)
        if rows is None:
            return []
        whole = np.asarray([width, height], np.float32)
        faces = []
        for row in np.asarray(rows, np.float32):  # x, y, width, height, then five points, then the score
            box = np.concatenate([row[:2], row[:2] + row[2:4]]) / np.tile(whole, 2)
            faces.append(Face(Box(*box.tolist()), row[4:14].reshape(5, 2) / whole, float(row[14])))
        return sorted(faces, key=lambda face: -face.score)
