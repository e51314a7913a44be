"""A small real RTSP server for one camera: H.264 over RTP, interleaved in the TCP connection (RFC 2326, RFC 6184).

It can be cut off, restarted on its port, and be silent while connected, which is what cameras do to their readers.
"""

import contextlib
import itertools
import socket
import struct
import threading
from types import TracebackType
from typing import Self

import av
import numpy as np

_SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
c=IN IP4 127.0.0.1
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
a=control:track0
"""


class RtspServer:
    """Serves `frames` frames to everybody who plays, at `rate` a second, and then falls silent or hangs up."""

    def __init__(self, *, port: int = 0, frames: int = 25, rate: float = 100, silent_after: bool = False) -> None:
        self.units = encode(frames)
        self.rate = rate
        self.silent_after = silent_after
        self.played = 0
        self.is_silent = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self.port}/live"
        self._over = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Vanish, with all connections."""
        self._over.set()
        for one in [self._listening, *self._connections]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as requests:
            while line := requests.readline():
                if not line[:1].isalpha():
                    return
                method, url, _ = line.decode().split()
                headers = dict(header.decode().rstrip().split(": ", 1) for header in iter(requests.readline, b"\r\n"))
                connection.sendall(_answer(method, url, headers["CSeq"]))
                if method == "PLAY":
                    self.played += 1
                    self._play(connection)
                    return

    def _play(self, connection: socket.socket) -> None:
        number = itertools.count()
        for index, units in enumerate(self.units):
            for unit in units:
                last = 0x80 if unit is units[-1] else 0
                when = int(index * 90_000 / self.rate)
                packet = struct.pack("!BBHII", 0x80, last | 96, next(number), when, 1) + unit
                connection.sendall(struct.pack("!cBH", b"$", 0, len(packet)) + packet)
            if self._over.wait(1 / self.rate):
                return
        if self.silent_after:
            self.is_silent.set()
            self._over.wait()
        connection.shutdown(socket.SHUT_RDWR)


def _answer(method: str, url: str, number: str) -> bytes:
    body = _SDP.replace("\n", "\r\n") if method == "DESCRIBE" else ""
    more = {
        "OPTIONS": ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"],
        "DESCRIBE": ["Content-Type: application/sdp", f"Content-Base: {url}/", f"Content-Length: {len(body)}"],
        "SETUP": ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"],
    }.get(method, [])
    return "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {number}", "Session: 1", *more, "", body]).encode()


def encode(frames: int) -> list[list[bytes]]:
    """NAL units of each frame, frames getting brighter."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt, codec.framerate = 64, 48, "yuv420p", 25  # type: ignore[assignment]
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5"}
    pictures = [av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * i % 255, np.uint8), "bgr24") for i in range(frames)]
    packets = [bytes(packet) for picture in [*pictures, None] for packet in codec.encode(picture)]
    return [[unit for unit in packet.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit] for packet in packets]
