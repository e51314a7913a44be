"""Whatever a file says: it is a process, or its problems are told; nothing else ever comes out."""

from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from streampy.errors import ProcessError
from streampy.model.load import load

KEYS = ("process", "units", "use", "set", "from", "workers", "place", "ordered", "pipe", "join", "on_error", "on_crash")
KEYS += (
    "timeout",
    "device",
    "env",
    "cpus",
    "each",
    "capacity",
    "item",
    "batch",
    "wait",
    "overflow",
    "late",
    "key",
    "retry",
    "then",
    "backoff",
    "dial",
    "tls",
    "cert",
    "window",
    "deadline",
    "replicas",
    "camera",
    "double",
)
words = st.sampled_from(
    (*KEYS, "units:numbers", "units:double", "units:add", "block", "drop_oldest", "skip", "5ms", "")
)
plain = st.none() | st.booleans() | st.integers(-2, 100) | st.floats() | words | st.text(max_size=5)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | plain.filter(bool), inner, max_size=4),
    max_leaves=12,
)
a_unit = st.fixed_dictionaries(
    {"use": st.sampled_from(["units:numbers", "units:double", "units:add"]) | values},
    optional=dict.fromkeys(KEYS[3:17], values),
)
segments = st.dictionaries(words, st.lists(words, max_size=3) | values, max_size=3)
links = st.dictionaries(st.sampled_from(["camera -> double", "double->camera", "use -> set", "->"]), values, max_size=3)
processes = st.fixed_dictionaries(
    {"process": st.just("p"), "units": st.dictionaries(words, a_unit | values, max_size=4)},
    optional={"segments": segments | values, "links": links | values},
)
calm = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def load_or_tell(source):
    with suppress(ProcessError):
        load(source)


@calm
@given(processes | st.dictionaries(words | st.integers(), values))
@example({1: 2})
@example({"process": "p", "units": {"a": {"use": "units:double", "from": "a"}}})
@example({"process": "p", "units": {"a": {"use": "units:double", "each": [{1.5: None, 1: 2}]}}})
def test_any_dict(folder, source):
    load_or_tell(source)


@calm
@given(st.text(alphabet="abu: {}[]\n\t-,&*!|>'\"#%@`$?\\x00é0.", max_size=40))
@example("a: &a\n  <<: *a\n")
@example("? {a: b}\n: c\n")
@example("a: !!int x\n")
@example("!!set {a, b}\n")
@example("a: |\n")
@example("- &a [*a]\n")
def test_any_text(folder, text):
    for suffix in ("yaml", "json", "toml"):
        file = Path(f"any.{suffix}")
        file.write_text(text)
        load_or_tell(str(file))


@calm
@given(st.sampled_from(sorted((Path(__file__).parents[1] / "broken").glob("*.yaml"))), st.data())
def test_any_slip_in_a_file(folder, file, data):
    text = file.read_text()
    at = data.draw(st.integers(0, len(text) - 1))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.sampled_from(["", " ", "\n", ":", "'", "{", "]", "\t", "x", "- ", "*", "&", "${"]))
    slipped = Path("slip.yaml")
    slipped.write_text(text[:at] + put + text[at + cut :])
    load_or_tell(str(slipped))
