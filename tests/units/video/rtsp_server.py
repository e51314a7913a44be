"""The example's RTSP server with made-up pictures; it can also be silent while connected, as cameras are at times."""

import threading

import av
import numpy as np
from examples.faces_two import rtsp


class RtspServer(rtsp.RtspServer):
    """Serves `frames` frames to everybody who plays, at `rate` a second, and then falls silent or hangs up."""

    def __init__(self, *, port: int = 0, frames: int = 25, rate: float = 100, silent_after: bool = False) -> None:
        self.silent_after = silent_after
        self.is_silent = threading.Event()
        sent = [rtsp.Sent(units, number / rate, number / rate) for number, units in enumerate(encode(frames))]
        super().__init__({"live": rtsp.Video(sent, frames / rate)}, port=port, loops=1)
        self.url = self.url_of("live")

    def ended(self) -> None:
        if self.silent_after:
            self.is_silent.set()
            self.over.wait()


def encode(frames: int) -> list[list[bytes]]:
    """NAL units of each frame, frames getting brighter."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt, codec.framerate = 64, 48, "yuv420p", 25  # type: ignore[assignment]
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5"}
    pictures = [av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * i % 255, np.uint8), "bgr24") for i in range(frames)]
    return [rtsp.split(bytes(packet)) for picture in [*pictures, None] for packet in codec.encode(picture)]
