"""A small real RTSP server for files: H.264 over RTP, interleaved in the TCP connection (RFC 2326, RFC 6184).

As a program: `python -m examples.faces_two.rtsp --port 8554 hall.mp4 door.mp4` serves rtsp://127.0.0.1:8554/hall and
/door to everybody who plays, from the beginning, in real time, again and again. It never drops a frame: who reads too
slowly gets them late.
"""

import argparse
import base64
import contextlib
import itertools
import math
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.bitstream import BitStreamFilterContext

_CLOCK = 90_000  # ticks a second, as RFC 6184 has it
_BEGIN = 12_345  # RTP times begin anywhere; FFmpeg takes a 0 for none
_MOST = 16_000  # bytes of a NAL unit in one packet; a larger one goes in parts
_FU_A, _FIRST, _LAST = 28, 0x80, 0x40
_SEQUENCE, _PICTURE = 7, 8  # the kinds of NAL units that say how to decode
_SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
c=IN IP4 127.0.0.1
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1{sprop}
a=control:track0
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame as it is sent: its NAL units, when (seconds from the beginning), and when it is shown."""

    units: list[bytes]
    due: float
    shown: float


@dataclass(frozen=True, slots=True)
class Video:
    """What is served: frames in the order in which they are decoded, and seconds from the beginning to the end."""

    frames: list[Sent]
    seconds: float

    @classmethod
    def of(cls, path: Path) -> "Video":
        """Read the H.264 of a file, without decoding it."""
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 25)
            annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
            packets = [out for packet in container.demux(stream) for out in annex_b.filter(packet)]
            tick = float(stream.time_base or 1 / _CLOCK)
        frames = [
            Sent(split(bytes(packet)), number / rate, (packet.pts or 0) * tick) for number, packet in enumerate(packets)
        ]
        return cls(frames, len(frames) / rate)


class RtspServer:
    """Serves videos by name to everybody who plays one. Listens, on loopback, from when it is made."""

    def __init__(self, videos: Mapping[str, Video], *, port: int = 0, loops: float = math.inf) -> None:
        """Port: 0 for any that is free. loops: how many times a video is played, before it is over."""
        self.videos = videos
        self.loops = loops
        self.played = 0
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self.over = threading.Event()
        """It is to vanish."""
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url_of(self, name: str) -> str:
        """Where a video is."""
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Vanish, with all connections."""
        self.over.set()
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
                video = self.videos.get(url.split("/")[3])
                connection.sendall(_answer(method, url, headers["CSeq"], video))
                if method == "PLAY" and video is not None:
                    self.played += 1
                    self._play(connection, video)
                    return

    def _play(self, connection: socket.socket, video: Video) -> None:
        number = itertools.count()
        for frame, wait in self._paced(video):
            if self.over.wait(wait):
                return
            when = (_BEGIN + round(frame.shown * _CLOCK)) & 0xFFFFFFFF
            for unit in frame.units:
                parts = list(_parts(unit))
                for part in parts:
                    mark = 0x80 if unit is frame.units[-1] and part is parts[-1] else 0
                    packet = struct.pack("!BBHII", 0x80, mark | 96, next(number) & 0xFFFF, when, 1) + part
                    connection.sendall(struct.pack("!cBH", b"$", 0, len(packet)) + packet)
        self.ended()
        connection.shutdown(socket.SHUT_RDWR)

    def ended(self) -> None:
        """Do what comes between the last frame and the end of the connection."""

    def _paced(self, video: Video) -> Iterator[tuple[Sent, float]]:
        """Each frame of all loops, and seconds to wait before it is due."""
        begin = time.monotonic()
        for loop in itertools.count():
            if loop >= self.loops:
                return
            for frame in video.frames:
                due, shown = (loop * video.seconds + when for when in (frame.due, frame.shown))
                yield Sent(frame.units, due, shown), max(0.0, begin + due - time.monotonic())


def split(stream: bytes) -> list[bytes]:
    """Give the NAL units of a byte stream (Annex B)."""
    return [unit for unit in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]


def _parts(unit: bytes) -> Iterator[bytes]:
    """A NAL unit as payloads of packets: as it is, or fragmented (FU-A)."""
    if len(unit) <= _MOST:
        yield unit
        return
    head, body = unit[0], unit[1:]
    for at in range(0, len(body), _MOST):
        mark = (_FIRST if at == 0 else 0) | (_LAST if at + _MOST >= len(body) else 0)
        yield bytes([head & 0xE0 | _FU_A, mark | head & 0x1F]) + body[at : at + _MOST]


def _answer(method: str, url: str, number: str, video: Video | None) -> bytes:
    if video is None and method != "OPTIONS":
        return f"RTSP/1.0 404 Not Found\r\nCSeq: {number}\r\n\r\n".encode()
    body = _described(video) if method == "DESCRIBE" and video is not None else ""
    more = {
        "OPTIONS": ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"],
        "DESCRIBE": ["Content-Type: application/sdp", f"Content-Base: {url}/", f"Content-Length: {len(body)}"],
        "SETUP": ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"],
    }.get(method, [])
    return "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {number}", "Session: 1", *more, "", body]).encode()


def _described(video: Video) -> str:
    """How to decode it, in SDP."""
    sets = [unit for unit in video.frames[0].units if unit[0] & 0x1F in {_SEQUENCE, _PICTURE}]
    sprop = ",".join(base64.b64encode(unit).decode() for unit in sets)
    return _SDP.format(sprop=f";sprop-parameter-sets={sprop}" if sets else "").replace("\n", "\r\n")


def main() -> None:
    """Serve until it is ended; tells one line when it listens."""
    parser = argparse.ArgumentParser(prog="python -m examples.faces_two.rtsp", description=__doc__)
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    with RtspServer({path.stem: Video.of(path) for path in options.files}, port=options.port) as server:
        print("serving", *(server.url_of(name) for name in server.videos), flush=True)
        server.over.wait()


if __name__ == "__main__":
    main()
