"""A headless Chromium that opens a page and looks at it, by the DevTools protocol over a pair of pipes."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_PATIENCE = 30.0
"""Seconds in which it must answer, and a page show what is awaited."""


def find() -> str | None:
    """The path of a Chromium; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def opened(url: str, *, width: int = 1280, height: int = 424) -> Iterator["Page"]:
    """Open a page; at the end the browser is gone, with all that it has written.

    Raises:
        FileNotFoundError: there is no Chromium.

    """
    program = find()
    if program is None:
        raise FileNotFoundError("there is no chromium here: apt-get install chromium")
    reads, answers = os.pipe()
    asked, writes = os.pipe()
    with tempfile.TemporaryDirectory(prefix="chromium") as profile:
        # It reads from file 3 and writes to file 4, whatever numbers they have here.
        command = f'exec "$0" "$@" 3<&{asked} 4>&{answers}'
        browser = subprocess.Popen(  # noqa: S603 - our own command
            ["/bin/bash", "-c", command, program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            env={**os.environ, "HOME": profile, "TMPDIR": profile},
            pass_fds=(asked, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(asked)
        os.close(answers)
        try:
            page = Page(reads, writes)
            page.resize(width, height)
            page.go_to(url)
            yield page
            page.close()
            browser.wait(_PATIENCE)
        finally:
            if browser.poll() is None:
                os.killpg(browser.pid, 9)
                browser.wait()
            os.close(reads)
            os.close(writes)


class Page:
    """One page of a browser."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._came = b""
        self._number = 0
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]

    def resize(self, width: int, height: int) -> None:
        """Set the size of what is seen, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", session=True, **size)

    def go_to(self, url: str) -> None:
        """Open an address; does not wait until all of it is there: a live page never is."""
        self._ask("Page.navigate", session=True, url=url)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives on the page, as JSON has it; a promise is awaited."""
        told = self._ask("Runtime.evaluate", session=True, expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Look until a JavaScript expression holds; returns what it gives."""
        until = time.monotonic() + _PATIENCE
        while not (value := self.value(expression)):
            if time.monotonic() > until:
                raise TimeoutError(f"{expression} did not hold within {_PATIENCE} s")
            time.sleep(0.05)
        return value

    def screenshot(self, path: Path) -> None:
        """Write what is seen, as JPEG."""
        taken = self._ask("Page.captureScreenshot", session=True, format="jpeg", quality=85)
        path.write_bytes(base64.b64decode(taken["data"]))

    def close(self) -> None:
        """End the browser."""
        self._ask("Browser.close")

    def _ask(self, method: str, *, session: bool = False, **parameters: Any) -> Any:
        self._number += 1
        said = {"id": self._number, "method": method, "params": parameters}
        if session:
            said["sessionId"] = self._session
        os.write(self._writes, json.dumps(said).encode() + b"\0")
        while True:
            answer = self._hear()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _hear(self) -> dict[str, Any]:
        """The next message; what only happens, and answers nothing, is among them."""
        until = time.monotonic() + _PATIENCE
        while b"\0" not in self._came:
            ready, _, _ = select([self._reads], [], [], max(0.0, until - time.monotonic()))
            read = os.read(self._reads, 1 << 20) if ready else b""
            if not read:
                raise TimeoutError(f"the browser is gone, or did not answer within {_PATIENCE} s")
            self._came += read
        message, _, self._came = self._came.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
