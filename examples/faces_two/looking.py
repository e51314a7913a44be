"""A browser looks at the live page while the example runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from examples.faces_two import browser

_SIZES = "[...document.images].map(image => `${image.naturalWidth}x${image.naturalHeight}`)"
_PICTURE = """(() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 64, height: 36});
  canvas.getContext("2d").drawImage(document.images[%d], 0, 0, 64, 36);
  return canvas.toDataURL();
})()"""


class Looking:
    """At a live page, with a browser."""

    def __init__(self, page: browser.Page) -> None:
        self._page = page

    def await_pictures(self, count: int) -> list[str]:
        """Until so many streams show a picture; returns the sizes of these."""
        has_all = f"document.images.length == {count} && [...document.images].every(image => image.naturalWidth)"
        self._page.wait_for(has_all)
        sizes: list[str] = self._page.value(_SIZES)
        return sizes

    def await_change(self, number: int = 0) -> None:
        """Until the picture of a stream is another one than it is now."""
        now = self._page.value(_PICTURE % number)
        self._page.wait_for(f"{_PICTURE % number} != '{now}'")

    def await_names(self, names: Sequence[str], *, at_once: int = 1) -> str:
        """Until each stream shows so many of these people at once; returns the page's text."""
        shown = f"(text => {list(names)!r}.filter(name => text.includes(name)).length >= {at_once})"
        captions = "[...document.querySelectorAll('figcaption')].map(one => one.innerText)"
        self._page.wait_for(f"{captions}.every({shown})")
        text: str = self._page.value("document.body.innerText")
        return text

    def screenshot(self, path: Path) -> None:
        """Write what is seen."""
        self._page.screenshot(path)


@contextmanager
def looked_at(url: str) -> Iterator[Looking | None]:
    """A browser at this address; None where there is no Chromium."""
    if browser.find() is None:
        yield None
        return
    with browser.opened(url) as page:
        yield Looking(page)
