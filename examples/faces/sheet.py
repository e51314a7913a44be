"""A contact sheet of annotated videos: what was made, at a glance."""

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def make(videos: list[Path], path: Path, *, columns: int = 4, width: int = 640) -> None:
    """Write one image: a row for each video, with frames from its beginning to its end."""
    rows = [np.hstack(_pick(video, columns, width)) for video in videos]
    cv2.imwrite(str(path), np.vstack(rows))


def _pick(video: Path, count: int, width: int) -> list[Image]:
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    picked = [frames[round((number + 0.5) * len(frames) / count)] for number in range(count)]
    height = round(width * picked[0].shape[0] / picked[0].shape[1])
    return [np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for frame in picked]
