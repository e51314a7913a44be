"""The HTTP API, as `streampy ui` serves it: real programs, a real server, real requests."""

import json
import re
import socket
import subprocess
import sys
from contextlib import closing, contextmanager

import httpx
import pytest
from tests.control.waiting import SOON, all_running, until

from streampy.run.control.client import find

pytest.importorskip("fastapi")
connect = pytest.importorskip("websockets.sync.client").connect
InvalidStatus = pytest.importorskip("websockets.exceptions").InvalidStatus
ADDRESS = re.compile(r"the page is at (http://\S+?)(?:\?token=(\S+))?$")


@pytest.fixture
def served(started):
    """Start `streampy ui`; a client of it, with the token that it told."""
    clients = []

    def serve(*words, **options):
        program = started("ui", "--port", "0", *words, **options)
        url, token = ADDRESS.search(program.stderr.readline().strip()).groups()
        client = httpx.Client(base_url=url, timeout=SOON, trust_env=False)
        client.token = token
        client.program = program
        clients.append(client)
        return client

    yield serve
    for client in clients:
        client.close()


@pytest.fixture
def live(started, served):
    """A process that runs, and a client of the server."""
    started("run", "live.yaml")
    all_running()
    return served()


def test_all_that_runs_is_one_view(started, served):
    started("run", "cut.yaml")
    started("run", "live.yaml")
    all_running(4)
    client = served()
    told = client.get("/api/system").json()
    assert ["cut", "live"] == [one["process"] for one in told["processes"]]
    cut = told["processes"][0]
    assert (f"cut@{cut['run']}", "running") == (cut["id"], cut["state"])
    assert [("core", 0), ("core", 1), ("edge", 0)] == [(one["segment"], one["replica"]) for one in cut["segments"]]
    told = client.get("/api/snapshot").json()["processes"][0]
    assert {"scale", "last"} == set(told["segments"][0]["plan"]["units"])
    assert told["segments"][2]["stats"]["units"]["ticks"]["emitted"] > 0
    assert told["segments"][2]["plan"]["links"] == [
        {"from": "ticks.out", "to": "scale.number", "feedback": False, "crosses": True}
    ]


def test_a_process_is_steered(live):
    url = "/api/processes/live"
    (segment,) = live.get(url).json()["segments"]
    assert {"segments": {segment["id"]: None}, "errors": {}} == live.post(f"{url}/pause").json()
    assert "paused" == live.get(url).json()["state"]
    live.post(f"{url}/resume", json={})
    assert "running" == live.get(f"/api/segments/{segment['id']}").json()["state"]
    live.post(f"/api/segments/{segment['id']}/pause")
    assert live.get("/readyz").json() == {"ok": True, "why": []}
    live.post(f"{url}/start", json={"timeout": 5})
    live.post(f"{url}/drain", json={"timeout": 10})
    until(lambda: live.get(url).status_code == 404)


def test_a_unit_is_steered(live):
    url = "/api/processes/live/units/scale"
    post = lambda verb, body=None: next(iter(live.post(f"{url}/{verb}", json=body).json()["segments"].values()))  # noqa: E731
    assert post("set", {"settings": {"by": 9}}) is None
    told = live.get(url).json()
    assert "number" in told["plan"]["inputs"]
    (figures,) = told["segments"].values()
    assert {"by": 9, "log": ""} == figures["settings"]
    (before,) = post("fire", {"event": "reset", "values": [3]})
    assert before >= 0
    post("scale", {"workers": 2})
    assert 2 == post("stats")["workers"]
    post("stop")
    assert "stopped" == post("stats")["state"]
    post("start")
    post("restart", {"timeout": 5})
    post("pause")
    assert "held" == post("stats")["state"]
    assert 8 == len(until(lambda: len(found := post("peek", {"count": 8, "wait": 0.0})["items"]) == 8 and found))
    post("resume")
    assert 0.05 <= post("profile", {"seconds": 0.05})["seconds"] < SOON


WRONG = [
    ("processes/nobody/pause", None, 404, "NoSuch", "nothing that runs is called 'nobody'"),
    ("segments/nobody/pause", None, 404, "NoSuch", "no segment that runs has the id 'nobody'"),
    ("processes/live/units/scal/stop", None, 404, "NoSuch", "there is no unit 'scal', did you mean 'scale'?"),
    ("processes/live/units/scale/set", {"settings": {"bi": 1}}, 409, "StreamPyError", "takes no setting 'bi'"),
    ("processes/live/units/scale/set", {}, 422, "BadRequest", "body.settings: Field required"),
    ("processes/live/units/scale/set", None, 422, "BadRequest", "body"),
    ("processes/live/units/scale/scale", {"workers": "2"}, 422, "BadRequest", "body.workers"),
    ("processes/live/units/scale/scale", {"workers": 9}, 409, "StreamPyError", "expected 1 to 3"),
    ("processes/live/pause", {"sooner": 1}, 422, "BadRequest", "body.sooner: Extra inputs are not permitted"),
    ("processes/live/units/scale/fire", {"event": "fail"}, 409, "OverflowError", "too much"),
    ("processes/live/pauze", None, 404, "NoSuch", "Not Found"),
]


def test_what_can_not_be_done_is_told(live):
    for path, body, status, kind, message in WRONG:
        answer = live.post(f"/api/{path}", json=body)
        error = answer.json()["error"]
        assert (path, status, kind) == (path, answer.status_code, error["kind"])
        assert message in error["message"]
        assert ("in fail" in error["traceback"]) == (kind == "OverflowError")


def test_it_says_whether_it_lives_and_is_ready(served, started):
    client = served()
    assert {"ok": True, "why": []} == client.get("/healthz").json()
    answer = client.get("/readyz")
    assert (503, {"ok": False, "why": ["nothing runs"]}) == (answer.status_code, answer.json())
    started("run", "live.yaml")
    all_running()
    assert 200 == client.get("/readyz").status_code
    told = client.get("/metrics").text
    assert re.search(r'streampy_segment_state\{process="live",segment="",.*state="running"\} 1', told)


def test_its_routes_are_described(live):
    told = live.get("/openapi.json").json()
    assert {"/api/snapshot", "/api/processes/{process}/units/{unit}/peek", "/api/events"} <= set(told["paths"])
    assert "settings" in told["components"]["schemas"]["Set"]["required"]


# live


@contextmanager
def server_sent(client, path):
    """The server-sent events as they come: name and data."""
    with client.stream("GET", path) as answer:
        assert "text/event-stream" in answer.headers["content-type"]
        lines = answer.iter_lines()

        def events():
            name = ""
            for line in lines:
                key, _, value = line.partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, json.loads(value)

        yield events()


def test_events_tell_what_runs_how_it_goes_and_what_has_gone(live, started):
    with server_sent(live, "/api/events?every=0.1") as events:
        name, told = next(events)
        (segment,) = told["processes"][0]["segments"]
        assert ("system", "live") == (name, segment["process"])
        name, told = next(events)
        assert "stats" == name
        assert told["segments"][segment["id"]]["stats"]["units"]["ticks"]["emitted"] > 0
        started("run", "cut.yaml")
        while name != "system" or len(told["processes"]) < 2:
            name, told = next(events)
        live.post("/api/processes/live/stop")
        while name != "gone":
            name, told = next(events)
        assert segment["id"] == told["id"]


def test_a_socket_tells_the_same(live):
    url = f"ws://{live.base_url.netloc.decode()}/api/live?every=0.1"
    with connect(url, max_size=None) as socket_:
        told = [json.loads(socket_.recv(timeout=SOON)) for _ in range(3)]
    assert ["system", "stats", "stats"] == [one["event"] for one in told]


def test_a_hundred_that_watch_slowly_or_vanish_do_not_disturb_the_run(live):
    host, port = live.base_url.host, live.base_url.port
    request = f"GET /api/events?every=0.1 HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    watching = [socket.create_connection((host, port)) for _ in range(100)]
    try:
        for one in watching:
            one.sendall(request)
        with server_sent(live, "/api/events?every=0.1") as events:
            for one in watching[:50]:
                one.close()
            for _ in range(10):
                next(events)
            (found,) = find()
            assert "running" == found.head["state"]
            _, before = next(events)
            told = before
            while sum_of(told) <= sum_of(before) + 50:
                _, told = next(events)
    finally:
        for one in watching:
            one.close()
    ledger = live.get("/api/processes/live").json()["segments"][0]["stats"]["ledger"]
    assert 0 == ledger["dropped"] + ledger["failed"] + ledger["expired"]


def sum_of(told):
    return sum(one["stats"]["ledger"]["delivered"] for one in told.get("segments", {}).values())


def test_the_server_ends_while_somebody_watches(live):
    with server_sent(live, "/api/events?every=0.1") as events:
        next(events)
        live.program.terminate()
        list(events)
    assert 0 == live.program.wait(SOON)
    assert "" == live.program.stderr.read()


# who may come in


STRANGE = [
    ({}, 200),
    ({"Host": "evil.example"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Host": "localhost:1"}, 200),
]


def test_pages_of_others_are_refused(live):
    for path in ("/api/system", "/healthz", "/openapi.json"):
        for headers, status in STRANGE:
            answer = live.get(path, headers=headers)
            assert (path, headers, status) == (path, headers, answer.status_code)
            assert ("error" in answer.json()) == (status == 403)
            assert "DENY" == answer.headers["x-frame-options"]


def test_a_page_of_another_can_not_steer(live):
    answer = live.post("/api/processes/live/stop", headers={"Origin": "http://evil.example"}, content="{}")
    assert 403 == answer.status_code
    assert "running" == find()[0].head["state"]


def test_its_own_page_may_steer(live):
    origin = f"http://{live.base_url.netloc.decode()}"
    assert 200 == live.post("/api/processes/live/pause", headers={"Origin": origin}).status_code


def test_a_socket_of_another_page_is_refused(live):
    url = f"ws://{live.base_url.netloc.decode()}/api/live"
    with pytest.raises(InvalidStatus):
        connect(url, additional_headers={"Origin": "http://evil.example"})


def routes(client):
    """All of them, with something in place of the names."""
    told = client.get("/openapi.json", headers={"Authorization": f"Bearer {client.token}"}).json()["paths"]
    named = [(re.sub(r"{\w+}", "x", path), verb) for path, verbs in told.items() for verb in verbs]
    return [*named, ("/", "get"), ("/openapi.json", "get"), ("/nowhere", "get"), ("/page/x.js", "get")]


def test_no_route_is_open_without_the_token_off_loopback(served):
    client = served("--host", "0.0.0.0")  # noqa: S104
    assert client.token
    port = client.base_url.port
    with closing(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SOON, trust_env=False)) as stranger:
        stranger.token = client.token
        found = routes(stranger)
        assert len(found) > 35
        for path, verb in found:
            for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"streampy-{port}={client.token}"}):
                answer = stranger.request(verb, path, headers=wrong)
                assert (path, 401) == (path, answer.status_code)
                assert "Bearer" == answer.headers["www-authenticate"]
        right = {"Authorization": f"Bearer {client.token}"}
        assert 200 == stranger.get("/api/system", headers=right).status_code
        assert 200 == stranger.get(f"/api/system?token={client.token}").status_code
        assert [{"token": []}] == stranger.get("/openapi.json", headers=right).json()["security"]


def test_the_page_is_asked_for_with_the_token_once(served):
    client = served(env={"STREAMPY_TOKEN": "secret"})
    client.token = "secret"  # noqa: S105
    assert 401 == client.get("/api/system").status_code
    answer = client.get("/?token=secret")
    assert (303, "/") == (answer.status_code, answer.headers["location"])
    assert {"HttpOnly", "SameSite=Strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert "secret" not in answer.headers["set-cookie"]
    assert 200 == client.get("/api/system").status_code


def test_a_socket_without_the_token_is_refused(served):
    client = served("--token", "secret")
    url = f"ws://{client.base_url.netloc.decode()}/api/live"
    with pytest.raises(InvalidStatus):
        connect(url)
    with connect(f"{url}?token=secret") as socket_:
        assert "system" == json.loads(socket_.recv(timeout=SOON))["event"]


def test_an_address_that_is_taken_is_told(started):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        program = started("ui", "--port", str(taken.getsockname()[1]))
        _, said = program.communicate(timeout=SOON)
    assert (2, True) == (program.returncode, "can't listen at 127.0.0.1:" in said)


def test_segments_elsewhere_are_seen_over_tcp(started, served, runtime, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("STREAMPY_TOKEN", "secret")
    started("run", "live.yaml", "--control", address)
    all_running()
    client = served("--at", address, env={"STREAMPY_RUNTIME_DIR": f"{runtime}x"})
    client.headers["Authorization"] = "Bearer secret"
    told = client.get("/api/system").json()["processes"]
    assert ["live"] == [one["process"] for one in told]
    assert 200 == client.post("/api/processes/live/pause").status_code


def test_without_the_extra_it_says_what_to_install(folder):
    code = "import sys; sys.modules['fastapi'] = None; from streampy.cli.main import main; sys.exit(main(['ui']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=SOON)
    assert 2 == done.returncode
    assert "pip install 'streampy[ui]'" in done.stderr
