"""Frames as video files."""

from fractions import Fraction
from pathlib import Path

import av
import av.container

import streampy as sp
from streampy.units.video.types import Frame

_TICKS = 90_000  # a second, as MPEG counts
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
_FRAGMENT = 2.0  # seconds from one key frame, and so one fragment, to the next


class VideoWriter(sp.Unit):
    """Encode frames into a video file, one for each stream; times are the frames' own.

    An .mp4 is written in fragments of two seconds, so it can be watched while it grows, and even if nobody gets to
    close it.
    """

    def __init__(
        self,
        *,
        path: str,
        codec: str = "libx264",
        quality: int = 23,
        preset: str = "veryfast",
        fps: float = 30.0,
        threads: int = 1,
    ) -> None:
        """Choose the file and the encoder.

        Args:
            path: `{stream}` is replaced by the name of the stream, which several cameras need; the ending chooses the
                container.
            codec: one of FFmpeg's, e.g. libx264, libx265, mpeg4.
            quality: constant rate factor of x264 and x265: 0 is lossless, 51 the worst. Ignored by others.
            preset: of x264 and x265: ultrafast ... veryslow.
            fps: frames a second that the encoder plans for; the times in the file are the frames' own all the same.
            threads: of the encoder.

        """
        self.path = path
        self.codec = codec
        self.options = {"crf": str(quality), "preset": preset} if codec in {"libx264", "libx265"} else {}
        self.fps = fps
        self.threads = threads
        self.files: dict[str, _VideoFile] = {}

    def work(self, frame: sp.Item[Frame]) -> None:
        """Encode one frame.

        Raises:
            ValueError: two streams would go into one file, or the size of the frames changed.

        """
        path = Path(self.path.format(stream=frame.stream))
        if frame.stream not in self.files:
            if any(path == file.path for file in self.files.values()):
                raise ValueError(f"VideoWriter: two streams for {path}: put {{stream}} into its path")
            self.files[frame.stream] = _VideoFile(path, self, frame.value)
        self.files[frame.stream].write(frame.value)

    def stop(self) -> None:
        """Write what the encoders hold and close the files."""
        while self.files:
            self.files.popitem()[1].close()


class _VideoFile:
    """One open file."""

    def __init__(self, path: Path, settings: VideoWriter, first: Frame) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.size = first.image.shape[1::-1]
        self._begin = first.time
        self._last = -1
        # MPEG-4's old format counts in 16 bits.
        self._base = Fraction(1, 60_000 if settings.codec == "mpeg4" else _TICKS)
        self._container = av.open(str(path), "w", options=_FRAGMENTS if path.suffix == ".mp4" else {})
        rate = Fraction(settings.fps).limit_denominator(1001)
        self._stream = _add_video(self._container, settings.codec, rate, settings.options)
        # The usual chroma format takes even sides only; an odd last row or column is cut off.
        self._stream.width, self._stream.height = self.size[0] // 2 * 2, self.size[1] // 2 * 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = self._base
        self._stream.codec_context.gop_size = max(1, round(_FRAGMENT * settings.fps))
        self._stream.codec_context.thread_count = settings.threads

    def write(self, frame: Frame) -> None:
        size = frame.image.shape[1::-1]
        if size != self.size:
            raise ValueError(
                f"VideoWriter: {self.path} began with frames of {self.size} pixels, got {size}: use Resize before it"
            )
        image = frame.image[: size[1] // 2 * 2, : size[0] // 2 * 2]
        picture = av.VideoFrame.from_ndarray(image, format="bgr24")
        # Encoders refuse a time that does not grow; a camera that was reconnected may give one.
        self._last = max(self._last + 1, round((frame.time - self._begin) / self._base))
        picture.pts, picture.time_base = self._last, self._base
        self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def _add_video(
    container: av.container.OutputContainer, codec: str, rate: Fraction, options: dict[str, str]
) -> av.VideoStream:
    stream = container.add_stream(codec, rate=rate, options=options)
    if not isinstance(stream, av.VideoStream):
        raise TypeError(f"VideoWriter: {codec} is no video codec")
    return stream
