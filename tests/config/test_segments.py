"""`segments` and `links` in a file say what Python would."""

import json

import pytest
from jsonschema import Draft202012Validator

import streampy as sp
from streampy.model.config.schema import process_schema
from streampy.model.load import load_plan
from streampy.model.pipe import Crashed
from streampy.model.segments import Ack, LinkSpec, SegmentSpec, Tls

UNITS = {
    "numbers": {"use": "units:numbers"},
    "double": {"use": "units:double", "from": "numbers"},
    "add": {"use": "units:add", "from": {"left": "numbers", "right": "double"}},
}
SEGMENTS = {
    "edge": ["numbers", "add"],
    "core": {
        "units": ["double"],
        "replicas": 2,
        "on_crash": "restart",
        "listen": "tcp://0.0.0.0:7400",
        "tls": {"ca": "ca.pem", "cert": "core.pem", "key": "core.key"},
        "token": "${TOKEN}",
    },
}
LINK = {
    "dial": ["tcp://core:7400", "file:///run/core"],
    "tls": {"ca": "ca.pem", "cert": "edge.pem", "key": "edge.key", "name": "core"},
    "token": "${TOKEN}",
    "window": 8,
    "ack": "none",
    "deadline": "2s",
    "via": "nats://broker:4222",
}
VALUE = {"process": "p", "units": UNITS, "segments": SEGMENTS, "links": {"edge -> core": LINK}}
YAML = """
process: p
units:
  numbers: {use: "units:numbers"}
  double: {use: "units:double", from: numbers}
  add: {use: "units:add", from: {left: numbers, right: double}}
segments:
  edge: [numbers, add]
  core:
    units: [double]
    replicas: 2
    on_crash: restart
    listen: tcp://0.0.0.0:7400
    tls: {ca: ca.pem, cert: core.pem, key: core.key}
    token: ${TOKEN}
links:
  edge -> core:
    dial: ["tcp://core:7400", "file:///run/core"]
    tls: {ca: ca.pem, cert: edge.pem, key: edge.key, name: core}
    token: ${TOKEN}
    window: 8
    ack: none
    deadline: 2s
    via: nats://broker:4222
"""
TOML = """
process = "p"
units.numbers = {use = "units:numbers"}
units.double = {use = "units:double", from = "numbers"}
units.add = {use = "units:add", from = {left = "numbers", right = "double"}}
segments.edge = ["numbers", "add"]
[segments.core]
units = ["double"]
replicas = 2
on_crash = "restart"
listen = "tcp://0.0.0.0:7400"
tls = {ca = "ca.pem", cert = "core.pem", key = "core.key"}
token = "${TOKEN}"
[links."edge -> core"]
dial = ["tcp://core:7400", "file:///run/core"]
tls = {ca = "ca.pem", cert = "edge.pem", key = "edge.key", name = "core"}
token = "${TOKEN}"
window = 8
ack = "none"
deadline = "2s"
via = "nats://broker:4222"
"""
VALIDATOR = Draft202012Validator(process_schema())


@pytest.fixture
def told(write):
    """What is wrong with a file that has these segments and links: where, and what."""

    def told(rest):
        units = "units:\n  numbers: {use: 'units:numbers'}\n  double: {use: 'units:double', from: numbers}\n"
        with pytest.raises(sp.ProcessError) as refused:
            sp.load(write("p.yaml", f"process: p\n{units}{rest}"))
        return [(problem.line, problem.column, problem.path, problem.message) for problem in refused.value.problems]

    return told


@pytest.mark.parametrize(
    ("name", "text"),
    [("p.yaml", YAML), ("p.json", json.dumps(VALUE)), ("p.toml", TOML), ("", "")],
    ids=["yaml", "json", "toml", "dict"],
)
def test_all_forms_describe_the_same_segments(name, text, write, monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    plan = load_plan(write(name, text) if name else VALUE)

    files = Tls("ca.pem", "core.pem", "core.key")
    assert plan.segments == {
        "edge": SegmentSpec("edge", ("numbers", "add")),
        "core": SegmentSpec("core", ("double",), 2, "tcp://0.0.0.0:7400", files, "secret", Crashed.RESTART),
    }
    assert plan.wires == (
        LinkSpec(
            "edge",
            "core",
            ("tcp://core:7400", "file:///run/core"),
            Tls("ca.pem", "edge.pem", "edge.key", "core"),
            "secret",
            8,
            Ack.NONE,
            2.0,
            "nats://broker:4222",
        ),
    )


def test_what_is_not_said_is_as_in_python(write):
    text = YAML.partition("segments:")[0] + "segments: {edge: [numbers, add], core: double}\nlinks: {edge->core: }\n"
    plan = load_plan(write("p.yaml", text))

    assert plan.segments["core"] == SegmentSpec("core", ("double",))
    assert plan.wires == (LinkSpec("edge", "core"),)


def test_keys_whose_lines_are_commented_out_ask_for_nothing(write):
    plan = load_plan(write("p.yaml", f"{YAML.partition('segments:')[0]}segments:\n#  edge: []\nlinks:\n"))

    assert (plan.segments, plan.wires) == ({}, ())


def test_values_come_from_the_environment(write, monkeypatch):
    monkeypatch.setenv("REPLICAS", "3")
    monkeypatch.setenv("WHERE", "tcp://[::1]:7400")
    text = YAML.partition("segments:")[0] + (
        "segments: {edge: [numbers, add], core: {units: double, replicas: '${REPLICAS}', listen: '${WHERE}'}}\n"
        "links: {edge -> core: {dial: '${WHERE}', window: '${WINDOW:-2}'}}\n"
    )
    plan = load_plan(write("p.yaml", text))

    assert (plan.segments["core"].replicas, plan.segments["core"].listen) == (3, "tcp://[::1]:7400")
    assert (plan.wires[0].dial, plan.wires[0].window) == (("tcp://[::1]:7400",), 2)


def test_each_unit_of_a_short_list_has_its_place(told):
    assert told("segments:\n  edge:\n    - numbers\n    - dubble\n    - ${NOWHERE}\n") == [
        (8, 7, "segments.edge.units.1", "there is no unit 'dubble', did you mean 'double'?"),
        (
            9,
            7,
            "segments.edge.2",
            "the environment variable NOWHERE is not set: set it, or write a default, ${NOWHERE:-default}",
        ),
    ]


def test_what_is_to_happen_when_a_segment_dies_is_one_of_two_words(told):
    ((_, _, path, message),) = told("segments: {a: {units: [numbers, double], on_crash: restrat}}\n")
    assert path == "segments.a.on_crash"
    assert message == "got 'restrat', expected stop or restart, did you mean 'restart'?"


def test_what_follows_from_a_segment_that_is_wrong_is_not_told_as_well(told):
    assert told("segments: {edge: [numbers], core: 5}\nlinks: {edge -> core: {window: 2}}\n") == [
        (
            5,
            29,
            "segments.core",
            "got 5, expected a list of units, or a mapping such as {units: [identify], replicas: 2}",
        )
    ]
    assert [path for _, _, path, _ in told("segments: [edge]\nlinks: {edge -> core: {window: 2}}\n")] == ["segments"]
    assert [path for _, _, path, _ in told("segments: {edge: [numbers, 5], core: [double]}\n")] == [
        "segments.edge.units"
    ]


def test_files_for_tls_that_are_misspelt_are_told_once(told):
    rest = "segments: {edge: [numbers], core: {units: [double], tls: {crt: c, key: k}}}\nlinks:\n  edge -> core:\n"
    assert told(rest + "    tls: {name: 5, key: k}\n") == [
        (5, 59, "segments.core.tls.crt", "unknown key 'crt', did you mean 'cert'?"),
        (8, 11, "links.edge -> core.tls.name", "got 5, expected text"),
    ]


def test_a_token_that_is_no_text_is_not_repeated(told):
    ((_, _, path, message),) = told("segments: {edge: [numbers], core: {units: [double], token: 12345678}}\n")
    assert (path, message) == ("segments.core.token", "expected text; a number stands in quotes")


@pytest.mark.parametrize(
    ("word", "meant"), [("url", "dial"), ("address", "dial"), ("to", "dial"), ("qos", "ack"), ("timeout", "deadline")]
)
def test_words_that_people_try_at_a_link_lead_to_the_key(word, meant, told):
    ((_, _, _, message),) = told(f"segments: {{a: [numbers], b: [double]}}\nlinks: {{a -> b: {{{word}: x}}}}\n")
    assert message == f"unknown key {word!r}, did you mean {meant!r}?"


@pytest.mark.parametrize(("word", "meant"), [("bind", "listen"), ("port", "listen"), ("workers", "replicas")])
def test_words_that_people_try_at_a_segment_lead_to_the_key(word, meant, told):
    ((_, _, _, message),) = told(f"segments: {{a: {{units: [numbers, double], {word}: 2}}}}\n")
    assert message == f"unknown key {word!r}, did you mean {meant!r}?"


def test_a_unit_may_be_given_a_place_and_a_process_settings_where_it_is_cut(write):
    write("inner.yaml", "process: inner\nunits:\n  double: {use: 'units:double'}\n")
    text = """
        process: p
        units:
          numbers: {use: "units:numbers"}
          hall: {use: inner.yaml, from: numbers}
        segments:
          edge: [numbers]
          core: [hall]
    """
    plan = load_plan(write("p.yaml", text), set={"numbers.until": 5, "hall/double.place": "own"})

    assert plan.segments["core"].units == ("hall/double",)
    assert [place.name for place in plan.of_segment("core").places] == ["main", "hall/double"]


def test_the_schema_takes_what_is_right():
    assert [error.message for error in VALIDATOR.iter_errors(VALUE)] == []
    more = {"segments": {"edge": ["numbers"], "core": {"units": "double", "replicas": "${N:-2}"}}}
    assert VALIDATOR.is_valid({**VALUE, **more, "links": {"edge->core": {"dial": "${CORE}", "deadline": 0.5}}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"segments": ["edge"]},
        {"segments": {"edge": []}},
        {"segments": {"edge": {"replicas": 2}}},
        {"segments": {"no name": ["numbers"]}},
        {"segments": {"edge": {"units": ["numbers"], "listen": "0.0.0.0:7400"}}},
        {"segments": {"edge": {"units": ["numbers"], "replicas": 0}}},
        {"links": {"edge": {}}},
        {"links": {"edge -> core": {"dial": "core:7400"}}},
        {"links": {"edge -> core": {"ack": "sometimes"}}},
        {"links": {"edge -> core": {"window": 0}}},
        {"links": {"edge -> core": {"via": "amqp://broker"}}},
        {"links": {"edge -> core": {"tls": {"pem": "x"}}}},
    ],
)
def test_the_schema_refuses_what_is_wrong(wrong):
    assert not VALIDATOR.is_valid({**VALUE, **wrong})
