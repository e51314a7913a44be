"""What the page says when there is nothing, when what ran has ended, and when the server is gone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from tests.web.conftest import Page, end

pytest.importorskip("uvicorn", reason="streampy ui needs the extra `ui`")
pytest.importorskip("numpy")


def test_where_nothing_runs_it_says_how_to_start_something(driver, house):
    _, url = house.serve()
    page = Page(driver, url)
    page.open()
    page.until(lambda: "No process runs" in page.text(".empty"), "the empty page")
    assert "streampy run FILE" in page.text(".empty code")
    house.run("late")
    page.until(lambda: page.find('.card[data-unit="detect"]'), "the process that was started meanwhile")
    page.driver.get("about:blank")


def test_a_stopped_process_stays_to_be_looked_at(driver, house):
    process = house.run("short")
    _, url = house.serve()
    house.wait(url, "short")
    page = Page(driver, url)
    page.open()
    page.click(".verbs button", "Stop")
    page.click("dialog .main", "Stop")
    assert process.wait(30) is not None
    page.until(lambda: "has ended" in page.text(".limit"), "the page to say so")
    assert page.find('.card[data-unit="detect"]')
    page.driver.get("about:blank")


def test_a_lost_connection_is_told_and_comes_back(driver, house):
    house.run("steady")
    server, url = house.serve()
    house.wait(url, "steady")
    page = Page(driver, url)
    page.open()
    page.until(lambda: page.find(".card"), "the cards")
    end(server)
    page.until(lambda: "The connection is lost" in page.text("#banner"), "the page to say so")
    house.serve(urlsplit(url).port)
    page.until(lambda: page.script("return document.getElementById('banner').hidden"), "the connection")
    page.driver.get("about:blank")
