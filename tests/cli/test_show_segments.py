"""`show` tells the segments, what lives in each, and what the network carries; `run` runs them as one program."""

import json
import xml.etree.ElementTree as ET

import pytest

from streampy.cli.exits import Exit

CUT = """
process: cut
units:
  numbers: {use: "units:numbers"}
  double: {use: "units:double", from: numbers, place: gpu}
  odd: {use: "units:odd", from: double}
  ready: {use: "units:ready", from: odd}
segments:
  edge: [numbers, ready]
  core: {units: [double, odd], replicas: 2, listen: "tcp://0.0.0.0:7400", token: secret}
links:
  edge -> core:
    dial: ["tcp://core:7400", "tcp://[::1]:7401"]
    tls: {ca: ca.pem}
    token: secret
    window: 8
    deadline: 2s
"""


@pytest.fixture
def cut(folder):
    """A process in two segments."""
    (folder / "cut.yaml").write_text(CUT)
    return "cut.yaml"


def test_a_segment_that_is_started_again_says_so(streampy, folder):
    (folder / "cut.yaml").write_text(CUT.replace("replicas: 2", "replicas: 2, on_crash: restart"))

    told = streampy("show", "cut.yaml").stdout

    assert "\nsegment core: 2 replicas, listens at tcp://0.0.0.0:7400, asks for a token, started again when" in told


def test_text_has_a_heading_for_each_segment_and_tells_what_the_network_carries(streampy, cut):
    done = streampy("show", cut)

    assert done.returncode == Exit.OK
    assert done.stdout == (
        "process cut: 4 units, 3 links, 4 workers, 2 segments\n"
        "\n"
        "segment edge\n"
        "  main  numbers; ready\n"
        "\n"
        "segment core: 2 replicas, listens at tcp://0.0.0.0:7400, asks for a token\n"
        "  main  odd\n"
        "  gpu   double\n"
        "  shared memory: known for 2 pipes with the first items\n"
        "\n"
        "network\n"
        "  edge -> core  dials tcp://core:7400 or tcp://[::1]:7401, TLS, token; "
        "window 8, ack processed, deadline 2 s\n"
        "\n"
        "layer 1\n"
        "  numbers  units:numbers  (source)\n"
        "      out   int -> double.number\n"
        "      runs  in segment edge: 1 worker, place main\n"
        "\n"
        "layer 2\n"
        "  double  units:double\n"
        "      in    number: int <- numbers\n"
        "            pipe: 64 items; network, from edge: window 8, ack processed, deadline 2 s; "
        "in shared memory: 68 blocks, as large as the first items ask for\n"
        "      out   int -> odd.number\n"
        "      runs  in segment core: 1 worker, place gpu; not fused: lives in segment core\n"
        "\n"
        "layer 3\n"
        "  odd  units:odd\n"
        "      in    number: int <- double\n"
        "            pipe: 64 items; in shared memory: 68 blocks, as large as the first items ask for\n"
        "      out   int -> ready.number\n"
        "      runs  in segment core: 1 worker, place main; not fused: double lives in another OS process\n"
        "\n"
        "layer 4\n"
        "  ready  units:ready  (sink)\n"
        "      in    number: int <- odd\n"
        "            pipe: 64 items; network, from core: window 8, ack processed, deadline 2 s\n"
        "      runs  in segment edge: 1 worker, place main; not fused: lives in segment edge\n"
    )


def test_text_says_where_no_address_is_known_yet(streampy, folder):
    (folder / "cut.yaml").write_text(CUT.partition("links:")[0].replace(", token: secret", ""))

    assert "\n  edge -> core  no address to dial yet; window 64, ack processed\n" in streampy("show", "cut.yaml").stdout


def test_a_broker_is_shown_without_its_password(streampy, folder):
    (folder / "cut.yaml").write_text(CUT.replace("window: 8", "via: nats://me:hidden@broker:4222"))

    for form in ((), ("--json",), ("--mermaid",), ("--svg",)):
        done = streampy("show", *form, "cut.yaml")
        assert (done.returncode, "hidden" in done.stdout, "secret" in done.stdout) == (Exit.OK, False, False)
    assert "via nats://broker:4222" in streampy("show", "cut.yaml").stdout


def test_json_tells_a_program_the_same(streampy, cut):
    told = json.loads(streampy("show", "--json", cut).stdout)

    assert {name: unit["segment"] for name, unit in told["units"].items()} == {
        "numbers": "edge",
        "double": "core",
        "odd": "core",
        "ready": "edge",
    }
    core = told["segments"]["core"]
    assert [place["name"] for place in core.pop("places")] == ["main", "gpu"]
    assert core == {
        "units": ["double", "odd"],
        "replicas": 2,
        "listen": "tcp://0.0.0.0:7400",
        "tls": None,
        "token": True,
        "on_crash": "stop",
    }
    assert told["wires"] == [
        {
            "dialler": "edge",
            "listener": "core",
            "dial": ["tcp://core:7400", "tcp://[::1]:7401"],
            "tls": {"ca": "ca.pem", "cert": "", "key": "", "name": ""},
            "token": True,
            "window": 8,
            "ack": "processed",
            "deadline": 2.0,
            "via": None,
            "carries": [
                {"from": "numbers.out", "to": "double.number"},
                {"from": "odd.out", "to": "ready.number"},
            ],
        }
    ]
    pipes = {name: unit["inputs"]["number"] for name, unit in told["units"].items() if unit["inputs"]}
    assert {name: pipe["transport"] for name, pipe in pipes.items()} == {
        "double": "network",
        "odd": "shared",
        "ready": "network",
    }
    assert pipes["ready"]["shared"] is None


def test_json_of_a_process_that_is_not_cut_has_no_segments(streampy):
    told = json.loads(streampy("show", "--json", "doubles.yaml").stdout)

    assert (told["segments"], told["wires"], told["units"]["double"]["segment"]) == ({}, [], None)


def test_drawing_has_a_frame_around_the_units_of_each_segment(streampy, cut):
    drawing = ET.fromstring(streampy("show", "--svg", cut).stdout)  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"

    looks = [path.get("class") for path in drawing.iter(f"{svg}path")]
    texts = [text.text for text in drawing.iter(f"{svg}text")]
    assert looks.count("frame segment") == 3  # edge lies on both sides of core
    assert looks.count("link network") == 3  # two, and one in the legend
    assert [text for text in texts if text.startswith("segment")] == [
        "segment edge",
        "segment edge",
        "segment core · 2 replicas · tcp://0.0.0.0:7400",
    ]
    assert "network, edge -> core: window 8, ack processed, deadline 2 s" in texts
    width = float(drawing.get("width"))
    assert all(float(text.get("x")) + 6 * len(text.text) < width for text in drawing.iter(f"{svg}text"))


def test_drawing_has_the_frames_of_used_processes_inside_those_of_segments(streampy, folder):
    (folder / "inner.yaml").write_text("process: inner\nunits:\n  double: {use: 'units:double'}\n")
    (folder / "outer.yaml").write_text(
        "process: outer\nunits:\n  numbers: {use: 'units:numbers'}\n  hall: {use: inner.yaml, from: numbers}\n"
        "segments: {edge: [numbers], core: [hall]}\n"
    )
    drawing = ET.fromstring(streampy("show", "--svg", "outer.yaml").stdout)  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"

    frames = [path for path in drawing.iter(f"{svg}path") if path.get("class", "").startswith("frame")]
    corners = {
        (frame.get("class"), number): [
            tuple(map(float, at.split(","))) for at in frame.get("d").strip("MZ ").split(" L")
        ]
        for number, frame in enumerate(frames)
    }
    core, inner = corners["frame segment", 0], corners["frame", 2]
    assert min(x for x, _ in core) < min(x for x, _ in inner)
    assert min(y for _, y in core) < min(y for _, y in inner)
    assert max(y for _, y in inner) < max(y for _, y in core)


def test_mermaid_has_a_box_for_each_segment(streampy, cut):
    assert streampy("show", "--mermaid", cut).stdout == (
        "flowchart LR\n"
        '  subgraph s0["segment edge"]\n'
        '    u0(["numbers"])\n'
        '    u3[/"ready"/]\n'
        "  end\n"
        '  subgraph s1["segment core · 2 replicas · tcp://0.0.0.0:7400"]\n'
        '    u1["double<br>place gpu"]\n'
        '    u2["odd"]\n'
        "  end\n"
        '  u0 -->|"network, window 8, ack processed, deadline 2 s"| u1\n'
        "  u1 --> u2\n"
        '  u2 -->|"network, window 8, ack processed, deadline 2 s"| u3\n'
    )


def test_a_process_that_is_cut_is_sound_and_runs_as_one_program(streampy, folder):
    (folder / "cut.yaml").write_text(
        "process: cut\nunits:\n  numbers: {use: 'units:numbers'}\n  double: {use: 'units:double', from: numbers}\n"
        "  last: {use: 'units:last', from: double}\nsegments: {edge: [numbers, last], core: [double]}\n"
    )
    checked, ran = streampy("check", "cut.yaml"), streampy("run", "cut.yaml")

    assert (checked.returncode, checked.stdout) == (Exit.OK, "cut.yaml: cut is sound: 3 units, 2 links\n")
    assert (ran.returncode, ran.stdout) == (Exit.OK, "ready\ndrained\n")
