"""The numbers that leave are those that went in, under names that are in the list."""

from __future__ import annotations

import socket
import urllib.request
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from jobs.gateway.counts import GatewayCounts
from jobs.monitoring.exposition import LOOPBACK, MetricsServer, Samples
from jobs.monitoring.flink_numbers import FrameTimes, JobNumbers, grouped
from jobs.monitoring.gathering import put_control, put_job, put_signals
from jobs.monitoring.metrics import GATEWAY, METRICS, METRICS_OF, ONLINE_STORE, Kind
from jobs.monitoring.programs import gateway_samples, online_samples
from jobs.monitoring.signal_mix import WINDOW_NANOSECONDS, SignalMix
from jobs.serving.online_store import OnlineCounts
from tests.support.control_memory import breaker_entry, halt_entry, reduce_entry, resume_entry, shed_entry
from tests.support.paper_market import UP
from udfs.codecs.signals import encode_signal
from udfs.errors import MalformedMessage, Reason
from udfs.operators.control_state import ControlState
from udfs.operators.job_counters import COUNTERS, FRAME_MICROSECONDS, SAMPLE_EVERY, JobCounters
from udfs.operators.symbol_processor import Outcome
from udfs.records import Direction, Position, Rejected, ShedLevel, SignalCode, SignalStatus, TradingState

SECOND = 1_000_000_000


def numbers(samples: Samples) -> dict[tuple[str, ...], float]:
    """Name and label values -> value."""
    return {(found.name, *found.labels.values()): found.value for family in samples.families() for found in family.samples}


class Group:
    """A metric group as Flink has them: names with their groups before them."""

    def __init__(self, counts: Counter[str] | None = None, scope: str = "") -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.scope = scope

    def add_group(self, name: str, extra: str) -> Group:
        return Group(self.counts, f"{self.scope}{name}.{extra}.")

    def counter(self, name: str) -> Any:
        full, counts = self.scope + name, self.counts
        counts[full] += 0

        class One:
            def inc(self, n: int = 1) -> None:
                counts[full] += n

        return One()


def rejected(reason: Reason) -> Rejected:
    return Rejected("A", reason, "", 0, 0, b"", Position("t", 0, 0), "m")


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(list(Reason)[1:])), max_size=20), st.lists(st.integers(0, 10**9), max_size=200))
def test_what_the_operator_counts_is_what_the_watch_reads(frames: list[list[Reason]], times: list[int]) -> None:
    """Law: reasons add up to late, duplicate and rejected; every time that was sampled is in one bucket."""
    group = Group()
    counters = JobCounters(group)
    for reasons in frames:
        counters.count(Outcome([rejected(reason) for reason in reasons], None, 3))
    for time in times:
        counters.count_time(time, made_rows=time % 2 == 0)
    found = JobNumbers("x", "RUNNING", **grouped(group.counts))
    assert set(found.counters) == set(COUNTERS)
    assert (found.counters["frames"], found.counters["accepted_events"]) == (len(frames), 3 * len(frames))
    everything = Counter(reason for reasons in frames for reason in reasons)
    assert found.refused == {reason.name.lower(): count for reason, count in everything.items()}
    apart = [found.counters[name] for name in ("late_events", "duplicate_events", "rejected")]
    assert apart[:2] == [everything[Reason.LATE], everything[Reason.DUPLICATE]]
    assert sum(apart) == everything.total()
    for made, share in (("rows", [time for time in times if time % 2 == 0]), ("nothing", [time for time in times if time % 2])):
        taken = found.frame_times.get(made, FrameTimes((0,) * (len(FRAME_MICROSECONDS) + 1), 0))
        assert taken.microseconds == sum(time // 1000 for time in share)
        below = [sum(time // 1000 <= bound for time in share) for bound in FRAME_MICROSECONDS]
        assert [sum(taken.counts[: place + 1]) for place in range(len(below))] == below
        assert sum(taken.counts) == len(share)


def test_one_frame_in_so_many_is_timed() -> None:
    counters = JobCounters(Group())
    assert sum(counters.is_sampled() for _ in range(10 * SAMPLE_EVERY)) == 10


def test_names_that_the_job_has_not_used_yet_are_no_samples() -> None:
    samples = Samples()
    put_job(samples, None, 0)
    assert numbers(samples) == {("tickflow_job_running",): 0.0}


def test_the_jobs_numbers_leave_under_their_names() -> None:
    times = FrameTimes(tuple(range(len(FRAME_MICROSECONDS) + 1)), 7_000_000)
    job = JobNumbers(
        "x", "RUNNING", 3, {"frames": 9}, {"late": 4}, {"rows": times}, 11, 0.5, 0.25, 6, 1, 1_000, 2_500, 99, {"kafka_signal": 2}
    )
    samples = Samples()
    put_job(samples, job, now_milliseconds=61_000)
    found = numbers(samples)
    expected = {
        ("tickflow_job_running",): 1.0, ("tickflow_job_restarts_total",): 3, ("tickflow_job_frames_total",): 9,
        ("tickflow_job_refused_events_total", "late"): 4, ("tickflow_job_pending_frames",): 11, ("tickflow_job_busy_share",): 0.5,
        ("tickflow_job_checkpoint_age_seconds",): 60.0, ("tickflow_job_checkpoint_seconds",): 2.5, ("tickflow_job_state_bytes",): 99,
        ("tickflow_job_sink_errors_total", "kafka_signal"): 2, ("tickflow_job_failed_checkpoints_total",): 1,
        ("tickflow_job_frame_seconds_sum", "rows"): 7.0, ("tickflow_job_frame_seconds_count", "rows"): sum(times.counts),
        ("tickflow_job_frame_seconds_bucket", "rows", "5e-05"): 0, ("tickflow_job_frame_seconds_bucket", "rows", "0.0002"): 3,
    }  # fmt: skip
    assert expected.items() <= found.items()


def test_signals_are_counted_by_what_they_say() -> None:
    mix = SignalMix()
    now = UP.available_time + 40_000_000
    for changes in ({}, {"direction": Direction.DOWN}, {"status": SignalStatus.HALTED, "code": SignalCode.FLASH_CRASH, "symbol": "B"}):
        mix.take(encode_signal(replace(UP, **changes)), now)
    samples = Samples()
    put_signals(samples, mix, 1.5, now)
    found = numbers(samples)
    assert found["tickflow_signals_total", "ok", "up"] == found["tickflow_signals_total", "ok", "down"] == 1
    assert found["tickflow_signal_codes_total", "flash_crash"] == 1
    assert found["tickflow_signal_seconds_bucket", "0.02"] == 0
    assert found["tickflow_signal_seconds_bucket", "0.05"] == found["tickflow_signal_seconds_count",] == 3
    assert found["tickflow_signal_seconds_sum",] == pytest.approx(0.12)
    assert (found["tickflow_last_signal_age_seconds",], found["tickflow_watched_symbols",]) == (1.5, 2)
    assert found["tickflow_watermark_age_seconds",] == pytest.approx((now - UP.event_time) / SECOND)
    assert found["tickflow_model_info", UP.model_version, UP.model_hash] == 1


def test_a_symbol_that_has_been_quiet_is_not_counted() -> None:
    mix = SignalMix()
    mix.take(encode_signal(replace(UP, symbol="A")), 0)
    mix.take(encode_signal(replace(UP, symbol="B", event_time=UP.event_time + WINDOW_NANOSECONDS + 1)), 0)
    assert set(mix.within_window()) == {"B"}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_signal_change_nothing(data: bytes) -> None:
    mix = SignalMix()
    with pytest.raises(MalformedMessage):
        mix.take(data, 0)
    assert not mix.codes
    assert not mix.newest


def test_what_people_allow_is_told() -> None:
    state = ControlState(lambda model: b"")
    later = (breaker_entry("lag", TradingState.REDUCING), shed_entry(ShedLevel.ONLINE_FEATURES))
    for raw in (reduce_entry(), halt_entry("A", "B"), resume_entry("C"), b"nonsense", *later):
        state.read(raw)
    samples = Samples()
    put_control(samples, state.at(state.version), 1, {"lag": 2.5})
    found = numbers(samples)
    assert (found["tickflow_control_version",], found["tickflow_control_refused",], found["tickflow_trading_state",]) == (6, 1, 2)
    assert (found["tickflow_breaker_state", "lag"], found["tickflow_breaker_value", "lag"], found["tickflow_shed_level",]) == (2, 2.5, 1)
    assert [found["tickflow_symbols_held", name] for name in ("active", "reducing", "halted")] == [1, 0, 2]


def test_the_programs_beside_the_stream_tell_all_of_theirs() -> None:
    counts = GatewayCounts(9, {"trade": 5, "clock": 1}, 2, 1, 0, 3, 400, {"malformed_input_line": 1}, 0, 0.25, 3, {}, 4, 77, 2, False)
    found = numbers(gateway_samples(counts))
    assert {name for name, *_ in found} == {metric.name for metric in METRICS_OF[GATEWAY]}
    assert found["tickflow_gateway_events_total", "trade"] == 5
    assert found["tickflow_gateway_blocked_seconds_total",] == 0.25
    online = numbers(online_samples(OnlineCounts(records=8, written=5)))
    assert {name for name, *_ in online} == {metric.name for metric in METRICS_OF[ONLINE_STORE]}
    assert online["tickflow_online_written_total",] == 5


def test_a_name_or_label_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(KeyError):
        Samples().put("tickflow_nothing", 1)
    with pytest.raises(ValueError, match="reason"):
        Samples().put("tickflow_job_refused_events_total", 1)


def test_names_follow_the_usual_rules() -> None:
    for name, metric in METRICS.items():
        assert name.endswith("_total") is (metric.kind is Kind.COUNTER), name
        assert metric.meaning
    assert sum(len(found) for found in METRICS_OF.values()) == len(METRICS)


def test_the_server_answers_on_this_machine_alone_and_stops() -> None:
    def gather() -> Samples:
        samples = Samples()
        samples.put("tickflow_job_running", 1)
        return samples

    server = MetricsServer(gather, 0)
    with urllib.request.urlopen(f"http://{LOOPBACK}:{server.port}/metrics") as answer:
        (family,) = text_string_to_metric_families(answer.read().decode())
    assert (family.name, family.samples[0].value) == ("tickflow_job_running", 1.0)
    assert server._server.server_address[0] == LOOPBACK
    server.close()
    with socket.socket() as probe:
        assert probe.connect_ex((LOOPBACK, server.port)) != 0


def test_nothing_is_gathered_before_somebody_asks() -> None:
    from jobs.monitoring.exposition import _Asked

    def never() -> Samples:
        raise AssertionError

    CollectorRegistry().register(_Asked(never))
