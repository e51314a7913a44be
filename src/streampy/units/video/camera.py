"""Frames from a camera, a network stream or a file."""

import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import av
import av.error
import numpy as np

import streampy as sp
from streampy.units.video.hidden import hidden
from streampy.units.video.reading import Container, LiveReader, Picture, frame_rate, pictures
from streampy.units.video.types import Frame

_LIVE = ("rtsp://", "rtsps://", "rtmp://", "srt://", "tcp://", "udp://", "rtp://", "/dev/video")
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Camera(sp.Unit):
    """Give the frames of a video: a file, a webcam or a network camera.

    A live input that fails or falls silent is opened again, with longer and longer waits between; frames of the
    meantime are lost, and nobody can count them. A file is read to its end, or again and again with `loop`.
    """

    def __init__(
        self,
        *,
        url: str | int,
        name: str = "",
        loop: bool = False,
        realtime: bool = False,
        fps: float = math.inf,
        limit: float = math.inf,
        timeout: float = 5.0,
        retry: float = 0.5,
        retry_most: float = 10.0,
        retries: float = math.inf,
        threads: int = 1,
        options: Mapping[str, str] = _NO_OPTIONS,
    ) -> None:
        """Choose the input.

        Args:
            url: a file; a number or /dev/videoN for a webcam; rtsp://, rtmp://, srt://, tcp://, udp:// for a live
                stream; any other URL that FFmpeg reads counts as a file.
            name: what frames call their source; the unit's name where it is empty.
            loop: begin a file again at its end.
            realtime: give the frames of a file at their times, not as fast as it decodes.
            fps: most frames a second; those between are skipped.
            limit: frames after which the source ends.
            timeout: seconds without a frame after which a live input counts as lost.
            retry: seconds before a lost live input is opened again; doubled after each failure up to `retry_most`.
            retry_most: seconds.
            retries: failures in a row after which the unit gives up, with the last error.
            threads: of the decoder.
            options: FFmpeg's own, e.g. `{video_size: 1280x720}` for a webcam, `{rtsp_transport: udp}`.

        """
        self.url = f"/dev/video{url}" if str(url).isdigit() else str(url)
        self.name = name
        self.is_live = self.url.startswith(_LIVE)
        self.loop = loop and not self.is_live
        self.realtime = realtime and not self.is_live
        self.fps = fps
        self.limit = limit
        self.timeout = timeout
        self.retry = retry
        self.retry_most = retry_most
        self.retries = retries
        self.threads = threads
        self.options = options

    def work(self) -> Iterator[Frame]:
        """Give frames until the end, the limit or the stop.

        Raises:
            FileNotFoundError: the file is not there.
            ValueError: it holds no video.
            OSError: the input failed (a live one: more than `retries` times in a row).

        """
        worker = sp.worker()
        begin = worker.now()
        found = self._live() if self.is_live else self._file()
        for index, (when, picture) in enumerate(self._thinned(found)):
            if worker.stopping or self.limit < 1:
                return
            if self.realtime and worker.sleep(max(0.0, begin + when - worker.now())):
                return
            image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
            yield Frame(image, when, index, self.name or worker.unit)
            if index + 1 >= self.limit:
                return

    def _thinned(self, found: Iterator[Picture]) -> Iterator[Picture]:
        """Leave the first picture of each 1/fps seconds; the others are not even converted."""
        slot = -1
        for one in found:
            if self.fps < math.inf:
                # A hair more: 3 * (1 / 3) must not count as 0.999...
                now = math.floor(one.time * self.fps + 1e-6)
                if now == slot:
                    continue
                slot = now
            yield one

    def _file(self) -> Iterator[Picture]:
        """Give the pictures of a file; times go on over loops."""
        offset = 0.0
        while True:
            end = offset
            with self._open_file() as container:
                self._tell_length(container)
                for when, picture in pictures(container, threads=self.threads):
                    end = offset + when + 1 / frame_rate(container)
                    yield Picture(offset + when, picture)
            if not self.loop or end == offset:
                return
            offset = end

    def _tell_length(self, container: Container) -> None:
        """Tell how many frames will come, where the file knows it, so that progress can be shown."""
        frames = container.streams.video[0].frames if container.streams.video else 0
        if not frames:
            return
        rate = frame_rate(container)
        thinned = math.ceil(frames * min(1.0, self.fps / rate))
        count = min(math.inf if self.loop else thinned, self.limit)
        if count < math.inf:
            sp.worker().expect(int(count))

    def _live(self) -> Iterator[Picture]:
        """Give the pictures of a live input, over any number of connections; times go on, with the gaps."""
        worker = sp.worker()
        begin = math.nan
        failures = 0
        while not worker.stopping:
            lost: Exception = EOFError("the sender ended the stream")
            reader = LiveReader(self._open_live, threads=self.threads, timeout=self.timeout, name=worker.name)
            with reader:
                offset = math.nan
                try:
                    for when, picture in reader.pictures(lambda: worker.stopping):
                        failures = 0
                        if math.isnan(offset):
                            worker.logger.info("%s gives pictures", self)
                            begin = time.monotonic() if math.isnan(begin) else begin
                            offset = time.monotonic() - begin
                        yield Picture(offset + when, picture)
                except (OSError, EOFError, ValueError, av.error.FFmpegError) as error:
                    lost = error
            failures += 1
            if worker.stopping:
                return
            if failures > self.retries:
                raise ConnectionError(f"{self} is lost: {hidden(str(lost))}") from lost
            wait = min(self.retry_most, self.retry * 2.0 ** (failures - 1))
            worker.logger.warning("%s is lost (%s); opening it again in %.1f s", self, hidden(str(lost)), wait)
            if worker.sleep(wait):
                return

    def _open_file(self) -> Container:
        if "://" not in self.url and not Path(self.url).is_file():
            raise FileNotFoundError(
                f"{self}: no such file; give a file, a webcam's number, or a URL such as rtsp://..."
            )
        try:
            return av.open(self.url, options=dict(self.options))
        except av.error.InvalidDataError as error:
            raise ValueError(f"{self} is not a video that FFmpeg can read") from error

    def _open_live(self) -> Container:
        form = "v4l2" if self.url.startswith("/dev/") else None
        # TCP, because lost UDP packets are green pictures; a second of looking what the stream is, not five.
        options = {"rtsp_transport": "tcp", "analyzeduration": "1000000"} if self.url.startswith("rtsp") else {}
        return av.open(self.url, format=form, options={**options, **self.options}, timeout=self.timeout)

    def __repr__(self) -> str:
        return f"Camera({hidden(self.url)!r})"
