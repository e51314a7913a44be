"""Segments: what is said of them, which unit lives in which, what joins them, and what one of them runs."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import pytest

from streampy.errors import ProcessError
from streampy.model.check import make_plan
from streampy.model.place import Transport
from streampy.model.plan import Plan
from streampy.model.process import Process
from streampy.model.segments import Ack, LinkSpec, SegmentSpec, Tls, address_file, parse_address


def camera() -> Iterator[int]: ...
def same(x: int) -> int: ...
def meet(x: int, y: int) -> int: ...
def show(x: int) -> None: ...


def faces() -> Process:
    """What a camera sees goes through two units, and meets what it was."""
    process = Process("faces").add("camera", camera).add("small", same, from_="camera")
    process.add("identify", same, from_="small")
    return process.add("annotate", meet, from_={"x": "camera", "y": "identify"})


def cut_faces() -> Process:
    """With `identify` in a segment of its own."""
    return faces().segment("edge", "camera", "small", "annotate").segment("core", "identify")


def problems(process: Process) -> dict[str, str]:
    """What is wrong, by path."""
    with pytest.raises(ProcessError) as refused:
        make_plan(process)
    return {problem.path: problem.message for problem in refused.value.problems}


def homes(one: Plan) -> dict[str, list[str]]:
    return {place.name: list(place.units) for place in one.places}


def test_a_process_without_segments_is_one_program():
    plan = make_plan(faces())
    assert (plan.segments, plan.wires, plan.crossings, plan.segment_of("small")) == ({}, (), (), "")


def test_each_unit_lives_in_its_segment_in_the_order_of_the_process():
    process = faces().segment("edge", "annotate", "small", "camera").segment("core", "identify", replicas=2)
    plan = make_plan(process)
    assert {name: segment.units for name, segment in plan.segments.items()} == {
        "edge": ("camera", "small", "annotate"),
        "core": ("identify",),
    }
    assert [plan.segment_of(unit) for unit in plan.units] == ["edge", "edge", "core", "edge"]
    assert plan.segments["core"].replicas == 2


def test_links_between_segments_are_crossings_that_the_network_carries():
    plan = make_plan(cut_faces())
    assert [str(link) for link in plan.crossings] == ["small.out -> identify.x", "identify.out -> annotate.y"]
    assert {str(link): plan.transport(link) for link in plan.links} == {
        "camera.out -> small.x": Transport.THREAD,
        "camera.out -> annotate.x": Transport.THREAD,
        "small.out -> identify.x": Transport.NETWORK,
        "identify.out -> annotate.y": Transport.NETWORK,
    }
    assert plan.transport_to("identify", "x") is Transport.NETWORK


def test_units_in_different_segments_are_not_fused():
    row = Process("row").add("camera", camera).add("a", same, from_="camera").add("b", same, from_="a")
    plan = make_plan(row.segment("edge", "camera", "a").segment("core", "b"))
    assert plan.chains == (("camera", "a"), ("b",))
    assert plan.units["b"].not_fused == "lives in segment core"


def test_what_joins_two_segments_is_what_was_said_whoever_sends():
    process = cut_faces().link("core", "edge", dial="tcp://edge:7400", window=8, ack="none", deadline="2s")
    plan = make_plan(process)
    wire = LinkSpec("core", "edge", ("tcp://edge:7400",), window=8, ack=Ack.NONE, deadline=2.0)
    assert plan.wires == (wire,)
    assert plan.wire("edge", "core") == plan.wire("core", "edge") == wire


def test_where_nothing_was_said_the_segment_that_sends_first_dials_and_has_no_address_yet():
    plan = make_plan(cut_faces())
    assert plan.wires == (LinkSpec("edge", "core"),)
    wire = plan.wire("core", "edge")
    assert (wire.dial, wire.window, wire.ack, wire.deadline) == ((), 64, Ack.PROCESSED, inf)


def test_segments_that_no_link_joins_have_nothing_between_them():
    process = faces().add("alone", camera).segment("other", "alone")
    plan = make_plan(process.segment("edge", "camera", "small", "annotate").segment("core", "identify"))
    assert [str(wire) for wire in plan.wires] == ["edge -> core"]
    with pytest.raises(LookupError, match="no link leads from 'edge' to 'other', nor back"):
        plan.wire("edge", "other")


def test_a_used_process_lives_in_a_segment_with_all_of_its_units():
    inner = Process("inner").add("a", same).add("b", same, from_="a")
    middle = Process("middle").add("low", inner)
    process = Process("p").add("camera", camera).add("hall", middle, from_="camera")
    plan = make_plan(process.segment("edge", "camera").segment("core", "hall"))
    assert plan.segments["core"].units == ("hall/low/a", "hall/low/b")
    assert plan.segment_of("hall/low/b") == "core"
    assert plan.of_segment("edge").groups == {}
    assert list(plan.of_segment("core").groups) == ["hall", "hall/low"]


def test_what_a_segment_runs_has_its_units_as_they_are_and_all_that_others_must_hear_of_them():
    plan = make_plan(cut_faces())
    edge = plan.of_segment("edge")
    assert list(edge.units) == ["camera", "small", "annotate"]
    assert all(edge.units[name] is plan.units[name] for name in edge.units)
    assert edge.chains == (("camera",), ("small",), ("annotate",))
    assert (edge.mourners, edge.part_mourners, edge.depths) == (plan.mourners, plan.part_mourners, plan.depths)
    assert (edge.segments, edge.wires) == (plan.segments, plan.wires)


def test_what_a_segment_runs_knows_the_links_that_lead_into_it_and_out_of_it():
    core = make_plan(cut_faces()).of_segment("core")
    assert [str(link) for link in core.links] == ["identify.out -> annotate.y", "small.out -> identify.x"]
    assert core.crossings == core.links
    assert core.transport_to("identify", "x") is Transport.NETWORK


def test_a_cycle_belongs_to_the_segment_in_which_it_lies():
    process = Process("p").add("camera", camera)
    process.add("a", same, from_=["camera", "b"], pipe={"overflow": "latest"}).add("b", same, from_="a")
    plan = make_plan(process.segment("edge", "camera").segment("core", "a", "b"))
    assert plan.of_segment("edge").loops == ()
    assert plan.of_segment("core").loops == plan.loops == (frozenset({"a", "b"}),)


def test_a_name_of_a_place_means_an_os_process_in_each_segment():
    process = Process("p").add("camera", camera, place="gpu").add("a", same, from_="camera")
    process.add("b", same, from_="a", place="gpu").add("c", same, from_="b")
    plan = make_plan(process.segment("edge", "camera", "a").segment("core", "b", "c"))
    assert homes(plan) == {"main": ["a", "c"], "gpu": ["camera", "b"]}  # where all run as one program
    assert homes(plan.of_segment("edge")) == {"main": ["a"], "gpu": ["camera"]}
    assert homes(plan.of_segment("core")) == {"main": ["c"], "gpu": ["b"]}


def test_what_comes_from_another_segment_comes_to_main_so_that_pipes_elsewhere_are_shared():
    process = Process("p").add("camera", camera, place="gpu")
    process.add("near", same, from_="camera").add("far", same, from_="camera", place="gpu", pipe={"item": "6MB"})
    plan = make_plan(process.segment("edge", "camera").segment("core", "near", "far"))
    assert list(plan.shared_pipes) == [("near", "x")]  # as one program, camera and far share an OS process
    assert list(plan.of_segment("core").shared_pipes) == [("far", "x")]
    assert plan.of_segment("edge").shared_pipes == {}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://core:7400", ("core", 7400)),
        ("tcp://core.faces.svc.cluster.local:1", ("core.faces.svc.cluster.local", 1)),
        ("tcp://127.0.0.1:0", ("127.0.0.1", 0)),
        ("tcp://[::1]:7400", ("::1", 7400)),
        ("tcp://[2001:db8::7]:65535", ("2001:db8::7", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(address, expected):
    assert parse_address(address) == expected


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("core:7400", "did you mean 'tcp://core:7400'?"),
        ("http://core:7400/", "did you mean 'tcp://core:7400'?"),
        ("tcp://::1:7400", r"did you mean 'tcp://\[::1\]:7400'\?"),
        ("tcp://core", "expected tcp://HOST:PORT, such as tcp://core.example:7400$"),
        ("tcp://[core]:7400", "expected tcp://HOST:PORT"),
        ("tcp://:7400", "expected tcp://HOST:PORT"),
        ("tcp://me@core:7400", "expected tcp://HOST:PORT"),
        ("tcp://core:65536", "expected a port of at most 65535"),
        ("", "expected tcp://HOST:PORT"),
    ],
)
def test_what_is_no_address_is_refused_with_what_was_meant(address, message):
    with pytest.raises(ValueError, match=message):
        parse_address(address)


def test_addresses_may_stand_in_a_file():
    assert address_file("file:///etc/core.addresses") == "/etc/core.addresses"
    assert address_file("tcp://core:7400") == ""
    with pytest.raises(ValueError, match="got 'file://core', expected the whole path of a file"):
        address_file("file://core")


def test_one_may_dial_several_addresses():
    process = cut_faces().link("edge", "core", dial=["tcp://one:1", "file:///two"])
    assert make_plan(process).wires[0].dial == ("tcp://one:1", "file:///two")


def test_tls_is_given_as_files():
    process = faces().segment("edge", "camera", "small", "annotate")
    process.segment("core", "identify", tls={"ca": "ca.pem", "cert": "core.pem", "key": "core.key"})
    plan = make_plan(process.link("edge", "core", tls=Tls(ca="ca.pem", name="core")))
    assert plan.segments["core"].tls == Tls("ca.pem", "core.pem", "core.key")
    assert plan.wire("edge", "core").tls == Tls(ca="ca.pem", name="core")


def test_secrets_are_not_shown():
    segment = SegmentSpec("core", ("a",), token="hidden")  # noqa: S106 - the point of it
    link = LinkSpec("edge", "core", token="hidden", via="nats://me:hidden@broker:4222")  # noqa: S106
    assert "hidden" not in f"{segment!r} {link!r} {link}"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"dial": "core:7400"}, "dial: got 'core:7400', expected tcp"),
        ({"dial": ["tcp://core:0"]}, "dial: got 'tcp://core:0', expected the port at which the other segment listens"),
        ({"window": 0}, "window: got 0, expected a whole number, at least 1"),
        ({"window": True}, "window: got True, expected a whole number"),
        ({"ack": "proccessed"}, "got 'proccessed', expected processed or none, did you mean 'processed'"),
        ({"deadline": "soon"}, "got 'soon', expected a duration"),
        ({"deadline": 0}, "deadline: got 0.0, expected a duration above 0"),
        ({"via": "amqp://me:hidden@broker"}, "via: got 'amqp://broker', expected nats://HOST:PORT or kafka://"),
        ({"tls": {"cert": "edge.pem"}}, "cert is of no use without the other half: add `key`"),
        ({"tls": {"pem": "edge.pem"}}, "tls: got 'pem', expected ca, cert, key, name"),
    ],
)
def test_what_can_not_be_read_of_a_link_is_told_at_once(said, message):
    with pytest.raises(ValueError, match=message):
        cut_faces().link("edge", "core", **said)


@pytest.mark.parametrize(
    ("name", "units", "said", "message"),
    [
        ("no name", ["a"], {}, "got 'no name', expected a name"),
        ("edge", ["a"], {}, "there is a segment 'edge' in 'faces' already"),
        ("empty", [], {}, "the segment 'empty' has no units"),
        ("a", ["a"], {"replicas": 0}, "replicas: got 0, expected a whole number, at least 1"),
        ("a", ["a"], {"on_crash": "again"}, "got 'again', expected stop or restart"),
        ("a", ["a"], {"listen": "0.0.0.0:1"}, "listen: got '0.0.0.0:1', expected tcp"),
    ],
)
def test_what_can_not_be_read_of_a_segment_is_told_at_once(name, units, said, message):
    with pytest.raises(ValueError, match=message):
        cut_faces().segment(name, *units, **said)


def test_a_unit_is_in_exactly_one_segment():
    told = problems(faces().segment("edge", "camera", "smal").segment("core", "identify", "camera"))
    assert told == {
        "segments.edge.units.1": "there is no unit 'smal', did you mean 'small'?",
        "segments.core.units.1": "'camera' is in the segment 'edge' already: a unit lives in one; remove it",
        "segments": "'annotate' is in no segment, and each unit lives in one: add it to edge or core",
    }


def test_a_used_process_can_not_be_cut():
    inner = Process("inner").add("a", same).add("b", same, from_="a")
    process = Process("p").add("camera", camera).add("hall", inner, from_="camera")
    told = problems(process.segment("edge", "camera", "hall/a").segment("core", "hall"))
    assert told == {
        "segments.edge.units.1": "got 'hall/a', but a used process lives in one segment as a whole: "
        "'hall' stands for all of it"
    }


def test_only_the_outermost_process_has_segments():
    inner = Process("inner").add("a", same).add("b", same, from_="a").segment("one", "a").segment("two", "b")
    told = problems(Process("p").add("camera", camera).add("hall", inner, from_="camera"))
    assert told == {
        "units.hall.use": "inner is cut into segments (one, two), and only the outermost process may be: "
        "remove them there, and let 'hall' live in a segment here"
    }


def test_a_cycle_stays_in_one_segment():
    process = Process("p").add("camera", camera)
    process.add("a", same, from_=["camera", "b"], pipe={"overflow": "latest"}).add("b", same, from_="a")
    told = problems(process.segment("edge", "camera", "a").segment("core", "b"))
    assert told == {
        "segments.core.units.0": "the cycle of a, b goes through the segments edge and core: "
        "let all its units live in one"
    }


def test_segments_may_feed_each_other_where_no_unit_does():
    plan = make_plan(cut_faces())
    assert {plan.segment_of(link.sender) for link in plan.crossings} == {"edge", "core"}
    assert plan.loops == ()


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (("edge", "cor"), "there is no segment 'cor', did you mean 'core'?"),
        (("edge", "edge"), "it leads from a segment to itself: links within a segment need nothing; remove it"),
        (("edge", "alone"), "it carries nothing: no unit of 'edge' is linked with one of 'alone'; remove it"),
    ],
)
def test_a_link_between_segments_joins_two_that_have_something_to_say_to_each_other(ends, message):
    process = faces().add("lonely", camera).segment("alone", "lonely")
    process.segment("edge", "camera", "small", "annotate").segment("core", "identify")
    assert problems(process.link(*ends)) == {f"links.{' -> '.join(ends)}": message}


def test_two_segments_are_joined_once():
    told = problems(cut_faces().link("edge", "core").link("core", "edge"))
    assert told == {
        "links.core -> edge": "'edge -> core' joins these two already, and carries both ways: "
        "keep the one whose first segment dials"
    }


def test_a_link_between_segments_needs_segments():
    told = problems(faces().link("edge", "core"))
    assert told == {"links.edge -> core": "there are no segments that it could join: add `segments`, or remove it"}


def test_a_link_that_is_wrong_between_units_is_told_once():
    process = Process("p").add("camera", camera).add("a", same, from_="camra")
    process.segment("edge", "camera").segment("core", "a").link("edge", "core")
    assert list(problems(process)) == ["units.a.from"]


def test_a_token_is_known_to_both_sides_or_to_none():
    asks = faces().segment("edge", "camera", "small", "annotate").segment("core", "identify", token="x")  # noqa: S106
    assert problems(asks.link("edge", "core")) == {
        "links.edge -> core": "the segment 'core' asks for its token: add `token`, the same as there"
    }
    told = problems(cut_faces().link("edge", "core", token="x"))  # noqa: S106
    assert told == {
        "links.edge -> core.token": "the segment 'core' asks for none, and would let everybody in: "
        "add the same to `segments.core`"
    }


def test_who_listens_shows_a_certificate_and_expects_no_name():
    process = faces().segment("edge", "camera", "small", "annotate")
    told = problems(process.segment("core", "identify", tls={"ca": "ca.pem", "name": "core"}))
    assert told == {
        "segments.core.tls": "who listens shows a certificate: add `cert` and `key`",
        "segments.core.tls.name": "`name` is what a dialler expects to find in the certificate: it stands at the link",
    }


def test_what_is_wrong_is_told_at_the_line_that_said_it():
    process = cut_faces()
    process.link("edge", "cor")
    line = test_what_is_wrong_is_told_at_the_line_that_said_it.__code__.co_firstlineno + 2
    with pytest.raises(ProcessError) as refused:
        make_plan(process)
    assert [(problem.file, problem.line) for problem in refused.value.problems] == [(__file__, line)]
