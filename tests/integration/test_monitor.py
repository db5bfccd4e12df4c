"""A job that is logged in to a broker with TLS: its numbers reach Prometheus, and no password is found anywhere it was not given."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local import status
from infra.local.endpoints import Endpoints
from infra.local.flink import cancel, request, wait_for_checkpoint, wait_until_running
from jobs.audit.log import AuditLog, audit_folder
from jobs.audit.settings import note_submission
from jobs.gateway.counts import GatewayCounts
from jobs.gateway.gateway import Gateway, GatewaySettings
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.gateway.running_source import RunningSource
from jobs.lake.settings import lake_from_environment
from jobs.monitoring.exposition import LOOPBACK, MetricsServer
from jobs.monitoring.metrics import METRICS_OF, MONITOR, Kind
from jobs.monitoring.watching import Watch
from jobs.session import settings_file
from jobs.settings import Settings, load_settings
from jobs.simulator.settings import DefectRates, SimulationSettings
from jobs.simulator.source import SimulatedSource
from jobs.submission import live_plan, submit
from tests.support.secure_services import SecureKafka
from udfs.codecs.wire import PINNED

Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]
NOT_HERE = {"tickflow_job_sink_errors_total", "tickflow_model_info", "tickflow_breaker_value"}
"""Metrics of which a sound job without a model gives no sample to a watch that opens no breakers."""
DEADLINE_SECONDS = 120.0


@dataclass(frozen=True)
class Watched:
    """A job that has taken a market, and what Prometheus would have been told."""

    settings: Settings
    sent: GatewayCounts
    numbers: Numbers
    job_id: str
    addresses: set[str]
    folder: Path
    """Of the audit log and the catalog."""


@pytest.fixture(scope="module")
def watched(services: Endpoints, secured: SecureKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Each program with its own login, and the least that it needs."""
    folder = tmp_path_factory.mktemp("watched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TICKFLOW_AUDIT", str(folder / "audit"))
        secured.log_in("job", patch)
        variables = {**services.as_environment(), **secured.variables("job")}
        settings = load_settings(settings_file("local"), variables)
        own = {"TICKFLOW_LAKE_WAREHOUSE": f"{services.warehouse}/watched", "TICKFLOW_LAKE_URI": str(folder / "catalog.db")}
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            patch.setenv(name, variables[name])
        plan = live_plan(settings, lake_from_environment(variables | own, folder), lake_written=())
        note_submission(AuditLog(audit_folder()), settings.without_secrets(), plan.manifest_id, plan.run_id, "a test")
        job = submit(plan, "live", services)
        try:
            wait_until_running(job.rest_url, job.job_id)
            secured.log_in("monitor", patch)
            yield _watch(settings, job.job_id, secured, patch, folder)
        finally:
            cancel(job.rest_url, job.job_id)


def _watch(settings: Settings, job_id: str, secured: SecureKafka, patch: pytest.MonkeyPatch, folder: Path) -> Watched:
    with Watch(settings, PINNED) as watch:
        server = MetricsServer(watch.samples, 0)
        addresses = {str(server._server.server_address[0])}
        try:
            secured.log_in("gateway", patch)
            faults = DefectRates(duplicate=5e-3, out_of_order=0.0, late=5e-3, sequence_gap=0.0, crossed=2e-3, garbage=5e-3, malformed=0.0)
            market = SimulatedSource(SimulationSettings(symbols=3, seconds=300, ticks_per_second=20.0, seed=3, defects=faults))
            sink = KafkaPublisher(PublisherSettings.of(settings.kafka))
            sent = Gateway(sink, GatewaySettings.of(settings)).run(RunningSource(market))
            wait_for_checkpoint(settings.flink.rest_url, job_id, 2)
            deadline = time.monotonic() + DEADLINE_SECONDS
            while not _all_seen(watch, sent) and time.monotonic() < deadline:
                watch.look()
                time.sleep(0.5)
            assert not watch.failed
            return Watched(settings, sent, _ask(server.port), job_id, addresses, folder)
        finally:
            server.close()


def _all_seen(watch: Watch, sent: GatewayCounts) -> bool:
    counters = watch.job.counters if watch.job else {}
    return counters.get("frames", 0) == sent.frames and sum(watch.tail.mix.codes.values()) == counters.get("signals", -1)


def _ask(port: int) -> Numbers:
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics") as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}


def total(numbers: Numbers, name: str, **labels: str) -> float:
    return sum(value for (found, having), value in numbers.items() if found == name and labels.items() <= dict(having).items())


def test_every_metric_of_the_list_is_given_and_no_other(watched: Watched) -> None:
    listed = {metric.name: metric for metric in METRICS_OF[MONITOR]}
    given = {name for name, _ in watched.numbers}
    plain = {name for name, metric in listed.items() if metric.kind is not Kind.HISTOGRAM}
    histograms = {name + part for name in listed.keys() - plain for part in ("_bucket", "_count", "_sum")}
    assert given <= plain | histograms
    assert plain | histograms == given | NOT_HERE


def test_what_went_in_is_accounted_for(watched: Watched) -> None:
    numbers, sent = watched.numbers, watched.sent
    assert total(numbers, "tickflow_job_running") == 1
    assert total(numbers, "tickflow_job_frames_total") == sent.frames > 64
    refused = sum(total(numbers, f"tickflow_job_{name}_total") for name in ("late_events", "duplicate_events", "rejected"))
    assert refused == total(numbers, "tickflow_job_refused_events_total") > 0
    assert total(numbers, "tickflow_job_accepted_events_total") + refused == sent.events
    assert total(numbers, "tickflow_job_refused_events_total", reason="late") == total(numbers, "tickflow_job_late_events_total") > 0


def test_signals_are_counted_where_they_are_read(watched: Watched) -> None:
    numbers = watched.numbers
    signals = total(numbers, "tickflow_job_signals_total")
    assert signals == total(numbers, "tickflow_signals_total", status="abstained", direction="neutral") > 100
    assert signals == total(numbers, "tickflow_signal_codes_total") == total(numbers, "tickflow_signal_seconds_count")
    assert total(numbers, "tickflow_watched_symbols") == 3
    assert total(numbers, "tickflow_job_pending_frames") == 0


def test_one_frame_in_64_is_timed(watched: Watched) -> None:
    timed = total(watched.numbers, "tickflow_job_frame_seconds_count")
    assert timed == watched.sent.frames // 64
    assert total(watched.numbers, "tickflow_job_frame_seconds_sum") > 0


def test_checkpoints_are_told(watched: Watched) -> None:
    numbers = watched.numbers
    assert total(numbers, "tickflow_job_checkpoints_total") >= 2
    assert 0 <= total(numbers, "tickflow_job_checkpoint_age_seconds") < 600
    assert total(numbers, "tickflow_job_state_bytes") > 3000


def test_it_listens_on_this_machine_alone(watched: Watched) -> None:
    assert watched.addresses == {LOOPBACK}


def test_no_password_is_found_where_it_was_not_given(watched: Watched, services: Endpoints, secured: SecureKafka) -> None:
    """Logs, checkpoints, stored tables, the audit log, command lines, and what Flink tells of the job."""
    kept = [services.data_directory / name for name in ("logs", "checkpoints", "s3", "lake")] + [watched.folder]
    found = {str(path): path.read_bytes() for folder in kept for path in folder.rglob("*") if path.is_file()}
    rest_url, job = watched.settings.flink.rest_url, f"/jobs/{watched.job_id}"
    for path in (job, f"{job}/config", f"{job}/plan", f"{job}/exceptions", f"{job}/checkpoints", "/jobmanager/config"):
        found[path] = json.dumps(request(rest_url, path)).encode()
    found["ps"] = subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, check=True).stdout
    assert any("_metadata" in name for name in found)
    assert any("catalog.db" in name for name in found)
    assert any(b"SASL_SSL" in content for content in found.values())
    for user, password in secured.passwords.items():
        assert [name for name, content in found.items() if password.encode() in content] == [], user


def test_status_shows_it_on_one_screen(
    watched: Watched, services: Endpoints, secured: SecureKafka, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secured.log_in("operator", monkeypatch)
    code = status.main(["--data", str(services.data_directory), "--json"])
    health = json.loads(capsys.readouterr().out.splitlines()[-1])["health"]
    assert health["problems"] == []
    assert code == 0
    assert (health["job"]["id"], health["job"]["frames"]) == (watched.job_id, watched.sent.frames)
    assert health["signals"]["codes"].keys() == {"no_model"}
    assert health["control"]["everything"] == "active"
    assert status.main(["--data", str(services.data_directory)]) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) < 24
    assert watched.job_id in shown
