"""A real browser, a real `streampy ui`, and real processes in a folder of their own.

Where there is no browser, all of it is skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "src/streampy/web/page"
PATIENCE = 30.0
"""Seconds in which the page shows what it should: a bound for a busy machine, not a measure."""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1500,900",
)
UNITS = '''
import time
from collections.abc import Iterator

import numpy as np

import streampy as sp


def camera(*, fps: float = 25.0) -> Iterator[np.ndarray]:
    """Give a frame, so many a second."""
    while not sp.worker().sleep(1 / fps):
        yield np.zeros((24, 32, 3), np.uint8)


class Detect(sp.Unit):
    """Find what is there."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def work(self, frame: np.ndarray) -> int:
        if self.threshold > 1:
            raise ValueError("<b>no</b> threshold is above 1")
        until = time.perf_counter() + 0.004
        while time.perf_counter() < until:
            frame.mean()
        return int(frame.mean())

    def change(self, *, threshold: float) -> None:
        if threshold < 0:
            raise ValueError("a threshold is at least 0")
        self.threshold = threshold

    @sp.event("font")
    def set_font(self, size: int) -> str:
        """Change the size of the font."""
        return f"font {size}"


def show(found: int) -> None:
    """The end."""
'''
PROCESS = """
process: {name}
units:
  camera: {{use: "units:camera"}}
  detect:
    use: units:Detect
    from: camera
    place: own
    workers: {{min: 1, max: 2}}
    pipe: {{capacity: 16, overflow: drop_oldest}}
    on_error: {{then: skip}}
    on_crash: restart
  show: {{use: "units:show", from: detect}}
"""


class Page:
    """What a person does with the page, and what they see."""

    def __init__(self, driver: Any, url: str = "") -> None:
        self.driver, self.url = driver, url

    def open(self, place: str = "") -> None:
        self.driver.get("about:blank")  # a page that only gets another fragment is not loaded anew
        self.driver.get(f"{self.url}{place}")

    def find(self, css: str) -> list[Any]:
        return self.driver.find_elements("css selector", css)

    def text(self, css: str) -> str:
        """As it stands in the page, whether or not it is scrolled to."""
        return self.script("return [...document.querySelectorAll(arguments[0])].map(n => n.textContent).join(' ')", css)

    def click(self, css: str, text: str = "") -> None:
        """The first that can be clicked, with that text; there once it is."""
        js = (
            "const fits = n => !n.disabled && n.checkVisibility() && (!arguments[1] || n.textContent === arguments[1]);"
            "const found = [...document.querySelectorAll(arguments[0])].find(fits);"
            "found?.click(); return Boolean(found)"
        )
        self.until(lambda: self.script(js, css, text), f"{css} {text} to click")

    def type(self, css: str, text: str) -> None:
        (field,) = self.find(css)
        field.clear()
        field.send_keys(text)

    def keys(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def until(self, condition: Callable[[], Any], what: str, *, within: float = PATIENCE) -> Any:
        """Look until it holds. @returns what it gave"""
        end = monotonic() + within
        while True:
            found = condition()
            if found:
                return found
            if monotonic() > end:
                problems = self.driver.get_log("browser")
                pytest.fail(
                    f"{what}: not seen in {within} s; the browser says {problems}; notes: {self.text('.note, .told')}"
                )
            sleep(0.05)

    def api(self, path: str) -> Any:
        return ask(f"{self.url}{path}")

    def unit(self, process: str, unit: str) -> Any:
        """Its figures, as the server tells them."""
        (segment,) = self.api(f"api/processes/{process}")["segments"]
        return segment["stats"]["units"][unit]

    def complaints(self) -> list[str]:
        """What the browser itself objected to, the policy about scripts and styles among it."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        return json.load(answer)


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> Iterator[Any]:
    """One browser for all tests."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and chromedriver and find_spec("selenium")):
        pytest.skip("no browser: apt-get install chromium chromium-driver, and the dependency group `browser`")
    from selenium import webdriver  # noqa: PLC0415 - only where it is
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, Service(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def files(driver) -> Iterator[Page]:
    """The files of the page, for tests of its modules by themselves."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(PAGE))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Page(driver, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


class Silent(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing about it."""

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class House:
    """A folder in which `streampy run` and `streampy ui` find each other, and nobody else."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self.folder, self.ends = folder, ends
        (folder / "units.py").write_text(UNITS)
        sockets = ends.enter_context(
            TemporaryDirectory(prefix="streampy-", dir="/tmp")
        )  # the path of a socket is short
        self.env = {**os.environ, "STREAMPY_RUNTIME_DIR": sockets, "PYTHONUNBUFFERED": "1"}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Its last words go into a file: nobody would read them from a pipe, which would fill."""
        with (self.folder / f"{words[0]}.log").open("wb") as log:
            command = [sys.executable, "-m", "streampy", *words]
            started = subprocess.Popen(command, cwd=self.folder, env=self.env, stderr=log, stdin=subprocess.DEVNULL)
        self.ends.callback(end, started)
        return started

    def run(self, name: str = "faces") -> subprocess.Popen[bytes]:
        path = self.folder / f"{name}.yaml"
        path.write_text(PROCESS.format(name=name))
        return self.start("run", path.name)

    def serve(self, port: int = 0) -> tuple[subprocess.Popen[bytes], str]:
        server = self.start("ui", "--port", str(port))
        until = monotonic() + PATIENCE
        while monotonic() < until and server.poll() is None:
            found = re.search(r"http://\S+", self.said("ui"))
            if found:
                return server, found[0]
            sleep(0.05)
        pytest.fail(f"streampy ui does not serve: {self.said('ui')}")

    def said(self, command: str) -> str:
        return (self.folder / f"{command}.log").read_text()

    def wait(self, url: str, process: str) -> None:
        """Until the process has its first figures."""
        until = monotonic() + PATIENCE
        while monotonic() < until:
            (found,) = [one for one in ask(f"{url}api/snapshot")["processes"] if one["process"] == process] or [None]
            if found and all(one["stats"] and one["state"] == "running" for one in found["segments"]):
                return
            sleep(0.05)
        pytest.fail(f"{process} does not run: {ask(f'{url}api/system')}; {self.said('run')}")


def end(started: subprocess.Popen[bytes]) -> None:
    started.send_signal(signal.SIGTERM)
    try:
        started.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()


@contextmanager
def house_in(folder: Path) -> Iterator[House]:
    with ExitStack() as ends:
        yield House(folder, ends)


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    """A folder of this test alone."""
    with house_in(tmp_path) as built:
        yield built


@pytest.fixture(scope="session")
def shown(driver, tmp_path_factory) -> Iterator[Page]:
    """The page of a server that sees one running process, `faces`, which all tests leave as they found it."""
    pytest.importorskip("uvicorn", reason="streampy ui needs the extra `ui`")
    pytest.importorskip("numpy")
    with house_in(tmp_path_factory.mktemp("house")) as built:
        built.run()
        _, url = built.serve()
        built.wait(url, "faces")
        yield Page(driver, url)


@pytest.fixture
def page(shown) -> Page:
    """It, freshly opened."""
    shown.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    shown.open()
    shown.until(lambda: shown.find('.card[data-unit="detect"]'), "the card of detect")
    shown.complaints()
    return shown
