"""Frames for a browser: whoever looks sees the newest, and nobody who looks is waited for."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from typing import Self

import cv2
import numpy as np
import pytest
from examples.faces_two import browser, looking

import streampy as sp
from streampy.units.video import Box, Face, Faces, Frame, LiveFaces, LiveVideo, Profile
from streampy.units.video.live_server import LiveServer


def picture(grey: int, *, side: int = 48) -> np.ndarray:
    """Give a picture of one grey."""
    return np.full((side, side, 3), grey, np.uint8)


def nothing() -> dict[str, object]:
    """Give nothing to tell."""
    return {}


def live(**settings: object) -> LiveServer:
    """Give a server of this test."""
    return LiveServer(**{"host": "127.0.0.1", "port": 0, "quality": 90, "fps": float("inf"), "viewers": 8, **settings})


class Viewer:
    """Somebody who looks."""

    def __init__(self, server: LiveServer, path: str, *, host: str = "") -> None:
        self._connection = HTTPConnection(server.url.split("/")[2], timeout=20)
        self._connection.request("GET", path, headers={"Host": host} if host else {})
        self.answer: HTTPResponse = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self._connection.close()

    def grey(self) -> int:
        """Of the next picture."""
        return round(float(cv2.imdecode(np.frombuffer(self.jpeg(), np.uint8), cv2.IMREAD_COLOR).mean()))

    def jpeg(self) -> bytes:
        """The next picture."""
        assert self.answer.readline() == b"--picture\r\n"
        headers = dict(line.decode().strip().split(": ") for line in iter(self.answer.readline, b"\r\n"))
        assert headers["Content-Type"] == "image/jpeg"
        found = self.answer.read(int(headers["Content-Length"]))
        assert self.answer.readline() == b"\r\n"
        return found

    def event(self) -> tuple[str, object]:
        """What is told next."""
        lines = [line.decode().strip() for line in iter(self.answer.readline, b"\n")]
        name, data = (line.partition(": ")[2] for line in lines)
        return name, json.loads(data)


def test_who_looks_sees_what_was_shown_last_and_then_what_comes() -> None:
    with live() as server:
        server.show("cam", picture(10), nothing)
        server.show("cam", picture(90), nothing)
        with Viewer(server, "/video/cam") as viewer:
            assert viewer.answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
            assert viewer.grey() == 90
            server.show("cam", picture(200), nothing)
            assert viewer.grey() == 200


def test_a_picture_is_encoded_once_for_all_and_only_where_somebody_looks() -> None:
    with live() as server:
        for grey in range(20):
            server.show("cam", picture(grey), nothing)
        assert "1 streams, 0 pictures encoded, 0 viewers" in repr(server)

        with Viewer(server, "/video/cam") as one, Viewer(server, "/video/cam") as two:
            assert one.jpeg() == two.jpeg()
            assert "1 pictures encoded, 2 viewers" in repr(server)


def test_a_viewer_that_does_not_read_holds_up_nobody_and_misses_pictures() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    with live() as server:
        server.show("cam", noise, nothing)
        with Viewer(server, "/video/cam") as slow, Viewer(server, "/video/cam") as quick:
            for _ in range(60):
                quick.jpeg()
                server.show("cam", noise, nothing)
            server.show("cam", picture(200), nothing)
            seen = next(number for number in count() if len(slow.jpeg()) < 10_000)
    assert seen < 60


def test_what_is_known_of_frames_is_told_beside_them() -> None:
    with live() as server, Viewer(server, "/events") as viewer:
        assert viewer.event() == ("streams", [])
        server.show("cam", picture(1), lambda: {"stream": "cam", "seq": 7})
        assert viewer.event() == ("streams", ["cam"])
        assert viewer.event() == ("item", {"stream": "cam", "seq": 7})


def test_a_server_that_closes_sends_its_viewers_away() -> None:
    server = live()
    server.start()
    server.show("cam", picture(1), nothing)
    with Viewer(server, "/video/cam") as viewer, Viewer(server, "/events") as other:
        viewer.jpeg()
        other.event()
        server.close()
        server.close()
        assert (viewer.answer.read(), other.answer.read()) == (b"", b"")


def test_no_more_are_let_in_than_was_said() -> None:
    with live(viewers=1) as server:
        server.show("cam", picture(1), nothing)
        with Viewer(server, "/video/cam") as viewer:
            viewer.jpeg()
            with socket.create_connection(("127.0.0.1", int(server.url.split(":")[2].strip("/")))) as other:
                assert other.recv(1) == b""


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/", "", 200),
        ("/", "localhost:8080", 200),
        ("/", "evil.example", 403),
        ("/", "[", 403),
        ("//[", "", 404),
        ("/video/other", "", 404),
        ("/secret", "", 404),
    ],
)
def test_what_is_not_there_and_who_means_somebody_else_is_told_so(path: str, host: str, status: int) -> None:
    with live() as server, Viewer(server, path, host=host) as viewer:
        assert viewer.answer.status == status


def test_a_picture_that_can_not_be_encoded_is_an_error_of_who_shows() -> None:
    with live() as server:
        server.show("cam", np.zeros((4, 4, 5), np.uint8), nothing)
        with Viewer(server, "/video/cam") as viewer:
            assert viewer.answer.read() == b""
        with pytest.raises(cv2.error, match="channels"):
            server.show("cam", picture(1), nothing)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="quality: got 0, expected 1 to 100"):
        LiveVideo(quality=0)
    with pytest.raises(ValueError, match="fps: got 0, expected more than 0"):
        LiveVideo(fps=0)


FACE = Face(Box(0.1, 0.2, 0.3, 0.4), np.zeros((5, 2), np.float32), 0.99)


def frames(*, name: str = "hall") -> Iterator[Frame]:
    """Give frames for ever, each of another color."""
    for number in count():
        if sp.worker().sleep(0.02):
            return
        image = np.full((90, 160, 3), (number * 7 % 255, 90, 200), np.uint8)
        yield Frame(image, number * 0.02, number, name)


def faces(frame: Frame) -> Faces:
    """Find one face on every frame."""
    return Faces((FACE,))


def profile(faces: Faces) -> Iterator[Profile]:
    """Know whose it is."""
    for face in faces:
        yield Profile("Ada Lovelace", 0.25, face)


@pytest.mark.skipif(browser.find() is None, reason="there is no chromium here")
def test_a_browser_shows_the_pictures_and_whose_faces_are_on_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    process = sp.Process("shown")
    process.add("hall", frames).add("door", frames, name="door")
    process.add("find", faces, from_=["hall", "door"]).add("identify", profile, from_="find")
    process.add("live", LiveFaces, port=0, from_={"frame": ["hall", "door"], "faces": "find", "profiles": "identify"})
    with sp.run(process) as running:
        waiting = threading.Thread(target=running.wait)
        waiting.start()
        (url,) = (record.args[0] for record in caplog.records if record.msg == "live at %s")
        with looking.looked_at(url) as view:
            assert view.await_pictures(2) == ["160x90", "160x90"]
            view.await_change(0)
            view.await_change(1)
            text = view.await_names(["Ada Lovelace"])
        running.stop()
        waiting.join()
    assert "hall" in text
    assert "door" in text
    assert running.stats().ledger.balanced
