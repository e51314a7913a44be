"""The drawing: true layers, rooms apart, no link through a card. Asked of the module itself, in a browser."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest

DRAW = """
const [graph, answer] = arguments;
import('/js/layout/layout.js').then(({ layout }) => {
  const drawn = layout(graph);
  const points = (path) => {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    line.setAttribute('d', path);
    const length = line.getTotalLength();
    return Array.from({ length: Math.ceil(length / 4) + 1 }, (_, i) => {
      const at = line.getPointAtLength(Math.min(length, 4 * i));
      return [at.x, at.y];
    });
  };
  answer({
    units: Object.fromEntries(drawn.units), rooms: Object.fromEntries(drawn.rooms),
    links: Object.fromEntries([...drawn.links].map(([id, line]) => [id, { ...line, points: points(line.path) }])),
  });
}).catch((error) => answer({ error: String(error.stack) }));
"""


@pytest.fixture(scope="module")
def draw(files):
    files.driver.set_script_timeout(30)
    files.open()

    def drawn(graph):
        told = files.driver.execute_async_script(DRAW, graph)
        assert "error" not in told, told["error"]
        return told

    return drawn


def graph(links, rooms=None, feedback=()):
    """From "a>b" words; a unit is in the room that names it, else in one without a name."""
    ends = [tuple(link.split(">")) for link in links]
    names = list(dict.fromkeys(name for pair in ends for name in pair))
    room_of = {name: room for room, members in (rooms or {}).items() for name in members}
    layer = layers(names, [pair for pair, link in zip(ends, links, strict=True) if link not in feedback])
    return {
        "units": [
            {
                "id": name,
                "room": room_of.get(name, ""),
                "layer": layer[name],
                "inputs": [f"from_{sender}" for sender, receiver in ends if receiver == name],
                "outputs": ["out"],
            }
            for name in names
        ],
        "rooms": [{"id": room} for room in dict.fromkeys(room_of.get(name, "") for name in names)],
        "links": [
            {
                "id": link,
                "from": sender,
                "fromPort": "out",
                "to": receiver,
                "toPort": f"from_{sender}",
                "feedback": link in feedback,
                "fused": False,
            }
            for link, (sender, receiver) in zip(links, ends, strict=True)
        ],
    }


def layers(names, ends):
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for sender, receiver in ends:
            layer[receiver] = max(layer[receiver], layer[sender] + 1)
    return layer


def city():
    """60 units in 12 segments: eight with cameras, four that gather."""
    links, rooms = [], {}
    for number in range(8):
        own = [f"{name}{number}" for name in ("camera", "decode", "small", "detect", "draw")]
        rooms[f"edge{number}"] = own
        links += [f"{one}>{other}" for one, other in pairwise(own)]
        links += [f"{own[1]}>{own[4]}", f"{own[3]}>crop", f"{own[3]}>cut", f"identify>{own[4]}", f"{own[4]}>mosaic"]
    rooms["faces"] = ["crop", "describe", "identify", "learn", "track"]
    rooms["plates"] = ["cut", "straighten", "read", "lookup", "alarm"]
    rooms["store"] = ["merge", "rows", "parquet", "sql", "count", "report"]
    rooms["wall"] = ["mosaic", "caption", "encode", "archive"]
    for members in ("faces", "plates", "wall"):
        links += [f"{one}>{other}" for one, other in pairwise(rooms[members])]
    links += ["identify>merge", "lookup>merge", "alarm>caption", "merge>rows", "rows>parquet", "rows>sql"]
    return graph([*links, "merge>count", "count>report"], rooms)


def chance(seed):
    """A graph that nobody drew by hand: some rooms, links that lead on, of any length."""
    luck = random.Random(seed)  # noqa: S311 - no secret
    names = [f"u{number}" for number in range(luck.randint(3, 40))]
    links = {f"{luck.choice(names[:at])}>{names[at]}" for at in range(1, len(names))}
    for _ in range(luck.randint(0, len(names))):
        one, other = sorted(luck.sample(range(len(names)), 2))
        links.add(f"{names[one]}>{names[other]}")
    rooms = {}
    for name in names:
        rooms.setdefault(f"room{luck.randint(0, 4)}", []).append(name)
    return graph(sorted(links), rooms)


GRAPHS = {
    "one link": graph(["a>b"]),
    "a diamond": graph(["a>b", "a>c", "b>d", "c>d", "a>d"]),
    "to and fro": graph(["cam>small", "small>find", "find>draw", "cam>draw"], {"edge": ["cam", "small", "draw"]}),
    "a cycle": graph(["a>b", "b>c", "c>b", "c>d"], feedback={"c>b"}),
    "60 units in 12 segments": city(),
    **{f"by chance {seed}": chance(seed) for seed in range(12)},
}


def meet(one, other, margin=0.0):
    return (
        one["x"] < other["x"] + other["width"] + margin
        and other["x"] < one["x"] + one["width"] + margin
        and one["y"] < other["y"] + other["height"] + margin
        and other["y"] < one["y"] + one["height"] + margin
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_cards_and_rooms_stand_apart_and_links_pass_no_card(draw, name):
    wanted = GRAPHS[name]
    drawn = draw(wanted)
    units, rooms = drawn["units"], drawn["rooms"]
    assert [] == [pair for pair in combinations(units, 2) if meet(units[pair[0]], units[pair[1]], 6)]
    assert [] == [pair for pair in combinations(rooms, 2) if meet(rooms[pair[0]], rooms[pair[1]], 6)]
    assert [] == [unit["id"] for unit in wanted["units"] if not within(units[unit["id"]], rooms[unit["room"]])]
    assert {link["id"] for link in wanted["links"]} == set(drawn["links"])
    for link in wanted["links"]:
        points = drawn["links"][link["id"]]["points"]
        assert [] == [unit for unit, box in units.items() if any(inside(point, box) for point in points)], link["id"]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_column_is_a_layer(draw, name):
    wanted = GRAPHS[name]
    columns = {}
    for unit in wanted["units"]:
        columns.setdefault(unit["layer"], set()).add(unit["id"])
    left = draw(wanted)["units"]
    where = [{left[unit]["x"] for unit in columns[layer]} for layer in sorted(columns)]
    assert all(len(one) == 1 for one in where)
    assert [min(one) for one in where] == sorted(min(one) for one in where)


def test_the_same_graph_gives_the_same_drawing(draw):
    assert draw(city()) == draw(city())


def test_a_row_of_units_is_a_straight_line(draw):
    row = draw(graph([f"u{number}>u{number + 1}" for number in range(11)]))
    assert 1 == len({box["y"] for box in row["units"].values()})


def test_a_link_that_leads_back_runs_below_the_units_of_its_room(draw):
    drawn = draw(GRAPHS["a cycle"])
    lowest = max(box["y"] + box["height"] for box in drawn["units"].values())
    assert max(y for _, y in drawn["links"]["c>b"]["points"]) > lowest


def within(box, frame):
    return (
        frame["x"] <= box["x"]
        and frame["y"] <= box["y"]
        and box["x"] + box["width"] <= frame["x"] + frame["width"]
        and box["y"] + box["height"] <= frame["y"] + frame["height"]
    )


def inside(point, box):
    x, y = point
    return box["x"] + 1 < x < box["x"] + box["width"] - 1 and box["y"] + 1 < y < box["y"] + box["height"] - 1
