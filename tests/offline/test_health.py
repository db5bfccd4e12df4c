"""What `infra/tickflow status` says of a job: each problem is named, a sound job has none, and the exit code says which."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local import status
from jobs.control_log import in_force
from jobs.monitoring.flink_numbers import JobNumbers
from jobs.monitoring.health import Health, described, job_problems, read_health
from jobs.settings import Settings
from tests.support.control_memory import reduce_entry

NOW = 1_800_000_000.0
SOUND = JobNumbers("ab" * 16, "RUNNING", checkpoints=7, checkpoint_time=int(NOW * 1000) - 12_000, state_bytes=5_000_000)


def test_a_sound_job_has_no_problem() -> None:
    assert job_problems(SOUND, NOW) == []
    assert Health(SOUND, asked_at=NOW).problems == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda job: replace(job, state="RESTARTING"), "RESTARTING"),
        (lambda job: replace(job, pending_frames=5_001), "5001 frames"),
        (lambda job: replace(job, checkpoint_time=int((NOW - 301) * 1000)), "301 s old"),
        (lambda job: replace(job, checkpoints=0, failed_checkpoints=2, checkpoint_time=0), "2 checkpoints failed"),
    ],
)
def test_each_problem_is_named_alone(change: Callable[[JobNumbers], JobNumbers], said: str) -> None:
    (problem,) = job_problems(change(SOUND), NOW)
    assert said in problem


def test_a_job_that_was_ended_is_no_problem() -> None:
    assert job_problems(replace(SOUND, state="CANCELED", pending_frames=10**6), NOW) == []


def test_what_does_not_answer_is_named() -> None:
    settings = Settings.model_validate({"flink": {"rest_url": "http://127.0.0.1:9"}})
    found = read_health(settings)
    assert list(found.away) == ["flink"]
    assert any("flink cannot be read" in line for line in described(found))


def test_halts_are_shown_and_are_no_problem() -> None:
    control = in_force([reduce_entry()])
    found = Health(SOUND, control=control, asked_at=NOW)
    assert found.problems == []
    assert any("everything reducing" in line for line in described(found))


@pytest.mark.parametrize(("job", "code"), [(SOUND, 0), (replace(SOUND, state="FAILED"), 1), (None, 0)])
def test_the_exit_code_says_whether_a_person_is_needed(
    job: JobNumbers | None, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKFLOW_FLINK_REST_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(status, "read_health", lambda _: Health(job, asked_at=NOW))
    assert status.main(["--data", str(tmp_path), "--json"]) == code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["health"]["problems"] == ([] if code == 0 else ["the job is FAILED"])


def test_where_nothing_runs_the_exit_code_is_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("TICKFLOW_FLINK_REST_URL", raising=False)
    assert status.main(["--data", str(tmp_path)]) == 1
    assert "nothing runs" in capsys.readouterr().out
