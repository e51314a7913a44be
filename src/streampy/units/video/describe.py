"""Faces as vectors."""

import sys
from typing import Literal

import cv2
import numpy as np

import streampy as sp
from streampy.units.video.network import open_network
from streampy.units.video.types import Crop, Descriptor, Floats, Image


class Describe(sp.Unit):
    """Turn aligned faces into descriptors, a batch at a time, with any ONNX network of one image and one vector.

    The network's first input is (n, 3, side, side) float32, its first output (n, d); crops of another size are scaled.
    """

    crop = sp.Pipe(capacity=64, batch=8, wait=0.005)

    def __init__(
        self,
        *,
        model: str,
        mean: float = 0.0,
        scale: float = 1.0,
        channels: Literal["rgb", "bgr"] = "rgb",
        normalise: bool = False,
        threads: int = 1,
    ) -> None:
        """Choose the network; the defaults fit dlib's ResNet as the faces example converts it.

        Args:
            model: an ONNX file.
            mean: subtracted from each value (0..255), then
            scale: multiplied.
            channels: their order in the network's input.
            normalise: scale each descriptor to length 1, as networks compared by angle want it (ArcFace, SFace).
            threads: of one call of the network.

        """
        self.model = model
        self.mean = mean
        self.scale = scale
        self.channels = channels
        self.normalise = normalise
        self.threads = threads

    def start(self) -> None:
        """Open the network.

        Raises:
            FileNotFoundError: the model is not there.

        """
        self.network = open_network(self.model, threads=self.threads)
        wanted = self.network.get_inputs()[0]
        self.input = wanted.name
        count, _, side, _ = wanted.shape  # a name stands for any number
        self.at_once = count if isinstance(count, int) else sys.maxsize
        self.side = side if isinstance(side, int) else 0

    def work(self, crop: sp.Batch[Crop]) -> sp.Batch[Descriptor]:
        """Give one descriptor for each crop."""
        vectors = self.describe([one.image for one in crop])
        return sp.Batch(Descriptor(vector, one.face, one.source) for vector, one in zip(vectors, crop, strict=True))

    def describe(self, images: list[Image]) -> Floats:
        """Describe BGR crops of one size: (n, d) float32."""
        size = (self.side, self.side) if self.side else images[0].shape[1::-1]
        mean = (self.mean, self.mean, self.mean)
        blob = cv2.dnn.blobFromImages(images, self.scale, size, mean, swapRB=self.channels == "rgb")
        parts = np.split(blob, range(self.at_once, len(images), self.at_once))
        outputs = [self.network.run(None, {self.input: part})[0].reshape(len(part), -1) for part in parts]
        vectors = np.concatenate(outputs).astype(np.float32, copy=False)
        if self.normalise:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors
