"""Pictures out of one opened input, by PyAV; and of a live one, by a thread that may be left behind.

Knows nothing of reconnecting, pacing or frames.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Self, TypeAlias

import av
import av.container
import av.error

from streampy.units.video.hidden import hidden

Container: TypeAlias = av.container.InputContainer

_AHEAD = 2  # pictures that a live reader holds ready; all further waiting is the pipes' affair
_LOOK = 0.1  # seconds after which a worker that waits for a silent camera looks whether it is to stop


class Picture(NamedTuple):
    """A decoded picture, not yet converted to pixels."""

    time: float
    """Seconds since the first picture of the input."""
    picture: av.VideoFrame


def pictures(container: Container, *, threads: int) -> Iterator[Picture]:
    """Decode the first video stream to its end; the interpreter lock is free meanwhile.

    Raises:
        ValueError: there is no video in it.
        av.error.FFmpegError: it can't be read on.

    """
    if not container.streams.video:
        raise ValueError(f"{hidden(container.name)} has no video in it")
    stream = container.streams.video[0]
    stream.codec_context.thread_count = threads
    period = 1 / frame_rate(container)
    first, last = math.nan, -period
    for packet in container.demux(stream):
        for picture in packet.decode():
            if not isinstance(picture, av.VideoFrame):  # can't be: only the video was asked for
                continue
            # An input without times (raw H.264) goes by the frame rate.
            when = last + period if picture.time is None else picture.time
            first = when if math.isnan(first) else first
            last = when
            yield Picture(when - first, picture)


def frame_rate(container: Container) -> float:
    """Frames a second, 25 where the input doesn't tell."""
    rate = container.streams.video[0].average_rate
    return float(rate) if rate else 25.0


class LiveReader:
    """One connection to a live input, opened and read by a thread of its own.

    FFmpeg can be woken neither while it connects nor while it waits for a silent camera, and a stop must wait for
    neither. (Short time-outs that are tried again are no way: after one, RTSP gave pictures without times.)
    """

    def __init__(self, open_input: Callable[[], Container], *, threads: int, timeout: float, name: str) -> None:
        """Begin to connect. `timeout`: seconds without a picture after which the connection counts as lost."""
        self._open = open_input
        self._threads = threads
        self._timeout = timeout
        self._changed = threading.Condition()
        self._ready: deque[Picture] = deque()
        self._ended = False
        self._error: Exception | None = None
        self._abandoned = False
        self._thread = threading.Thread(target=self._read, name=f"streampy read {name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def pictures(self, is_stopping: Callable[[], bool]) -> Iterator[Picture]:
        """Give pictures until the sender ends, or within 0.1 s of `is_stopping`.

        Raises:
            TimeoutError: no picture came for `timeout` seconds.
            Exception: what opening or reading raised.

        """
        while not is_stopping():
            with self._changed:
                heard = time.monotonic()
                # The one wait that looks up: a worker's stop can't wake a condition of the unit's own.
                while not self._changed.wait_for(lambda: self._ready or self._ended, _LOOK):
                    if is_stopping():
                        return
                    if time.monotonic() - heard > self._timeout:
                        raise TimeoutError(f"no picture for {self._timeout} s")
                if not self._ready:
                    break
                picture = self._ready.popleft()
                self._changed.notify_all()
            yield picture
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Let go of the connection. The thread closes it, at its next picture or after `timeout`; nobody waits."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def _read(self) -> None:
        try:
            with self._open() as container:
                for picture in pictures(container, threads=self._threads):
                    if not self._hand_over(picture):
                        return
        except Exception as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _hand_over(self, picture: Picture) -> bool:
        """Wait until there is room; False when nobody wants pictures any more."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._ready) < _AHEAD or self._abandoned)
            self._ready.append(picture)
            self._changed.notify_all()
            return not self._abandoned
