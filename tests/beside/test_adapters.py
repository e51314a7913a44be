"""Each peer has an adapter with the same entry, and an environment whose versions are pinned. No peer is needed."""

import ast
from pathlib import Path

import pytest

from beside.catalogue import OURS, PEERS, chosen, ways_in

BESIDE = Path(__file__).parents[2] / "benchmarks" / "beside"
ADAPTERS = sorted(file.stem for file in (BESIDE / "adapters").glob("[!_]*.py"))
NEEDS_STREAMPY = {"streampy", "floor"}


def tree_of(adapter):
    return ast.parse((BESIDE / "adapters" / f"{adapter}.py").read_text())


def test_each_adapter_has_a_peer_and_each_peer_an_adapter():
    assert ADAPTERS == sorted(peer.name for peer in PEERS)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_has_one_entry_that_takes_a_job(adapter):
    (run,) = [one for one in tree_of(adapter).body if isinstance(one, ast.FunctionDef) and one.name == "run"]
    assert [("job", "Job")] == [(one.arg, ast.unparse(one.annotation)) for one in run.args.args]
    assert ast.unparse(run.returns) in {"None", "dict[str, float]", "dict[str, float] | None"}
    last = tree_of(adapter).body[-1]
    assert "if __name__ == '__main__':" == ast.unparse(last).splitlines()[0]
    assert "main(run" in ast.unparse(last)


@pytest.mark.parametrize("adapter", [one for one in ADAPTERS if one not in NEEDS_STREAMPY])
def test_an_adapter_of_a_peer_needs_no_streampy(adapter):
    imported = {one.module for one in ast.walk(tree_of(adapter)) if isinstance(one, ast.ImportFrom)}
    imported |= {name.name for one in ast.walk(tree_of(adapter)) if isinstance(one, ast.Import) for name in one.names}
    assert set() == {name for name in imported if name and name.partition(".")[0] == "streampy"}


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.pins], ids=lambda peer: peer.name)
def test_every_version_of_an_environment_is_pinned(peer):
    pins = (BESIDE / "pins" / f"{peer.pins}.txt").read_text().split()
    assert [] == [pin for pin in pins if "==" not in pin]
    assert "numpy" in {pin.partition("==")[0] for pin in pins}, "frames need it"


def test_no_two_ways_have_the_same_label():
    labels = [way.label for peer in PEERS for way in peer.ways]
    assert sorted(set(labels)) == sorted(labels)


def test_streampy_and_the_floors_take_part_whoever_else_is_chosen():
    assert ["streampy", "floor", "generators", "ray"] == [peer.name for peer in chosen(["ray"], full=False)]


def test_a_quick_run_leaves_out_what_is_slow_to_start():
    quick = {peer.name for peer in chosen(None, full=False)}
    assert {"pypeln", "pipeline_lib"} < quick
    assert not quick & {"ray", "dora"}
    assert PEERS == chosen(None, full=True)


def test_each_way_is_in_one_place():
    one, many = (list(ways_in(PEERS, place)) for place in ("one", "many"))
    assert sum(len(peer.ways) for peer in PEERS) == len(one) + len(many)
    assert {"fused", "threads"} == {way.name for peer, way in one if peer is OURS}
