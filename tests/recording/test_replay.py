"""Real processes of which a pipe is recorded, and that are fed again with what was: in threads and OS processes."""

from __future__ import annotations

import pytest
from tests.recording import streams as s

import streampy as sp
from streampy.recording import DeadLetterFile, Recorder, Recording, Writer, read, record, replay
from streampy.testing import simulate


@pytest.fixture
def path(tmp_path):
    return tmp_path / "items.rec"


@pytest.fixture(params=["main", "own"])
def place(request):
    return request.param


def finder(place="main", **settings):
    process = sp.Process("finder").add("frames", s.frames, **settings).add("find", s.find, from_="frames", place=place)
    process.add("boxes", s.boxes, from_="find", place=place).add("label", s.label, from_="boxes")
    return process.add("tell", s.tell, from_="find")


def values(plan, output):
    with sp.run(plan) as running:
        found = list(running.stream(output))
        running.wait()
        assert running.stats().ledger.balanced
        return found


def recorded(process, where, path, **options):
    with sp.run(record(process, where, path, **options)) as running:
        running.wait()
        assert running.stats().ledger.balanced
    return [*read(path, [s.Found])]


def test_a_pipe_is_recorded_in_order_with_headers_and_given_back_with_them(place, path):
    told = values(finder(place), "tell")
    items = recorded(finder(place), "tell", path)
    assert [*range(5)] == [one.header.seq for one in items]
    assert [(stream, value) for stream, _, _, value in told] == [(one.header.stream, one.value) for one in items]
    assert told == values(replay(finder(place), path), "tell")


def test_arrays_that_lie_in_shared_memory_are_recorded_and_given_back(path):
    process = sp.Process("far").add("frames", s.frames, place="own")
    process.add("find", s.find, from_="frames", place="own").add("tell", s.tell, from_="find")
    told = values(process, "tell")
    items = recorded(process, "find", path)
    assert [(40, 50, n) for n in range(5)] == [(*one.value.shape, int(one.value.max())) for one in items]
    assert told == values(replay(process, path), "tell")


def test_parts_come_back_as_the_parts_they_were(place, path):
    labels = values(finder(place), "label")
    recorded(finder(place), "label.box", path)
    assert labels == values(replay(finder(place), path), "label")


def test_all_that_is_before_the_pipe_is_left_out(path):
    recorded(finder(), "boxes", path)
    assert ["replay", "boxes", "label"] == [*replay(finder(), path).units]
    assert ["replay", "find", "boxes", "label", "tell"] == [*replay(finder(), path, "frames.out").units]


def test_what_a_source_gave_is_replayed_in_its_place_and_a_join_behind_is_exact(path):
    process = finder().add("together", s.together, from_={"labels": "label", "found": "find"})
    recorded(process, "frames", path)
    expected = [(0, []), (1, ["1.0"]), (2, ["2.0", "2.1"]), (3, []), (4, ["4.0"])]
    assert expected == values(replay(process, path), "together")


def test_a_join_that_needs_what_is_left_out_is_refused_with_a_word_of_what_to_record(path):
    process = finder().add("together", s.together, from_={"labels": "label", "found": "find"})
    recorded(process, "label", path)
    with pytest.raises(sp.StreamPyError, match=r"'together' joins what comes from 'find', which is left out when .*"):
        replay(process, path)


def test_a_join_that_also_takes_another_output_of_the_same_source_is_refused(path):
    process = sp.Process("ways").add("both", s.both)
    process.add("pair", s.pair, from_={"left": "both.left", "right": ["both.left", "both.right"]})
    recorded(process, "both.left", path)
    with pytest.raises(sp.StreamPyError, match=r"'pair' joins what comes from 'both', which is left out"):
        replay(process, path)


def test_items_come_at_the_times_at_which_they_were_recorded(path):
    process = sp.Process("times").add("frames", s.frames, every=2.5).add("moment", s.moment, from_="frames")
    simulate(record(process, "moment", path))
    result = simulate(replay(process, path, speed=1))
    begun = result["moment"][0][1]
    assert [(n, 2.5 * n) for n in range(5)] == [(n, round(at - begun, 6)) for n, at in result["moment"]]


def test_items_come_twice_as_fast_or_at_once(path):
    process = sp.Process("times").add("frames", s.frames, every=2.5).add("moment", s.moment, from_="frames")
    simulate(record(process, "moment", path))
    assert simulate(replay(process, path, speed=2)).seconds == pytest.approx(5.0)
    assert simulate(replay(process, path)).seconds == 0.0


def test_items_are_as_old_as_they_were(path):
    process = sp.Process("ages").add("frames", s.frames, every=1.0)
    process.add("age", s.age, from_="frames")
    simulate(record(process, "age", path))
    ages = [round(one.at - one.header.born, 6) for one in read(path)]
    assert ages == [age for _, age in simulate(replay(process, path, speed=1))["age"]]


def test_so_many_items_are_recorded_and_then_somebody_is_told(path):
    told = []
    items = recorded(finder(until=100), "boxes", path, count=7, done=lambda: told.append(True))
    assert ([*range(7)], [True]) == ([one.header.seq for one in items], told)


def test_an_item_that_cannot_be_recorded_is_an_error_that_names_its_class(path):
    process = sp.Process("strange").add("frames", s.frames).add("strange", s.strange, from_="frames")
    process.add("take", s.take, from_="strange")
    with pytest.raises(sp.UnitFailed, match=r"record.*frames #0.*object"), sp.run(record(process, "take", path)) as on:
        on.wait()


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("detect", "'finder' has no unit 'detect'"),
        ("boxs", "has no unit 'boxs', did you mean 'boxes'"),
        ("boxes.fond", "'boxes' has no port 'fond', did you mean 'found'"),
    ],
)
def test_a_port_that_is_not_there_is_told(where, told, path):
    with pytest.raises(sp.StreamPyError, match=told):
        record(finder(), where, path)


def test_an_open_input_and_a_loose_end_cannot_be_used(path):
    service = sp.Process("service").add("find", s.find).add("boxes", s.boxes, from_="find")
    with pytest.raises(sp.StreamPyError, match=r"find\.frame is fed by hand, so nothing comes there"):
        record(service, "find", path)
    recorded(finder(), "boxes", path)
    with pytest.raises(sp.StreamPyError, match=r"boxes\.out leads nowhere, so there is nothing behind it"):
        replay(service, path, "boxes.out")


def test_the_units_of_a_used_process_are_recorded_by_their_long_names(path):
    inner = sp.Process("inner").add("find", s.find).add("boxes", s.boxes, from_="find")
    process = sp.Process("outer").add("frames", s.frames).add("in", inner, from_="frames")
    process.add("label", s.label, from_="in")
    recorded(process, "in/boxes", path)
    assert values(process, "label") == values(replay(process, path), "label")


def test_what_was_cut_off_is_told_and_the_rest_is_replayed(path, caplog):
    recorded(finder(), "boxes", path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3)
    assert 3 == len(values(replay(finder(), path), "label"))
    assert "was cut off while it was written, at byte" in caplog.text


def test_a_recording_is_a_source_of_its_own_too(path):
    recorder = sp.Process("out").add("frames", s.frames).add("keep", Recorder, from_="frames", path=str(path))
    with sp.run(recorder) as running:
        running.wait()
    process = sp.Process("in").add("again", Recording, path=str(path)).add("find", s.find, from_="again")
    process.add("tell", s.tell, from_="find")
    assert [("again", n, n) for n in range(5)] == [one[:3] for one in values(process, "tell")]


def picky(use, place="main", **options):
    process = sp.Process("picky").add("frames", s.frames).add("find", s.find, from_="frames")
    process.add("picky", use, from_="find", place=place, on_error="dead_letter", pipe={"capacity": 8}, **options)
    return process.add("tell", s.tell, from_="picky")


def letters_of(process, folder):
    file = DeadLetterFile(folder, process)
    with sp.run(process, dead_letters=file) as running:
        running.wait()
        assert 3 == running.stats().ledger.failed
    file.close()
    return file.path


def test_dead_letters_lie_in_a_file_with_their_errors_and_are_given_back(place, tmp_path):
    path = letters_of(picky(s.no_even, place), tmp_path / "letters")
    first, *_ = items = [*read(path, [s.Found])]
    assert [("picky", n) for n in (0, 2, 4)] == [(one.unit, one.header.seq) for one in items]
    assert first.error == "ValueError: 0 is even"
    assert "in no_even" in first.traceback
    assert [0, 2, 4] == [one[1] for one in values(replay(picky(s.keep_even, place), path), "tell")]


def test_a_dead_letter_of_a_join_is_given_back_with_all_its_arguments(tmp_path):
    def pair(use, place="main"):
        process = sp.Process("pair").add("frames", s.frames).add("find", s.find, from_="frames")
        ends = {"found": "find", "frame": "frames"}
        return process.add("pair", use, from_=ends, place=place, on_error="dead_letter")

    path = letters_of(pair(s.no_even_pair), tmp_path)
    assert [0, 22, 44] == values(replay(pair(s.sum_pair), path), "pair")
    with pytest.raises(sp.StreamPyError, match=r"can only be given back to it in main: --set pair\.place=main"):
        replay(pair(s.sum_pair, "own"), path)


def test_only_the_dead_letters_of_one_unit_are_given_back_where_it_is_named(tmp_path):
    path = letters_of(picky(s.no_even), tmp_path)
    assert 3 == len(values(replay(picky(s.keep_even), path, "picky"), "tell"))
    with pytest.raises(sp.StreamPyError, match="there is no dead letter of 'tell' in it; there are some of picky"):
        replay(picky(s.keep_even), path, "tell")


def test_a_recording_that_says_to_be_something_else_is_an_error_of_the_run(path):
    header = sp.Header("frames", 0, 0.0)
    with Writer(path, {"process": "finder", "unit": "boxes", "port": "found"}, [s.Found]) as writer:
        writer.letter(0.0, header, s.Found(1, ()), unit="find", error="", traceback="")
    with pytest.raises(sp.UnitFailed, match="got a dead letter of 'find', expected those of no unit"):
        values(replay(finder(), path), "label")


def test_a_place_where_nothing_can_be_written_is_told_before_the_start(path):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        record(finder(), "boxes", path.parent / "none" / "items.rec")


def test_without_dead_letters_there_is_no_file(tmp_path):
    file = DeadLetterFile(tmp_path, picky(s.keep_even))
    with sp.run(picky(s.keep_even), dead_letters=file) as running:
        running.wait()
    file.close()
    assert [] == [*tmp_path.iterdir()]


def test_a_process_that_is_cut_into_segments_is_recorded_and_replayed_as_one_program(path):
    def cut():
        return (
            finder()
            .segment("edge", "frames", "find")
            .segment("core", "boxes", "label", "tell", listen="tcp://127.0.0.1:1")
        )

    process = cut().link("edge", "core", dial="tcp://127.0.0.1:1")
    recorded(process, "boxes", path)
    assert 4 == len(values(replay(process, path), "label"))


def test_a_damaged_recording_is_an_error_of_the_run(path):
    recorded(finder(), "boxes", path)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"frames")] ^= 0x80
    path.write_bytes(data)
    with (
        pytest.raises(sp.UnitFailed, match=r"RecordingError: .*items\.rec, byte \d+: got .*bytes that are none"),
        sp.run(replay(finder(), path)) as running,
    ):
        running.wait()
