"""`show` tells which OS processes there will be, who lives in each, and what goes between them."""

import json
import xml.etree.ElementTree as ET

import pytest

from streampy.cli.exits import Exit

PLACES = """
process: places
units:
  numbers: {use: "units:numbers"}
  double:
    use: "units:double"
    from: numbers
    place: own
    workers: 2
    device: "cuda:{index}"
    env: {OMP_NUM_THREADS: 1}
    cpus: [[0], [1]]
    each: [{fail_at: 1}, {fail_at: 2}]
    pipe: {capacity: 8, item: 6MB}
  odd: {use: "units:odd", from: double, place: gpu}
  ready: {use: "units:ready", from: odd, place: gpu}
"""


@pytest.fixture
def places(folder):
    """A process in four OS processes."""
    (folder / "places.yaml").write_text(PLACES)
    return "places.yaml"


def test_text_tells_who_lives_where_and_what_shared_memory_it_takes(streampy, places):
    done = streampy("show", places)

    assert done.returncode == Exit.OK
    assert done.stdout == (
        "process places: 4 units, 3 links, 4 workers, 4 OS processes, 1 fused\n"
        "\n"
        "OS processes\n"
        "  main      numbers\n"
        "  double#0  double  (env OMP_NUM_THREADS=1, cpus 0)\n"
        "  double#1  double  (env OMP_NUM_THREADS=1, cpus 1)\n"
        "  gpu       odd -> ready\n"
        "  shared memory: 84.0 MB for 1 pipe; for 1 pipe with the first items\n"
        "\n"
        "layer 1\n"
        "  numbers  units:numbers  (source)\n"
        "      out   int -> double.number\n"
        "      runs  1 worker, place main\n"
        "\n"
        "layer 2\n"
        "  double  units:double\n"
        "      each  0: fail_at=1\n"
        "      each  1: fail_at=2\n"
        "      in    number: int <- numbers\n"
        "            pipe: 8 items; in shared memory: 14 blocks of 6.00 MB, 84.0 MB\n"
        "      out   int -> odd.number\n"
        "      runs  2 workers, place own, device cuda:{index}, env OMP_NUM_THREADS=1, cpus 0 | 1; "
        "not fused: numbers lives in another OS process\n"
        "\n"
        "layer 3\n"
        "  odd  units:odd\n"
        "      in    number: int <- double\n"
        "            pipe: 64 items; in shared memory: 68 blocks, as large as the first items ask for\n"
        "      out   int -> ready.number\n"
        "      runs  1 worker, place gpu; not fused: double lives in another OS process\n"
        "\n"
        "layer 4\n"
        "  ready  units:ready  (sink)\n"
        "      in    number: int <- odd\n"
        "      runs  1 worker, place gpu; fused: called directly by odd, no pipe between\n"
    )


def test_places_are_given_on_the_command_line(streampy):
    done = streampy("show", "doubles.yaml", "--set", "double.place=own", "--set", "double.workers=2")

    assert "\n  main      numbers; odd\n  double#0  double\n  double#1  double\n" in done.stdout
    assert "pipe: 4 items; in shared memory: 10 blocks, as large" in done.stdout
    assert "pipe: 64 items; within one OS process\n" in done.stdout


def test_json_tells_a_program_the_same(streampy, places):
    told = json.loads(streampy("show", "--json", places).stdout)

    assert [place["name"] for place in told["places"]] == ["main", "double#0", "double#1", "gpu"]
    assert told["places"][2] == {
        "name": "double#1",
        "workers": [{"chain": ["double"], "workers": [1]}],
        "env": {"OMP_NUM_THREADS": "1"},
        "cpus": [1],
    }
    pipes = {f"{name}.{port}": pipe for name, unit in told["units"].items() for port, pipe in unit["inputs"].items()}
    assert {name: pipe["transport"] for name, pipe in pipes.items()} == {
        "double.number": "shared",
        "odd.number": "shared",
        "ready.number": "fused",
    }
    assert pipes["double.number"]["shared"] == {"blocks": 14, "bytes": 84e6}
    assert pipes["odd.number"]["shared"] == {"blocks": 68, "bytes": None}
    assert told["units"]["double"]["each"] == [{"fail_at": 1}, {"fail_at": 2}]


def test_drawing_has_a_room_around_each_unit_that_lives_elsewhere(streampy, places):
    drawing = ET.fromstring(streampy("show", "--svg", places).stdout)  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"

    rooms = [rect for rect in drawing.iter(f"{svg}rect") if rect.get("class") == "room"]
    links = [path.get("class") for path in drawing.iter(f"{svg}path")]
    texts = [text.text for text in drawing.iter(f"{svg}text")]
    assert len(rooms) == 3
    assert links.count("link shared") == 3  # two, and one in the legend
    assert {"double · 8 items · place own", "odd · place gpu"} <= set(texts)


def test_mermaid_names_the_place_of_units_that_live_elsewhere(streampy, places):
    told = streampy("show", "--mermaid", places).stdout

    assert '  u1["double x2<br>place own"]\n' in told
    assert '  u0(["numbers"])\n' in told
