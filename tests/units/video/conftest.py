"""Real videos, real models."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MakeVideo = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Write a video whose frame `i` is one flat color: blue 8 * i, green 0, red 255 - 8 * i."""

    def make(name: str = "clip.mp4", *, frames: int = 10, fps: int = 25, width: int = 64, height: int = 48) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "1", "preset": "ultrafast"})
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
            for index in range(frames):
                image = np.zeros((height, width, 3), np.uint8)
                image[:] = (8 * index, 0, 255 - 8 * index)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            container.mux(stream.encode(None))
        return path

    return make


@pytest.fixture(scope="session")
def models() -> Path:
    """Give the folder with the example's models and photographs; made once, then kept."""
    pytest.importorskip("onnx", reason="the group `faces` is not installed")
    from examples.faces import networks, packages  # noqa: PLC0415 - needs onnx

    cache = Path(__file__).parents[3] / ".cache" / "faces"
    try:
        packages.fetch(cache)
    except SystemExit as missing:
        pytest.skip(f"the models can't be fetched: {missing}")
    networks.convert(cache)
    return cache
