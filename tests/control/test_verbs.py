"""Each verb does what it says, wherever the unit lives; asked by the real socket of a real run."""

import base64
import os
import signal
import threading

import pytest
from tests.control.waiting import SOON, until

import streampy as sp
from streampy.run.control.client import Client, Gone, Refused
from streampy.run.control.verbs import BadRequest, NoSuch

PLACES = ["thread", "async", "own", "shared"]


@pytest.fixture(params=PLACES)
def scale(request, parts, tmp_path):
    """A process of one unit that is fed by hand, its client, and the file in which it writes how it goes."""
    use = parts.ScaleAsync if request.param == "async" else parts.Scale
    place = {"own": "own", "shared": "there"}.get(request.param, "main")
    log = tmp_path / "log"
    process = sp.Process("hand").add("scale", use, place=place, log=str(log), workers={"min": 1, "max": 2})
    with sp.run(process) as running, Client(running.control.addresses[0]) as client:
        yield running, client, log


def test_it_says_who_it_is(scale):
    _, client, _ = scale
    head = client.hello()
    assert ("hand", "", 0, "running") == (head["process"], head["segment"], head["replica"], head["state"])


def test_a_snapshot_has_the_plan_and_the_figures(scale):
    running, client, log = scale
    assert 20 == running.call("scale", 10)
    snapshot = client.snapshot()
    unit = snapshot["plan"]["units"]["scale"]
    assert {"type": "int", "value": 2, "required": False, "default": 2} == unit["live"]["settings"]["by"]
    argument = {"name": "to", "type": "int", "required": False, "default": 0}
    assert {"doc": "Count from there.", "arguments": [argument]} == unit["live"]["events"]["reset"]
    assert {"min": 1, "max": 2} == unit["workers"]
    figures = snapshot["stats"]["units"]["scale"]
    assert (1, 1, "running", 1) == tuple(figures[name] for name in ("received", "emitted", "state", "workers"))
    assert {"by": 2, "log": str(log)} == figures["settings"]
    assert snapshot["stats"]["ledger"]["balanced"]
    assert 1 == snapshot["stats"]["pipes"]["scale.number"]["delivered"]


def test_settings_are_changed(scale):
    running, client, _ = scale
    client.do("set", unit="scale", settings={"by": 7})
    assert 70 == running.call("scale", 10)
    assert 7 == client.stats()["units"]["scale"]["settings"]["by"]


def test_an_event_is_fired_and_answers(scale):
    running, client, _ = scale
    running.call("scale", 1)
    assert [1] == client.do("fire", unit="scale", event="reset", values=[5])
    assert [5] == client.do("fire", unit="scale", event="reset", named={"to": 6})


def test_what_an_event_raises_comes_out_with_the_users_lines(scale):
    _, client, _ = scale
    with pytest.raises(Refused, match="too much") as raised:
        client.do("fire", unit="scale", event="fail")
    assert "OverflowError" == raised.value.kind
    assert "in fail" in raised.value.trace
    assert "streampy/run/" not in raised.value.trace


def test_a_stopped_unit_gives_back_what_it_has_and_loses_nothing(scale):
    running, client, log = scale
    client.do("stop", unit="scale")
    assert ["start", "stop"] == log.read_text().split()
    running.push("scale", 4)
    figures = client.stats()
    assert "stopped" == figures["units"]["scale"]["state"]
    assert ["stopped"] == [one["state"] for one in figures["units"]["scale"]["crew"]]
    client.do("start", unit="scale")
    assert ["start", "stop", "start"] == log.read_text().split()
    assert 8 == next(running.stream("scale", timeout=SOON))
    assert "running" == client.stats()["units"]["scale"]["state"]


def test_what_is_said_twice_is_done_once(scale):
    running, client, log = scale
    for verb in ("stop", "stop", "start", "start", "pause", "pause", "resume", "resume"):
        client.do(verb, unit="scale")
    assert ["start", "stop", "start"] == log.read_text().split()
    assert 20 == running.call("scale", 10)


def test_a_stopped_unit_is_not_let_go_by_resume(scale):
    _, client, _ = scale
    client.do("stop", unit="scale")
    client.do("resume")
    assert "stopped" == client.stats()["units"]["scale"]["state"]


def test_a_process_with_a_stopped_unit_can_be_stopped(scale):
    running, client, log = scale
    client.do("stop", unit="scale")
    running.push("scale", 4)
    running.stop()
    assert running.is_over
    assert running.stats().ledger.balanced
    words = log.read_text().split()
    assert words.count("start") == words.count("stop")


def test_a_unit_is_made_anew(scale):
    running, client, log = scale
    running.call("scale", 1)
    client.do("restart", unit="scale")
    assert ["start", "stop", "start"] == log.read_text().split()
    assert [0] == client.do("fire", unit="scale", event="reset")
    assert 20 == running.call("scale", 10)


def test_a_held_unit_takes_nothing(scale):
    running, client, _ = scale
    client.do("pause", unit="sc*")
    running.push("scale", 1)
    assert "held" == client.stats()["units"]["scale"]["state"]
    client.do("resume", unit="scale")
    assert 2 == next(running.stream("scale", timeout=SOON))


def test_a_pool_is_scaled(scale):
    running, client, _ = scale
    client.do("scale", unit="scale", workers=2)
    until(lambda: {"idle"} == {one["state"] for one in client.stats()["units"]["scale"]["crew"]})
    figures = client.stats()["units"]["scale"]
    assert (2, [0, 1]) == (figures["workers"], [one["index"] for one in figures["crew"]])
    with pytest.raises(Refused, match="got 3 workers for 'scale', expected 1 to 2"):
        client.do("scale", unit="scale", workers=3)
    assert 20 == running.call("scale", 10)


def test_what_waits_is_seen(scale):
    running, client, _ = scale
    client.do("pause", unit="scale")
    for number in range(4):
        running.push("scale", number, meta={"lane": number})
    items = client.do("peek", unit="scale", count=3)["items"]
    assert ["1", "2", "3"] == [one["repr"] for one in items]
    assert ["scale #1", "scale #2", "scale #3"] == [one["key"] for one in items]
    assert ("int", True, {"lane": 3}) == (items[2]["type"], items[2]["waiting"], items[2]["meta"])


# of several units


@pytest.mark.parametrize("place", ["main", "own", "there"])
def test_pictures_that_pass_are_seen(parts, place):
    cv2 = pytest.importorskip("cv2")
    np = pytest.importorskip("numpy")
    process = sp.Process("eyes").add("frames", parts.frames, place=place)
    process.add("show", parts.show, from_="frames", pipe={"capacity": 4}, place=place)
    with sp.run(process) as running, Client(running.control.addresses[0]) as client:
        items = client.do("peek", unit="show", count=2, wait=10.0)["items"]
        assert 2 == len(items)
        item = items[0]
        assert ([48, 64, 3], "uint8", 9216) == (item["shape"], item["dtype"], item["bytes"])
        jpeg = np.frombuffer(base64.b64decode(item["preview"]["base64"]), np.uint8)
        assert (48, 64, 3) == cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape
        assert all(not inlet.taps for inlet in running._segment.inlets.values())


@pytest.mark.parametrize("place", ["main", "own"])
def test_a_profile_shows_the_functions_that_a_unit_is_in(parts, place):
    process = sp.Process("hot").add("spin", parts.spin, place=place)
    with sp.run(process) as running, Client(running.control.addresses[0]) as client:
        running.push("spin", 1)
        until(lambda: "busy" == client.stats()["units"]["spin"]["crew"][0]["state"])
        profile = client.do("profile", unit="spin", seconds=0.3)
        assert any("parts:spin;parts:spin_deeper" in stack for stack in profile["stacks"])
        assert profile["samples"] == sum(profile["stacks"].values()) == profile["workers"]["spin"]
        running.stop(grace=0.0)


def ticking(parts, place="main"):
    process = sp.Process("ticking").add("ticks", parts.ticks, place=place)
    return process.add("scale", parts.Scale, from_="ticks", pipe={"capacity": 8}, place=place).add(
        "last", parts.last, from_="scale"
    )


@pytest.mark.parametrize("place", ["main", "own", "there"])
def test_the_sources_are_held_and_let_go(parts, place):
    with sp.run(ticking(parts, place)) as running, Client(running.control.addresses[0]) as client:
        client.do("pause")
        assert "paused" == client.hello()["state"]
        until(lambda: running.stats().ledger.in_flight == 0)
        born = client.stats()["ledger"]["born"]
        assert born == client.stats()["ledger"]["born"]
        client.do("resume")
        assert "running" == client.hello()["state"]
        until(lambda: client.stats()["ledger"]["born"] > born)


@pytest.mark.parametrize("place", ["main", "own"])
def test_a_stopped_source_starts_again_and_counts_on(parts, place):
    with sp.run(ticking(parts, place)) as running, Client(running.control.addresses[0]) as client:
        until(lambda: running.stats().ledger.born > 3)
        client.do("stop", unit="ticks")
        until(lambda: running.stats().ledger.in_flight == 0)
        born = running.stats().ledger.born
        client.do("start")
        until(lambda: running.stats().ledger.born > born)
        client.do("drain")
        running.wait(SOON)
    ledger = running.stats().ledger
    assert ledger.balanced
    assert ledger.born == ledger.delivered


@pytest.mark.parametrize(("verb", "fields"), [("drain", {}), ("stop", {"grace": 5.0}), ("stop", {"grace": 0.0})])
def test_a_run_is_ended(parts, verb, fields):
    with sp.run(ticking(parts)) as running:
        with Client(running.control.addresses[0]) as client:
            client.do(verb, **fields)
        running.wait(SOON)
    assert running.is_over
    assert running.stats().ledger.balanced


def test_draining_that_does_not_come_to_an_end_fails_the_process(parts):
    process = sp.Process("stuck").add("ticks", parts.ticks).add("spin", parts.spin, from_="ticks", pipe={"capacity": 2})
    process.add("last", parts.last, from_="spin")
    with sp.run(process) as running, Client(running.control.addresses[0]) as client:
        until(lambda: "busy" == client.stats()["units"]["spin"]["crew"][0]["state"])
        client.do("drain", timeout=0.1)
        with pytest.raises(sp.Hung, match=r"did not come to an end within 0\.1 s of draining"):
            running.wait(SOON)


def test_errors_and_log_lines_are_told_with_the_item(parts):
    process = sp.Process("errors").add("choosy", parts.choosy, on_error="skip", place="own")
    with sp.run(process) as running, Client(running.control.addresses[0]) as client:
        running.push("choosy", 3)
        errors = until(lambda: client.stats()["errors"])
        assert ("choosy", "choosy #0", False) == tuple(errors[0][name] for name in ("unit", "item", "fatal"))
        assert "ValueError: not a three" in errors[0]["traceback"]
        line = client.stats()["log"][-1]
        assert ("WARNING", "streampy.unit.choosy") == (line["level"], line["logger"])


def test_a_worker_that_dies_is_counted(parts):
    process = sp.Process("mortal").add("scale", parts.Scale, place="own", on_crash="restart")
    with sp.run(process) as running, Client(running.control.addresses[0]) as client:
        (worker,) = client.stats()["units"]["scale"]["crew"]
        os.kill(worker["pid"], signal.SIGKILL)
        assert 20 == running.call("scale", 10)
        figures = client.stats()["units"]["scale"]
        assert (1, 0) == (figures["restarted"], figures["hung"])
        assert worker["pid"] != figures["crew"][0]["pid"]


# what can't be done


@pytest.mark.parametrize(
    ("verb", "fields", "kind", "text"),
    [
        ("puase", {}, NoSuch, "there is no verb 'puase', did you mean 'pause'"),
        ("pause", {"unit": "scal"}, NoSuch, "there is no unit 'scal', did you mean 'scale'"),
        ("scale", {"unit": "sc*", "workers": 1}, NoSuch, r"there is no unit 'sc\*'"),
        ("set", {"unit": "scale", "settings": {"bi": 1}}, Refused, "takes no setting 'bi'"),
        ("set", {"unit": "scale"}, BadRequest, "set needs settings too"),
        ("set", {"unit": "scale", "settings": [1]}, BadRequest, r"settings: got \[1\], expected an object"),
        ("pause", {"sooner": 1}, BadRequest, "pause takes no 'sooner'; it takes none"),
        ("scale", {"unit": "scale", "workers": True}, BadRequest, "workers: got True, expected a whole number or null"),
        ("profile", {"unit": "scale", "seconds": 1e9}, BadRequest, "seconds: got 1e\\+09, expected 0.01 to 60"),
        ("fire", {"unit": "scale", "event": "rest"}, Refused, "'scale' has no event 'rest', did you mean 'reset'"),
        ("peek", {"unit": "ticks"}, Refused, "'ticks' is a source, so it has no pipe"),
        ("peek", {"unit": "last"}, Refused, "'last' is fused with the unit before it"),
        ("peek", {"unit": "scale", "port": "numbr"}, NoSuch, "'scale' has no input 'numbr', did you mean 'number'"),
    ],
)
def test_what_can_not_be_done_is_told_and_changes_nothing(parts, verb, fields, kind, text):
    with sp.run(ticking(parts)) as running, Client(running.control.addresses[0]) as client:
        with pytest.raises(kind, match=text):
            client.do(verb, **fields)
        assert "running" == client.hello()["state"]


def test_a_unit_that_is_busy_does_not_hold_up_who_asks_for_figures(parts):
    with sp.run(sp.Process("hot").add("spin", parts.spin)) as running:
        address = running.control.addresses[0]
        running.push("spin", 1)
        refused = []

        def wait(patient: Client) -> None:
            try:
                patient.do("stop", unit="spin", timeout=1.0)
            except Refused as error:
                refused.append(error.kind)

        with Client(address) as patient, Client(address) as client:
            waiting = threading.Thread(target=wait, args=(patient,))
            waiting.start()
            assert client.stats()["units"]["spin"]["received"] >= 0
            assert not refused
            waiting.join()
        assert ["TimeoutError"] == refused
        running.stop(grace=0.0)


def test_who_watches_is_told_until_the_end(parts):
    with sp.run(ticking(parts)) as running, Client(running.control.addresses[0]) as client:
        told = client.watch(every=0.1)
        assert "plan" in next(told)
        seconds = [next(told)["stats"]["seconds"] for _ in range(3)]
        assert sorted(set(seconds)) == seconds
        client.do("stop")
        assert all(one["state"] in {"draining", "stopping", "stopped", "running"} for one in told)
        with pytest.raises(Gone):
            client.hello()
