"""Frames from a camera, a network stream or a file."""

import math
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import av.container
import av.error

import streampy as sp
from streampy.units.video.types import Frame

_LIVE = ("rtsp://", "rtsps://", "rtmp://", "srt://", "udp://", "rtp://")
_SLICE = 0.25  # seconds that one read of a live input may block: so long a stop may have to wait
_INTERRUPTED = (av.error.ExitError, av.error.TimeoutError, av.error.BlockingIOError)


class Camera(sp.Unit):
    """Give the frames of a video: a file, a webcam or a network camera.

    A live input that fails or falls silent is opened again, with longer and longer waits between; frames of the
    meantime are lost, which nobody can count. A file is read to its end, or again and again with `loop`.
    """

    def __init__(  # noqa: PLR0913 - a camera has this many knobs
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
    ) -> None:
        """Choose the input.

        Args:
            url: a file; a number or /dev/videoN for a webcam; rtsp://, rtmp://, srt://, udp:// for a live stream;
                any other URL that FFmpeg reads counts as a file.
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
        """
        self.url = f"/dev/video{url}" if str(url).isdigit() else str(url)
        self.name = name
        self.is_live = self.url.startswith((*_LIVE, "/dev/video"))
        self.loop = loop and not self.is_live
        self.realtime = realtime and not self.is_live
        self.fps = fps
        self.limit = limit
        self.timeout = timeout
        self.retry = retry
        self.retry_most = retry_most
        self.retries = retries
        self.threads = threads

    def work(self) -> Iterator[Frame]:
        """Give frames until the end, the limit or the stop.

        Raises:
            FileNotFoundError: the file is not there.
            ValueError: it holds no video.
            av.error.FFmpegError: the input failed (a live one: more than `retries` times in a row).
        """
        worker = sp.worker()
        name = self.name or worker.unit
        pictures = self._live(worker) if self.is_live else self._file()
        begin = time.monotonic()
        slot = -1
        index = 0
        for when, picture in pictures:
            if index >= self.limit or worker.stopping:
                return
            if self.fps < math.inf:
                if math.floor(when * self.fps + 1e-6) == slot:
                    continue
                slot = math.floor(when * self.fps + 1e-6)
            if self.realtime and worker.sleep(max(0.0, begin + when - time.monotonic())):
                return
            yield Frame(picture.to_ndarray(format="bgr24"), when, index, name)
            index += 1

    def _file(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Times and pictures of a file, times going on over loops."""
        offset = 0.0
        while True:
            end = offset
            with self._open() as container:
                for when, picture in self._pictures(container):
                    end = offset + when + 1 / _rate(container)
                    yield offset + when, picture
            if not self.loop or end == offset:
                return
            offset = end

    def _live(self, worker: sp.Worker) -> Iterator[tuple[float, av.VideoFrame]]:
        """Times and pictures of a live input, over any number of connections."""
        begin = math.nan
        failures = 0
        while not worker.stopping:
            try:
                container = self._open_unless_stopped(worker)
                if container is None:
                    return
                with container:
                    worker.logger.info("%s is open", self)
                    offset = math.nan
                    for when, picture in self._pictures(container, worker):
                        failures = 0
                        if math.isnan(offset):
                            now = time.monotonic()
                            begin = now if math.isnan(begin) else begin
                            offset = now - begin
                        yield offset + when, picture
                lost: Exception = EOFError("the sender ended the stream")
            except (OSError, ValueError, av.error.FFmpegError) as error:
                lost = error
            failures += 1
            if failures > self.retries:
                raise lost
            wait = min(self.retry_most, self.retry * 2 ** min(failures - 1, 30))
            if not worker.stopping:
                worker.logger.warning("%s is lost (%s); opening it again in %.1f s", self, _hidden(str(lost)), wait)
            if worker.sleep(wait):
                return

    def _pictures(
        self, container: av.container.InputContainer, worker: sp.Worker | None = None
    ) -> Iterator[tuple[float, av.VideoFrame]]:
        """Times, from 0, and pictures of one opened input, to its end."""
        if not container.streams.video:
            message = f"{self} has no video in it"
            raise ValueError(message)
        stream = container.streams.video[0]
        stream.codec_context.thread_count = self.threads
        first = math.nan
        last = -1 / _rate(container)
        for packet in self._packets(container, worker):
            for picture in packet.decode():
                assert isinstance(picture, av.VideoFrame), "only the video stream is demuxed"
                # A container without times (raw H.264) goes by the frame rate.
                when = picture.time if picture.time is not None else last + 1 / _rate(container)
                first = when if math.isnan(first) else first
                last = when
                yield when - first, picture

    def _packets(self, container: av.container.InputContainer, worker: sp.Worker | None) -> Iterator[av.Packet]:
        """Packets of the video. A read that was interrupted goes on where it was, so a silent camera holds up no stop."""
        heard = time.monotonic()
        while True:
            try:
                for packet in container.demux(container.streams.video[0]):
                    yield packet
                    heard = time.monotonic()
            except _INTERRUPTED:
                if worker is None or time.monotonic() - heard > self.timeout:
                    raise
                if worker.stopping:
                    return
            else:
                return

    def _open(self) -> av.container.InputContainer:
        if self.is_live:
            form = "v4l2" if self.url.startswith("/dev/") else None
            options = {"rtsp_transport": "tcp", "fflags": "nobuffer"} if self.url.startswith("rtsp") else {}
            return av.open(self.url, format=form, options=options, timeout=(self.timeout, _SLICE))
        if "://" not in self.url and not Path(self.url).is_file():
            message = f"{self}: no such file; give a file, a webcam's number, or a URL such as rtsp://..."
            raise FileNotFoundError(message)
        try:
            return av.open(self.url)
        except av.error.InvalidDataError as error:
            message = f"{self} is not a video that FFmpeg can read"
            raise ValueError(message) from error

    def _open_unless_stopped(self, worker: sp.Worker) -> av.container.InputContainer | None:
        """Open a live input; None when the worker was asked to stop meanwhile.

        Opening can't be interrupted and an unreachable host takes all of `timeout`, so a thread of its own does it and
        is left to its end at a stop.
        """
        opened: list[av.container.InputContainer | Exception] = []
        abandoned = threading.Event()

        def open_it() -> None:
            try:
                container = self._open()
            except Exception as error:  # noqa: BLE001 - raised again in the worker
                opened.append(error)
                return
            opened.append(container)
            if abandoned.is_set():
                container.close()

        thread = threading.Thread(target=open_it, name=f"open {self.name or worker.unit}", daemon=True)
        thread.start()
        thread.join(0.02)
        while thread.is_alive():
            # The one place that looks again and again: a thread in FFmpeg can wake nobody, and opening is rare.
            if worker.sleep(0.02):
                abandoned.set()
                return None
        if isinstance(opened[0], Exception):
            raise opened[0]
        return opened[0]

    def __repr__(self) -> str:
        return f"Camera({_hidden(self.url)!r})"


def _rate(container: av.container.InputContainer) -> float:
    """Frames a second, 25 where the input doesn't tell."""
    rate = container.streams.video[0].average_rate
    return float(rate) if rate else 25.0


def _hidden(text: str) -> str:
    """Without user names and passwords of URLs: this goes into logs."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)
