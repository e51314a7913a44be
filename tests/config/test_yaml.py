"""YAML is read as version 1.2 says, with the place of every key."""

import pytest

from streampy.model.config.document import Document
from streampy.model.config.from_json import read_json
from streampy.model.config.from_toml import read_toml
from streampy.model.config.from_yaml import read_yaml


def value_of(text, read=read_yaml):
    document = Document("file")
    read(text, document)
    assert document.problems == []
    return document.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e-3", 0.001),
        ("-.5", -0.5),
        (".inf", float("inf")),
        ("~", None),
        ("", None),
        ("5ms", "5ms"),
        ("'5'", "5"),
        ("!!str 5", "5"),
    ],
)
def test_plain_values_are_what_they_look_like(text, value):
    read = value_of(f"key: {text}")["key"]

    assert (value, type(value)) == (read, type(read))


def test_keys_are_always_text():
    assert value_of("on: 1\n1: 2\ntrue: 3\n~: 4\n") == {"on": 1, "1": 2, "true": 3, "~": 4}


def test_anchor_is_merged_and_own_keys_count_more():
    anchors = "fast: &fast {capacity: 8, batch: 4}\nslow: &slow {capacity: 99, wait: 1s}\n"
    text = f"{anchors}mine: {{<<: [*fast, *slow], batch: 2}}\n"

    assert value_of(text)["mine"] == {"capacity": 8, "batch": 2, "wait": "1s"}


def test_what_is_merged_has_the_place_where_it_was_written():
    document = Document("file.yaml")
    read_yaml("fast: &fast\n  batch: 4\nmine:\n  <<: *fast\n", document)

    assert document.place(("mine", "batch")) == ("file.yaml", 2, 3)


def test_place_is_that_of_the_key_or_of_the_nearest_above():
    document = Document("file.yaml")
    read_yaml("units:\n  camera:\n    from: [a, b]\n", document)

    assert document.place(("units", "camera", "from")) == ("file.yaml", 3, 5)
    assert document.place(("units", "camera", "from", 1)) == ("file.yaml", 3, 15)
    assert document.place(("units", "camera", "set", "url")) == ("file.yaml", 2, 3)


def test_billion_laughs_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    document = Document("file.yaml")

    read_yaml("\n".join(lines), document)

    assert "more than 100000 values" in document.problems[0].message


def test_json_may_be_indented_with_tabs_and_escape_what_it_likes():
    text = '{\n\t"text": "tab\\t, slash\\/, smile \\ud83d\\ude00",\n\t"number": 1.5e3\n}'

    assert value_of(text, read_json) == {"text": "tab\t, slash/, smile \U0001f600", "number": 1500.0}


def test_toml_keys_have_their_lines():
    document = Document("file.toml")
    read_toml(
        'process = "p"\n\n[units.camera]\nuse = "u:c"\nset.url = "x"\n\n[units."other"]\nfrom = {a = "b"}\n', document
    )

    assert document.place(("units", "camera", "use")) == ("file.toml", 4, 1)
    assert document.place(("units", "camera", "set", "url")) == ("file.toml", 5, 5)
    assert document.place(("units", "other", "from", "a")) == ("file.toml", 8, 1)
    assert document.place(("units",)) == ("file.toml", 3, 2)
