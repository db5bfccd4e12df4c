"""The benchmarks that need no service: they run, say what they measured, and refuse figures of something else."""

from __future__ import annotations

import hashlib
import json

import psutil
import pytest

from infra.local.processes import Program
from jobs.bench import main
from jobs.benchmark import kernels
from jobs.benchmark.hostile import HostileLog, control_refused, news_refused
from jobs.benchmark.prepared_log import PreparedLog
from jobs.benchmark.processor_time import part_of, python_microseconds, seconds_by_part
from jobs.benchmark.score import feature_rows_of, score_all
from jobs.benchmark.state import measure_state
from jobs.benchmark.throughput import Sample, summary
from jobs.benchmark.trained import rows_of
from jobs.training.dataset import from_table
from tests.support.control_memory import model_entry, processor
from tests.support.feature_rows import planted_dataset
from tests.support.quiet_market import small_market
from tests.support.trained_model import scorer, trained_model
from udfs.codecs.frames import PINNED_FRAMING, decode_frame
from udfs.errors import MalformedMessage
from udfs.kernels.advance import advance
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.symbol_state import SYMBOL_STATE, SymbolState, new_state
from udfs.records import ModelReference


def test_the_parts_of_the_state_add_up() -> None:
    result = measure_state()
    assert sum(result["parts"].values()) == result["kernel_bytes"] == SYMBOL_STATE.itemsize
    assert result["kernel_bytes"] < result["stored_bytes"] <= result["limit_bytes"]
    assert result["holds"]


def test_a_state_beyond_the_limit_does_not_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("jobs.benchmark.state.LIMIT_BYTES", SYMBOL_STATE.itemsize)
    assert main(["state", "--json"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["holds"] is False


def test_kernels_are_measured_for_each_pace_and_frame_length(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "--events", "640", "--runs", "2", "--json"]) == 0
    cases = json.loads(capsys.readouterr().out.splitlines()[-1])["cases"]
    assert [(case["ticks_a_second"], case["ticks_a_frame"]) for case in cases] == [
        (pace, length) for pace in kernels.TICKS_A_SECOND for length in kernels.FRAME_LENGTHS
    ]
    for case in cases:
        spread = case["kernel_nanoseconds_a_tick"]
        assert 0 < spread["minimum"] <= spread["median"] <= spread["maximum"]
        assert case["rows_a_tick"] > 0


def test_rejected_events_are_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="not what was to be measured"):
        kernels._check(kernels.Run(1, 1, 1))


def test_the_benchmarks_rows_are_rows_that_training_reads() -> None:
    rows = rows_of(small_market(seconds=20))
    assert rows.num_rows > 100
    assert len(from_table(rows, FEATURE_NAMES).price) == rows.num_rows


def test_a_rate_counts_only_what_was_read_warm() -> None:
    """Slow at first, then 100 frames of 10 ticks a second for 4 s and 300 for the last one."""
    read = [0, 10, 300, 400, 500, 600, 700, 1000]
    found = summary([Sample(float(second), frames, second * 0.5) for second, frames in enumerate(read)], 1000, 10_000)
    assert found["ticks_a_second"] == 1400
    assert found["counted_seconds"] == 5.0
    assert found["cpu_seconds_a_million_ticks"] == pytest.approx(2.5 / 7000 * 1e6, abs=0.01)


def test_processor_time_is_told_by_part() -> None:
    """Of the counted frames alone; threads are known by how their names begin."""
    parts = [{}, {"kafka": 1.0}, {"kafka": 3.0, "lake": 4.0}, {"kafka": 4.0, "lake": 10.0}, {"kafka": 7.0, "lake": 14.0}]
    samples = [Sample(float(second), 100 * second, 0.0, 0.0, by_part) for second, by_part in enumerate(parts)]
    assert summary(samples, 400, 400)["microseconds_a_frame"] == {"lake": 50_000.0, "kafka": 20_000.0}
    here = psutil.Process()
    beside = Program("flink-taskmanager-1", here.pid, here.create_time(), "")
    assert sum(seconds_by_part([beside]).values()) == pytest.approx(sum(here.cpu_times()[:2]), rel=0.2)
    assert [part_of(name) for name in ("C2 CompilerThre", "market -> *anon", "strange")] == [
        "compiling Java",
        "market function: bridge, Python, routing",
        "other threads of Flink",
    ]


def test_each_step_of_a_worker_takes_time() -> None:
    data = trained_model().data
    worker = processor([model_entry(ModelReference("m", "m", hashlib.sha256(data).hexdigest()))], {"m": data})
    found = python_microseconds(worker, PreparedLog(4000, 4, 4000.0, 32), 1)
    assert list(found) == ["decode", "state", "kernels", "scoring, rules and records", "encode"]
    assert min(found.values()) > 0


def test_a_prepared_log_holds_what_it_says() -> None:
    log = PreparedLog(ticks=8000, symbols=8, rate=8000.0, maximum_events=32)
    states: dict[str, SymbolState] = {}
    events = rows = frames = 0
    for record in log.records(control_version=3):
        frame = decode_frame(record.frame, PINNED_FRAMING)
        assert (frame.symbol, frame.control_version) == (record.symbol, 3)
        result = advance(states.setdefault(frame.symbol, new_state()), frame.columns, KernelSettings())
        events, rows, frames = events + len(frame.columns.kind), rows + len(result.row_event_time), frames + 1
    assert (len(states), events, rows, frames) == (log.names, log.events, log.rows, log.frames)
    assert log.names == 8
    assert rows > 0


def test_too_few_looks_give_no_rate() -> None:
    assert summary([Sample(0.0, 0, 0.0), Sample(1.0, 100, 1.0)], 100, 1000) == {"ticks_a_second": None}


def test_each_row_that_is_timed_becomes_a_signal_of_the_model() -> None:
    rows = feature_rows_of(planted_dataset(), 60)
    microseconds, signals = score_all(scorer(), rows)
    assert len(microseconds) == len(signals) == 60
    assert min(microseconds) > 0
    assert {signal.model_hash for signal in signals} == {scorer().sha256}
    assert len({signal.signal_id for signal in signals}) == 60


def test_broken_frames_are_strewn_among_the_sound_ones_and_change_no_count_of_events() -> None:
    plain = PreparedLog(400, 4, 1000.0, 8)
    hostile = HostileLog(400, 4, 1000.0, 8, broken=37)
    sent, sound = list(hostile.records(0)), list(plain.records(0))
    frames = {record.frame for record in sound}
    assert [record for record in sent if record.frame in frames] == sound
    assert len(sent) == hostile.frames == len(sound) + 37
    assert (hostile.events, hostile.rows, hostile.sound) == (plain.events, plain.rows, len(sound))
    for record in sent:
        if record.frame not in frames:
            with pytest.raises(MalformedMessage):
                decode_frame(record.frame)


def test_every_broken_item_of_news_and_of_control_is_refused_with_a_reason() -> None:
    assert news_refused(500) == 500
    assert control_refused(500) == 500
