"""Editors check with the JSON Schema: it agrees with `streampy check` on what the keys can be."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from streampy.model.config.schema import process_schema

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(process_schema())
EXAMPLES = sorted(file for file in ROOT.glob("examples/**/*.yaml") if "out" not in file.parts)
WRONG_KEYS = [
    "no_process",
    "no_units",
    "no_use",
    "no_workers",
    "duration",
    "size",
    "overflow",
    "late",
    "on_error",
    "from_a_number",
    "unknown_key",
    "unknown_key_at_the_top",
    "unknown_key_in_join",
    "unknown_key_in_pipe",
    "units_in_a_list",
    "unit_that_is_text",
    "wrong_types",
    "order",
    "rate",
    "segments",
    "links",
    "places",
    "name_with_a_dot",
    "a_list",
]


def test_schema_is_a_schema():
    Draft202012Validator.check_schema(process_schema())
    assert process_schema() == json.loads(json.dumps(process_schema(), allow_nan=False))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_examples_are_valid(file):
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(file.read_text()))] == []


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_wrong_keys_are_seen_in_the_editor(name):
    text = (ROOT / "tests" / "broken" / f"{name}.yaml").read_text()

    assert not VALIDATOR.is_valid(yaml.safe_load(text))


def test_variables_may_stand_for_numbers_and_words():
    unit = {
        "use": "a:b",
        "workers": "${N:-2}",
        "ordered": "${O:-true}",
        "timeout": "${T}",
        "place": "${P:-own}",
        "device": "cuda:{index}",
        "cpus": ["${C}", "2-3"],
        "env": {"OMP_NUM_THREADS": "${N}"},
        "each": [{"port": 1}, {"port": "${P}"}],
        "pipe": {"capacity": "${C}", "overflow": "${V:-block}", "frame": {"batch": "${B}"}},
    }

    assert VALIDATOR.is_valid({"process": "p", "units": {"u": unit}, "x-anchors": {"anything": 1}})


@pytest.mark.parametrize("cpus", [0, "0-3,8", [0, 1], [[0, 1], [2, 3]], ["0-1", "2-3"]])
def test_cpus_are_written_as_people_write_them(cpus):
    unit = {"use": "a:b", "place": "own", "cpus": cpus}

    assert VALIDATOR.is_valid({"process": "p", "units": {"u": unit}})


@pytest.mark.parametrize("wrong", [{"cpus": [-1]}, {"cpus": []}, {"env": ["A"]}, {"each": {"port": 1}}, {"place": 3}])
def test_wrong_surroundings_are_seen_in_the_editor(wrong):
    assert not VALIDATOR.is_valid({"process": "p", "units": {"u": {"use": "a:b", **wrong}}})


def test_ends_may_lie_in_used_processes_and_settings_reach_into_them():
    unit = {
        "use": "other.yaml",
        "from": {"join.frame": "small", "names": ["who.is-it.boxes", "who"]},
        "set": {"detect": {"threshold": 0.5}},
        "pipe": {"join.frame": {"rate": "10/s", "order": "priority"}, "rate": 2.5},
    }

    assert VALIDATOR.is_valid({"process": "p", "units": {"u": unit}})
    assert not VALIDATOR.is_valid({"process": "p", "units": {"u": {"use": "a:b", "from": "who..is"}}})


def test_every_key_is_described():
    schema = process_schema()
    keys = {
        f"{owner}.{name}": key
        for owner, part in [("process", schema), *schema["$defs"].items()]
        for name, key in part["properties"].items()
    }

    assert [name for name, key in keys.items() if not key.get("description")] == []
    assert len(keys) > 25
