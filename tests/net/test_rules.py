"""The rules of failure on a network of hosts: cables that are pulled, slow and lossy lines, names that change."""

from __future__ import annotations

import pytest
from tests.net.hosts import hosts
from tests.run.segments.programs import Programs
from tests.run.segments.test_rules import COUNT, all_delivered, once_each_in_order

PORT = 7400
LISTEN = f"tcp://0.0.0.0:{PORT}"
pytestmark = pytest.mark.timeout(120)


@pytest.mark.usefixtures("can_have_hosts")
def test_f17_a_cable_that_is_pulled_is_noticed_and_others_take_over():
    with hosts("edge", "one", "two") as network, Programs("relay", count=COUNT, pause=0.005) as programs:
        cores = [programs.start("core", host=network[name], listen=LISTEN).await_up() for name in ("one", "two")]
        dial = {"core": [f"tcp://{network[name].address}:{PORT}" for name in ("one", "two")]}
        edge = programs.start("edge", host=network["edge"], dial=dial)
        edge.await_outs(COUNT // 4)
        network["one"].pull()
        edge.await_log("nothing was heard")
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        assert {core.pid for core in cores} == {pid for _, pid in edge.outs}


@pytest.mark.usefixtures("can_have_hosts")
def test_f17_a_cable_that_flaps_loses_nothing_and_doubles_nothing():
    with hosts("edge", "one") as network, Programs("relay", count=COUNT, pause=0.005) as programs:
        core = programs.start("core", host=network["one"], listen=LISTEN).await_up()
        edge = programs.start("edge", host=network["edge"], dial={"core": f"tcp://{network['one'].address}:{PORT}"})
        for part in range(1, 4):
            edge.await_outs(part * COUNT // 6)
            network["one"].pull()
            edge.wait_for(lambda one, part=part: len(one.logs) >= part, "the line is lost")
            network["one"].plug()
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)
        core.terminate()
        assert core.await_end()["ledger"]["delivered"] == COUNT


@pytest.mark.usefixtures("can_have_weather")
def test_f17_a_slow_and_lossy_line_is_borne():
    with hosts("edge", "one") as network, Programs("relay", count=COUNT, pause=0.002) as programs:
        programs.start("core", host=network["one"], listen=LISTEN).await_up()
        network["one"].weather("delay", "40ms", "10ms", "loss", "1%")
        edge = programs.start("edge", host=network["edge"], dial={"core": f"tcp://{network['one'].address}:{PORT}"})
        end = edge.await_end()
        assert once_each_in_order(edge.outs)
        assert all_delivered(end)


@pytest.mark.usefixtures("can_have_hosts")
def test_f20_a_name_that_stands_for_nobody_then_three_then_two():
    names = ("one", "two", "three")
    with hosts("edge", *names) as network, Programs("relay", count=3 * COUNT, pause=0.003) as programs:
        cores = [programs.start("core", host=network[name], listen=LISTEN).await_up() for name in names]
        addresses = [network[name].address for name in names]
        edge = programs.start("edge", host=network["edge"], dial={"core": f"tcp://core.test:{PORT}"})
        network["edge"].know({"core.test": addresses})
        edge.wait_for(lambda one: len({pid for _, pid in one.outs}) == len(names), "results of all three")
        network["edge"].know({"core.test": addresses[1:]})
        cores[0].kill()
        killed_at = len(edge.outs)
        end = edge.await_end()
        assert once_each_in_order(edge.outs, 3 * COUNT)
        assert all_delivered(end, 3 * COUNT)
        assert {core.pid for core in cores[1:]} == {pid for _, pid in edge.outs[killed_at + COUNT :]}


@pytest.mark.usefixtures("can_have_hosts")
def test_f20_a_file_of_addresses_is_read_again(tmp_path):
    file = tmp_path / "core.addresses"
    file.write_text("# nobody yet\n")
    with hosts("edge", "one", "two") as network, Programs("relay", count=2 * COUNT, pause=0.003) as programs:
        for name in ("one", "two"):
            programs.start("core", host=network[name], listen=LISTEN).await_up()
        edge = programs.start("edge", host=network["edge"], dial={"core": f"file://{file}"})
        file.write_text(f"tcp://{network['one'].address}:{PORT}\n")
        edge.await_outs(COUNT // 4)
        file.write_text("".join(f"tcp://{network[name].address}:{PORT}\n" for name in ("one", "two")))
        edge.wait_for(lambda one: len({pid for _, pid in one.outs}) == 2, "results of both")
        assert all_delivered(edge.await_end(), 2 * COUNT)


@pytest.mark.usefixtures("can_have_hosts")
def test_f20_nobody_at_a_name_is_told_with_the_name_and_why():
    with hosts("edge") as network, Programs("relay", count=5) as programs:
        edge = programs.start(
            "edge", host=network["edge"], dial={"core": f"tcp://nobody.test:{PORT}"}, start_within=1.0
        )
        told = edge.await_end()["error"]
        assert f"no OS process of segment 'core' could be reached (tcp://nobody.test:{PORT})" in told
