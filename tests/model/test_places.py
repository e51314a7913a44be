"""Where workers live: which OS processes there will be, who is fused in them, and what goes between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.pipe import Pipe
from streampy.model.place import SharedPipe, Transport
from streampy.model.plan import Plan
from streampy.model.process import Process
from streampy.model.unit import Unit


def camera() -> Iterator[int]: ...
def same(x: int) -> int: ...
def meet(x: int, y: int) -> int: ...
def listen(*, port: int, host: str = "localhost") -> Iterator[int]: ...


async def later(x: int) -> int: ...


class Large(Unit):
    """Knows how large what comes to it is."""

    x = Pipe(item="6MB")

    def work(self, x: int) -> int: ...


def plan(*units: tuple, **options: dict) -> Plan:
    """A camera, and units, each (name, from), of which `options` says more."""
    process = Process("p").add("camera", camera, **options.get("camera", {}))
    for name, from_ in units:
        more = {"use": same, **options.get(name, {})}
        process.add(name, more.pop("use"), from_=from_, **more)
    return make_plan(process)


def homes(one: Plan) -> dict[str, dict[str, tuple[int, ...]]]:
    """For each OS process the chains in it, and the indexes of their workers."""
    return {place.name: {"-".join(chain): i for chain, i in place.workers.items()} for place in one.places}


ROW = (("a", "camera"), ("b", "a"), ("c", "b"))


def test_everything_lives_in_main_where_nobody_says_otherwise():
    one = plan(*ROW)
    assert homes(one) == {"main": {"camera-a-b-c": (0,)}}
    assert one.places[0].is_main
    assert one.shared_pipes == {}


def test_each_worker_of_an_own_unit_has_an_os_process():
    one = plan(*ROW, a={"place": "own", "workers": 2}, c={"place": "own"})
    assert homes(one) == {"main": {"camera": (0,), "b": (0,)}, "a#0": {"a": (0,)}, "a#1": {"a": (1,)}, "c": {"c": (0,)}}
    assert one.place_of("a", 1).name == "a#1"
    assert one.place_of("b", 0).is_main


def test_a_pool_has_as_many_os_processes_as_it_can_come_to_need():
    one = plan(*ROW, a={"place": "own", "workers": {"min": 1, "max": 3}})
    assert [place.name for place in one.places] == ["main", "a#0", "a#1", "a#2"]


def test_units_of_one_name_share_an_os_process_and_are_fused_there():
    one = plan(*ROW, a={"place": "gpu"}, b={"place": "gpu"})
    assert homes(one) == {"main": {"camera": (0,), "c": (0,)}, "gpu": {"a-b": (0,)}}


def test_all_workers_of_a_unit_with_a_named_place_are_threads_there():
    one = plan(*ROW, a={"place": "gpu", "workers": 3}, b={"place": "gpu"})
    assert homes(one)["gpu"] == {"a": (0, 1, 2), "b": (0,)}
    assert one.units["b"].not_fused == "a has 3 workers"


def test_main_is_there_also_where_no_unit_lives_in_it():
    one = plan(*ROW, **{name: {"place": "gpu"} for name in ("camera", "a", "b", "c")})
    assert homes(one) == {"main": {}, "gpu": {"camera-a-b-c": (0,)}}


@pytest.mark.parametrize(
    ("a", "b"), [("own", "own"), ("own", "main"), ("main", "own"), ("gpu", "other"), ("gpu", "main"), ("gpu", "own")]
)
def test_units_in_different_os_processes_are_not_fused(a, b):
    one = plan(*ROW, a={"place": a}, b={"place": b})
    assert one.units["b"].not_fused == "a lives in another OS process"


def test_async_units_may_live_anywhere():
    one = plan(*ROW, a={"use": later, "place": "own", "workers": 2})
    assert homes(one)["a#1"] == {"a": (1,)}


def test_links_are_calls_hand_offs_or_shared_memory():
    one = plan(*ROW, ("d", "c"), b={"workers": 2}, c={"place": "gpu"}, d={"place": "gpu"})
    assert [one.transport(link) for link in one.links] == ["fused", "thread", "shared", "fused"]
    assert {(name, port) for name, port in one.shared_pipes} == {("c", "x")}


def test_a_pipe_into_which_somebody_sends_from_elsewhere_is_shared():
    one = plan(("a", "camera"), ("b", "camera"), ("c", ["a", "b"]), a={"place": "own"})
    assert [one.transport(link) for link in one.units["c"].inputs["x"].links] == ["shared", "thread"]
    assert one.transport_to("c", "x") is Transport.SHARED


def test_what_is_pushed_by_hand_comes_from_main():
    process = Process("p").add("near", same).add("far", same, place="own")
    one = make_plan(process)
    assert (one.transport_to("near", "x"), one.transport_to("far", "x")) == ("thread", "shared")


def test_workers_in_several_os_processes_share_a_pipe_also_with_a_sender_that_is_in_one_of_them():
    one = plan(*ROW, a={"place": "own", "workers": 2}, b={"place": "own", "workers": 2})
    assert one.transport_to("b", "x") is Transport.SHARED


def test_shared_pipe_has_blocks_for_all_items_that_can_be_alive():
    pipe = {"capacity": 32, "batch": 8, "item": "6MB"}
    one = plan(*ROW, a={"place": "own", "workers": 3, "pipe": pipe})
    assert one.shared_pipes["a", "x"] == SharedPipe("a", "x", blocks=32 + 3 * 2 * 8 + 2, item=6e6)
    assert one.shared_pipes["a", "x"].bytes == 82 * 6e6


def test_bytes_of_a_shared_pipe_are_unknown_where_nobody_says_how_large_an_item_is():
    one = plan(*ROW, a={"place": "own"})
    assert one.shared_pipes["b", "x"].bytes is None


def test_a_class_may_know_how_large_its_items_are_which_asks_for_no_pipe():
    assert plan(("a", "camera"), a={"use": Large}).chains == (("camera", "a"),)
    one = plan(("a", "camera"), a={"use": Large, "place": "own"})
    assert one.shared_pipes["a", "x"].item == 6e6


def test_each_worker_has_its_device_its_environment_its_cpus_and_its_settings():
    settings = {"set": {"host": "here"}, "each": [{"port": 1}, {"port": "2", "host": "there"}]}
    more = {"device": "cuda:{index}", "env": {"TURN": "{index} of {count}", "A": 1}, "cpus": [[0, 1], "2-3"]}
    process = Process("p").add("listen", listen, place="own", workers=2, **settings, **more)
    unit = make_plan(process).units["listen"]
    assert [unit.settings_of(i) for i in (0, 1)] == [{"host": "here", "port": 1}, {"host": "there", "port": 2}]
    assert unit.settings_of(1, {"port": 9}) == {"host": "there", "port": 9}
    assert [unit.device_of(i) for i in (0, 1)] == ["cuda:0", "cuda:1"]
    assert [unit.env_of(i) for i in (0, 1)] == [{"TURN": "0 of 2", "A": "1"}, {"TURN": "1 of 2", "A": "1"}]
    _, first, second = make_plan(process).places
    assert (first.env, first.cpus) == ({"TURN": "0 of 2", "A": "1"}, (0, 1))
    assert (second.env["TURN"], second.cpus) == ("1 of 2", (2, 3))


def test_what_is_said_of_a_shared_os_process_is_gathered_from_its_units():
    one = plan(
        *ROW,
        a={"place": "gpu", "env": {"A": "1"}},
        b={"place": "gpu", "env": {"B": "2"}, "cpus": 0},
        c={"place": "gpu"},
    )
    assert (one.places[1].env, one.places[1].cpus) == ({"A": "1", "B": "2"}, (0,))


def test_device_and_settings_of_single_workers_need_no_place():
    process = Process("p").add("listen", listen, workers=2, device="cuda:{index}", each=[{"port": 1}, {"port": 2}])
    unit = make_plan(process).units["listen"]
    assert (unit.device_of(1), unit.settings_of(1)) == ("cuda:1", {"port": 2})
    assert plan().units["camera"].device_of(0) == "cpu"


def inner(**options: dict) -> Process:
    """Three units, of which two could be fused."""
    process = Process("inner").add("a", same, **options.get("a", {})).add("b", same, from_="a", **options.get("b", {}))
    return process.add("c", meet, from_={"x": "a", "y": "b"}, **options.get("c", {}))


def using(use: Process, **options: object) -> Plan:
    return make_plan(Process("p").add("camera", camera).add("hall", use, from_="camera", **options))


def test_a_used_process_with_a_name_for_a_place_lives_there_as_a_whole():
    one = using(inner(b={"place": "own"}), place="gpu")
    assert homes(one) == {"main": {"camera": (0,)}, "gpu": {"hall/a": (0,), "hall/b": (0,), "hall/c": (0,)}}


def test_a_used_process_of_its_own_has_one_os_process_for_each_copy():
    one = using(inner(b={"workers": 2}), place="own", workers=2)
    assert homes(one) == {
        "main": {"camera": (0,)},
        "hall#0": {"hall/a": (0,), "hall/b": (0, 1), "hall/c": (0,)},
        "hall#1": {"hall/a": (1,), "hall/b": (2, 3), "hall/c": (1,)},
    }


def test_chains_of_a_used_process_of_its_own_are_fused_in_it():
    chain = Process("inner").add("a", same).add("b", same, from_="a")
    assert homes(using(chain, place="own"))["hall"] == {"hall/a-hall/b": (0,)}
    assert homes(using(chain, place="own", workers=2))["hall#1"] == {"hall/a-hall/b": (1,)}


def test_places_said_inside_hold_where_the_use_says_none():
    one = using(inner(a={"place": "own"}, b={"place": "gpu"}), workers=2)
    assert [place.name for place in one.places] == ["main", "hall/a#0", "hall/a#1", "gpu"]


def test_the_outermost_use_that_has_a_place_decides_for_all_inside():
    middle = Process("middle").add("low", inner(), place="gpu", workers=3)
    one = using(middle, place="own", workers=2)
    assert one.place_of("hall/low/a", 2).name == "hall#0"
    assert one.place_of("hall/low/a", 3).name == "hall#1"
    assert [place.name for place in using(middle).places] == ["main", "gpu"]


def test_device_environment_and_cpus_of_a_used_process_are_its_units():
    one = using(
        inner(a={"env": {"A": "0", "B": "1"}, "device": "cpu:1"}),
        place="own",
        workers=2,
        device="cuda:{index}",
        env={"A": "2"},
        cpus=[[0], [1]],
    )
    assert one.units["hall/a"].device_of(1) == "cuda:1"
    assert [(place.env, place.cpus) for place in one.places[1:]] == [
        ({"A": "2", "B": "1"}, (0,)),
        ({"A": "2", "B": "1"}, (1,)),
    ]


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"env": {"A": "1"}}, "units.hall.env"),
        ({"place": "gpu!"}, "units.hall.place"),
        ({"place": "own", "workers": 2, "cpus": [[0], [1], [2]]}, "units.hall.cpus"),
        ({"device": "cuda:{number}"}, "units.hall.device"),
        ({"pipe": {"item": 1}}, "units.hall.pipe.item"),
    ],
    ids=["environment in main", "no name", "too many", "unknown word", "item in main"],
)
def test_what_is_wrong_is_told_where_the_process_is_used(said, path):
    with pytest.raises(ProcessError) as refused:
        using(Process("inner").add("a", same).add("b", same, from_="a"), **said)
    assert path in {problem.path for problem in refused.value.problems} <= {path, f"{path}.x"}


def test_a_unit_that_is_called_main_can_not_have_an_os_process_of_that_name():
    with pytest.raises(ProcessError, match="its OS process would be called `main`, as the first one is: rename"):
        plan(("main", "camera"), main={"place": "own"})


def test_settings_of_single_workers_are_the_same_in_each_copy_of_a_process():
    inside = Process("inner").add("listen", listen, workers=2, each=[{"port": 1}, {"port": 2}])
    unit = make_plan(Process("p").add("hall", inside, workers=2)).units["hall/listen"]
    assert [unit.settings_of(i)["port"] for i in range(4)] == [1, 2, 1, 2]
