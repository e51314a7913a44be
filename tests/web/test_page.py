"""The page in a real browser, of a real process: each button does what it says, and what happens is seen."""

from __future__ import annotations

import os
import signal
import sys
from time import monotonic

import pytest

DETECT = '.card[data-unit="detect"]'
ESCAPE, ENTER, RIGHT, LEFT = "\ue00c", "\ue007", "\ue014", "\ue012"


def opened(page, unit="detect"):
    page.click(f'.card[data-unit="{unit}"]')
    page.until(lambda: page.text("#panel h2") == unit, f"the panel of {unit}")
    page.script("document.querySelectorAll('#panel details').forEach(one => { one.open = true; })")


def test_each_unit_is_a_card_in_the_room_of_its_segment(page):
    assert ["camera", "detect", "show"] == sorted(card.get_attribute("data-unit") for card in page.find(".card"))
    assert "pid" in page.text('.room[data-room=""] .where')
    assert 2 == len(page.find(".link"))


def test_figures_come_by_themselves(page):
    page.until(lambda: page.text(f"{DETECT} .rate")[0] in "123456789", "a rate")
    page.until(lambda: page.text(f"{DETECT} .work").endswith("ms"), "a time of work")
    page.until(lambda: page.script("return document.querySelector('.hops .strip').children.length"), "hops")
    page.until(lambda: page.text(".limit .text") not in {"", "Measuring …"}, "the sentence on what limits it")


def test_a_link_shows_flow(page):
    moves = "return document.querySelector('.link').run.playState === 'running'"
    page.until(lambda: page.script(moves), "drops that move")


def test_a_link_stands_still_for_those_who_want_no_motion(page):
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    )
    page.until(lambda: page.script("return document.querySelector('.link').run.playState === 'paused'"), "no motion")


def test_pause_and_resume_of_the_process(page):
    def state():
        return page.api("api/processes/faces")["segments"][0]["state"]

    page.click(".verbs button", "Pause")
    page.until(lambda: state() == "paused", "the process to be paused")
    page.until(lambda: page.text(".which .pill") == "paused", "the page to say so")
    page.click(".verbs button", "Resume")
    page.until(lambda: state() == "running", "the process to go on")


def test_pause_by_key(page):
    page.keys("p")
    page.until(lambda: page.text(".which .pill") == "paused", "the process to be paused")
    page.keys("p")
    page.until(lambda: page.text(".which .pill") == "running", "the process to go on")


@pytest.mark.parametrize(("verb", "state", "back"), [("pause", "held", "resume"), ("stop", "stopped", "start")])
def test_a_unit_is_halted_and_goes_on(page, verb, state, back):
    opened(page)
    page.click(f'#panel [data-do="{verb}"]')
    if verb == "stop":
        page.click("dialog .main", "Stop")
    page.until(lambda: page.unit("faces", "detect")["state"] == state, f"detect to be {state}")
    page.until(lambda: "held" in page.find(DETECT)[0].get_attribute("class"), "its card to show it")
    page.click(f'#panel [data-do="{back}"]')
    page.until(lambda: page.unit("faces", "detect")["state"] == "running", "detect to go on")


def test_restart_makes_the_workers_anew(page):
    opened(page)
    before = [worker["pid"] for worker in page.unit("faces", "detect")["crew"]]
    page.click('#panel [data-do="restart"]')
    page.until(lambda: page.text(".note") != "", "an answer")
    assert "detect is made anew" == page.text(".note")
    page.until(lambda: page.unit("faces", "detect")["state"] == "running", f"detect, which had {before}, to work")


def test_what_can_not_be_taken_back_is_asked_first(page):
    page.click(".verbs button", "Kill")
    assert "Kill faces?" == page.text("dialog h2")
    page.click("dialog button", "Cancel")
    page.until(lambda: not page.find("dialog"), "the question to go")
    assert "running" == page.api("api/processes/faces")["segments"][0]["state"]


def test_scale_changes_the_number_of_workers(page):
    opened(page)
    page.click('#panel [data-do="more"]')
    page.until(lambda: page.unit("faces", "detect")["workers"] == 2, "two workers")
    page.until(lambda: page.script("return document.querySelectorAll('#panel .crew li').length") == 2, "two lines")
    page.click('#panel [data-do="less"]')
    page.until(lambda: page.unit("faces", "detect")["workers"] == 1, "one worker")


def test_settings_are_changed_while_it_runs(page):
    opened(page)
    page.type('[id="set-detect-threshold"]', "0.75")
    page.click('[data-do="set"]')
    page.until(lambda: page.unit("faces", "detect")["settings"]["threshold"] == 0.75, "the new threshold")
    page.until(lambda: page.text("#panel .told").strip() == "set threshold", "the page to say so")


def test_a_value_of_another_type_is_told_and_not_sent(page):
    opened(page)
    before = page.unit("faces", "detect")["settings"]
    page.type('[id="set-detect-threshold"]', "much")
    page.click('[data-do="set"]')
    page.until(lambda: 'threshold: "much" is no number' in page.text("#panel .told"), "what is wrong")
    assert before == page.unit("faces", "detect")["settings"]


def test_a_value_that_the_unit_refuses_is_told_in_its_words(page):
    opened(page)
    page.type('[id="set-detect-threshold"]', "-1")
    page.click('[data-do="set"]')
    page.until(lambda: "a threshold is at least 0" in page.text("#panel .told.bad"), "the unit's own words")


def test_an_event_is_fired_and_its_answer_shown(page):
    opened(page)
    page.type('[id="event-detect-font-size"]', "14")
    page.click('[data-do="fire"]')
    page.until(lambda: "answered: font 14" in page.text(".event .told"), "the answer")


def test_a_peek_shows_the_pictures_that_pass(page):
    opened(page)
    page.click('[data-do="peek"]')
    sources = "return [...document.querySelectorAll('.item img')].filter(n => n.naturalWidth > 0).map(n => n.src)"
    shown = page.until(lambda: page.script(sources), "a picture")
    assert all(source.startswith("data:image/") for source in shown)
    assert "24 \N{MULTIPLICATION SIGN} 32" in page.text(".item")


def test_a_profile_is_drawn_as_bars(page):
    opened(page)
    page.script("document.querySelector('#panel select[aria-label=Seconds]').value = '1'")
    page.click('[data-do="profile"]')
    page.until(lambda: "Detect.work" in page.text(".flame title"), "the bar of Detect.work")


def test_an_error_is_shown_with_its_item_and_traceback_as_text(page):
    opened(page)
    page.type('[id="set-detect-threshold"]', "2")
    page.click('[data-do="set"]')
    page.until(lambda: "ValueError: <b>no</b> threshold" in page.text("#panel .error .text"), "the error")
    page.type('[id="set-detect-threshold"]', "0.5")
    page.click('[data-do="set"]')
    assert "camera" in page.text("#panel .error .meta")
    assert "in work" in page.text("#panel .error pre")
    assert not page.find(".error b")
    page.until(lambda: page.text(f"{DETECT} .badge.failed").startswith("!"), "the badge of the card")
    page.click(".tab", f"Errors{page.text('.tab .count.bad')}")
    page.until(lambda: page.find(".drawer-body .error"), "the error in the drawer")
    page.until(lambda: page.unit("faces", "detect")["settings"]["threshold"] == 0.5, "the threshold that was")


@pytest.mark.alone
def test_a_killed_worker_is_seen_within_two_seconds(page):
    (worker,) = page.unit("faces", "detect")["crew"]
    before = page.text(f"{DETECT} .badge.restarted")
    os.kill(worker["pid"], signal.SIGKILL)
    killed = monotonic()
    page.until(lambda: page.text(f"{DETECT} .badge.restarted") != before, "the badge of the replaced worker")
    taken = monotonic() - killed
    sys.stdout.write(f"seen after {taken:.2f} s\n")
    assert taken < 2


def test_arrows_walk_enter_opens_and_escape_closes(page):
    page.script("document.querySelector('.card[tabindex=\"0\"]').focus()")
    page.keys(RIGHT)
    assert "detect" == page.script("return document.activeElement.dataset.unit")
    page.keys(ENTER)
    page.until(lambda: page.text("#panel h2") == "detect", "the panel of detect")
    page.keys(ESCAPE)
    page.until(lambda: page.script("return document.getElementById('panel').hidden"), "no panel")
    page.keys(LEFT)
    assert "camera" == page.script("return document.activeElement.dataset.unit")


def test_search_finds_a_unit_by_a_part_of_its_name(page):
    page.keys("/")
    page.keys("tec")
    page.keys(ENTER)
    page.until(lambda: page.text("#panel h2") == "detect", "the panel of detect")


def test_help_tells_the_keys(page):
    page.keys("?")
    page.until(lambda: "from unit to unit" in page.text("dialog"), "the keys")
    page.keys(ESCAPE)


def test_an_address_leads_back_to_what_was_looked_at(page):
    opened(page)
    assert page.driver.current_url.endswith("#process=faces&unit=detect")
    page.open("#process=faces&unit=show")
    page.until(lambda: page.text("#panel h2") == "show", "the panel of show")


def test_light_and_dark_follow_the_system_until_one_is_chosen(page):
    def theme():
        return page.script("return document.documentElement.dataset.theme")

    def prefer(value):
        page.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": value}]}
        )

    prefer("light")
    page.until(lambda: theme() == "light", "the light theme")
    prefer("dark")
    page.until(lambda: theme() == "dark", "the dark theme")
    page.keys("t")
    assert "light" == theme()
    page.open()
    assert "light" == theme()
    page.script("localStorage.clear()")


def test_the_browser_objects_to_nothing_and_nothing_comes_from_elsewhere(page):
    opened(page)
    page.click('[data-do="peek"]')
    page.until(lambda: page.find(".item img"), "a picture")
    loaded = page.script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [] == [name for name in loaded if not name.startswith((page.url, "data:"))]
    assert [] == page.complaints()
    assert not page.find("[style*='expression'], script:not([src])")
