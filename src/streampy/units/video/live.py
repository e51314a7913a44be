"""Frames for a browser, while they come."""

from collections.abc import Iterable
from math import inf

import streampy as sp
from streampy.units.video.live_server import LiveServer
from streampy.units.video.metadata import line_of
from streampy.units.video.types import Face, Faces, Frame, Profile


class LiveVideo(sp.Unit):
    """Show frames to every browser that looks: the page `/` has all streams, `/video/NAME` is one for an `<img>`.

    What is known of each frame goes out as server-sent events, at `/events`. Who looks never slows the process: a frame
    is encoded once for all, by a thread of its own, only while somebody looks; who is slow sees fewer frames.
    Nothing is encrypted and nobody is asked for a password: choose another `host` in networks that you trust.
    """

    def __init__(
        self, *, port: int = 8080, host: str = "127.0.0.1", quality: int = 80, fps: float = 25.0, viewers: int = 32
    ) -> None:
        """Choose where.

        Args:
            port: of TCP; 0 for any that is free, which is told in the log.
            host: the address of this machine at which to listen; only programs of this machine reach 127.0.0.1, and
                everybody reaches "" (all addresses).
            quality: of JPEG, 1 to 100.
            fps: frames a second of a stream that are shown at the most.
            viewers: connections at once, two or more for each page that is open; further ones are closed.

        Raises:
            ValueError: quality or fps are out of range.

        """
        if not 1 <= quality <= 100:  # noqa: PLR2004 - as JPEG has it
            raise ValueError(f"quality: got {quality}, expected 1 to 100")
        if not 0 < fps <= inf:
            raise ValueError(f"fps: got {fps}, expected more than 0")
        self.server = LiveServer(host=host, port=port, quality=quality, fps=fps, viewers=viewers)

    def start(self) -> None:
        """Listen. Raises OSError where the port is taken, or the address not of this machine."""
        self.server.start()
        sp.worker().logger.info("live at %s", self.server.url)

    def work(self, frame: sp.Item[Frame]) -> None:
        """Show a frame; one that nobody may change any more."""
        self._show(frame, (), ())

    def _show(self, frame: sp.Item[Frame], faces: Iterable[Face], profiles: Iterable[Profile] | None) -> None:
        self.server.show(frame.stream, frame.value.image, lambda: line_of(frame, faces, profiles))

    def stop(self) -> None:
        """Send all viewers away."""
        self.server.close()


class LiveFaces(LiveVideo):
    """As LiveVideo; and what goes out beside the frames tells of the faces on them, as MetaWriter does."""

    def work(self, frame: sp.Item[Frame], faces: Faces, profiles: list[Profile] | None) -> None:  # type: ignore[override]
        """Show a frame, and tell whose faces are on it."""
        self._show(frame, faces, profiles)
