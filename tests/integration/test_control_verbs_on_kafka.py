"""The verbs of the control log against a real broker: numbered, acknowledged, and read back."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from infra.local.endpoints import Endpoints
from infra.local.kafka import ensure_topics
from jobs import halt, resume, rules
from jobs.alert_rule_files import load_rules
from jobs.control_log import in_force, read_control_log
from jobs.settings import Settings, load_settings

DEFAULT_RULES = Path(__file__).resolve().parents[2] / "flink-conf" / "local" / "alert-rules.toml"


@pytest.fixture
def environment(services: Endpoints, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A control log of this test alone, named by variables as a user would."""
    topic = f"control-{uuid4().hex[:8]}"
    ensure_topics(services.kafka_bootstrap, {topic: 1}, {"retention.ms": "-1"})
    monkeypatch.setenv("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", services.kafka_bootstrap)
    monkeypatch.setenv("TICKFLOW_TOPICS__CONTROL", topic)
    return load_settings()


def test_what_the_verbs_write_is_in_force(environment: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions are the log's own numbers; an empty log lists nothing."""
    assert read_control_log(environment) == []
    assert rules.main(["load", str(DEFAULT_RULES), "--reason", "defaults", "--json"]) == 0
    wanted = load_rules(DEFAULT_RULES)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["version"] == len(wanted)
    assert halt.main(["A", "B", "--reason", "odd prices", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["version"] == len(wanted) + 1
    assert resume.main(["B", "--reason", "fine again"]) == 0
    snapshot = in_force(read_control_log(environment)).snapshot
    assert (snapshot.rules, snapshot.halted_symbols, snapshot.version) == (wanted, {"A"}, len(wanted) + 2)


def test_a_missing_control_log_is_said(environment: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Rather than listed as empty."""
    monkeypatch.setenv("TICKFLOW_TOPICS__CONTROL", f"no-such-{uuid4().hex[:8]}")
    assert rules.main(["list"]) == 2
    assert "no-such" in capsys.readouterr().err
