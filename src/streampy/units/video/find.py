"""Where the faces are in a frame."""

from pathlib import Path

import streampy as sp
from streampy.units.video.types import Faces, Frame


class FindFaces(sp.Unit):
    """Find the faces of every frame: boxes, five points and scores. A frame without a face gives an empty `Faces`."""

    def __init__(self, *, models: str, smallest: float = 32, score: float = 0.9, threads: int = 1) -> None:
        """Choose the finder.

        Args:
            models: folder with the three MTCNN networks pnet.onnx, rnet.onnx, onet.onnx; or the file of a YuNet model.
            smallest: side in pixels of the smallest face looked for (MTCNN; YuNet has its own).
            score: 0..1, what a face must have to count.
            threads: of one call of a network.

        """
        self.models = Path(models)
        self.smallest = smallest
        self.score = score
        self.threads = threads

    def start(self) -> None:
        """Open the models.

        Raises:
            FileNotFoundError: they are not there.

        """
        # Each imports a library that the other doesn't need.
        if self.models.is_dir():
            from streampy.units.video.mtcnn import Mtcnn  # noqa: PLC0415

            scores = (0.6, 0.7, self.score)  # the first two are the paper's
            self.find = Mtcnn(self.models, smallest=self.smallest, scores=scores, threads=self.threads).find
        elif self.models.is_file():
            from streampy.units.video.yunet import YuNet  # noqa: PLC0415

            self.find = YuNet(self.models, score=self.score).find
        else:
            raise FileNotFoundError(
                f"FindFaces: nothing at models={self.models}: give a folder with pnet.onnx, rnet.onnx and onet.onnx"
            )

    def work(self, frame: Frame) -> Faces:
        """Find the faces of one frame, the surest first."""
        return Faces(tuple(self.find(frame.image)))
