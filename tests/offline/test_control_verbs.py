"""The verbs of the control log without a broker: what they refuse, all at once, and what rules look like in files."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import control_verbs, halt, resume, rules
from jobs.alert_rule_files import load_rules, rule_of
from jobs.control_log import in_force
from tests.support.control_entries import control_entries
from tests.support.strategies import alert_rules, control_events
from udfs.codecs.control import encode_control
from udfs.errors import InvalidRule
from udfs.kernels.alert_rules import rules_of_symbol
from udfs.records import AlertRule, ControlEvent, ControlKind, Measure, ModelReference, TradingState

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_RULES = ROOT / "flink-conf" / "local" / "alert-rules.toml"
ADD = ["add", "--id", "a", "--measure", "imbalance", "--threshold", "0.8", "--rearm-below", "0.5", "--cool-down-seconds", "60"]
WHY = ["--reason", "a drill"]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    return control_entries(monkeypatch, rules)


def last_json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_halt_and_resume_say_their_version(log: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    assert halt.main(["A", "B", "A", "--reason", "odd prices", "--author", "me", "--json"]) == 0
    assert last_json(capsys) == {"version": 1, "kind": "halt", "symbols": ["A", "B"], "all": False, "reason": "odd prices"}
    assert halt.main(["--all", "--reason", "fire drill"]) == 0
    assert "control version 2" in capsys.readouterr().out
    assert resume.main(["B", "--reason", "fine again"]) == 0
    snapshot = in_force(log).snapshot
    assert (snapshot.everything_halted, snapshot.resumed_symbols) == (True, {"B"})
    assert resume.main(["--all", "--reason", "over"]) == 0
    assert not in_force(log).snapshot.is_halted("A")


def test_a_group_is_its_symbols_of_the_moment_and_reduce_only_is_less_than_a_halt(
    log: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "job.toml"
    file.write_text('[groups]\ntech = ["A", "B"]\nempty = []\n')
    of_group = ["--settings", str(file), "--reason", "x"]
    assert halt.main(["C", "--group", "tech", "--reduce-only", *of_group, "--json"]) == 0
    assert last_json(capsys) == {"version": 1, "kind": "reduce", "symbols": ["C", "A", "B"], "all": False, "reason": "x"}
    assert resume.main(["--group", "tech", *of_group]) == 0
    snapshot = in_force(log).snapshot
    assert (snapshot.trading_state("C"), snapshot.trading_state("A")) == (TradingState.REDUCING, TradingState.ACTIVE)
    for unknown in ("empty", "no-such"):
        assert halt.main(["--group", unknown, *of_group]) == 2
        assert "tech" in capsys.readouterr().err
    assert len(log) == 2


@pytest.mark.parametrize("verb", [halt, resume])
@pytest.mark.parametrize("arguments", [["--reason", "x"], ["A", "--all", "--reason", "x"], ["", "--reason", "x"]])
def test_who_is_halted_must_be_said_once(verb: object, arguments: list[str], log: list[bytes]) -> None:
    """Forgetting the symbol does not halt everything."""
    assert verb.main(arguments) == 2  # type: ignore[attr-defined]
    assert not log


@pytest.mark.parametrize("verb", [halt, resume])
def test_a_reason_is_required(verb: object, log: list[bytes]) -> None:
    assert verb.main(["A", "--reason", "  "]) == 2  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as ended:
        verb.main(["A"])  # type: ignore[attr-defined]
    assert ended.value.code == 2
    assert not log


def test_rules_are_added_listed_and_removed(log: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main([*ADD, "--symbols", "A,B", *WHY]) == 0
    assert rules.main(["load", str(DEFAULT_RULES), *WHY]) == 0
    assert rules.main(["remove", "--id", "a", *WHY]) == 0
    assert rules.main(["remove", "--id", "a", *WHY]) == 2
    assert halt.main(["C", "--reason", "x"]) == 0
    capsys.readouterr()
    assert rules.main(["list", "--json"]) == 0
    found = last_json(capsys)
    names = [rule.rule_id for rule in load_rules(DEFAULT_RULES)]
    assert [rule["id"] for rule in found["rules"]] == names  # type: ignore[attr-defined]
    assert (found["version"], found["halted_symbols"]) == (len(names) + 3, ["C"])


def test_the_list_is_readable(log: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main([*ADD, "--symbols", "A,B", *WHY]) == 0
    capsys.readouterr()
    assert rules.main(["list"]) == 0
    assert "a: |imbalance| >= 0.8, again below 0.5, at most every 60 s; A, B" in capsys.readouterr().out


def test_a_bad_rule_is_refused_with_everything_that_is_wrong(log: list[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--id", "a", "--measure", "imbalance", "--threshold", "1.5", "--rearm-below", "2", "--cool-down-seconds", "1"]
    assert rules.main(["add", *words, "--symbols", "A,A", *WHY]) == 2
    said = capsys.readouterr().err
    assert all(part in said for part in ("can never be reached", "rearm_below 2.0", "A more than once"))
    assert rules.main(["add", *words[:3], "mood", *words[4:8], "--cool-down-seconds", "nan", *WHY]) == 2
    said = capsys.readouterr().err
    assert all(part in said for part in ("measure is 'mood'", "cool_down_seconds is nan"))
    assert not log


def test_a_file_is_loaded_whole_or_not_at_all(log: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rules.toml"
    good = '[[rule]]\nid="a"\nmeasure="imbalance"\nthreshold=0.8\nrearm_below=0.5\ncool_down_seconds=1\n'
    file.write_text(good + good.replace("0.8", '"much"').replace("imbalance", "mood") + good + "[[rule]]\ncolour=1\n")
    assert rules.main(["load", str(file), *WHY]) == 2
    said = capsys.readouterr().err
    wanted = [
        "rule 2: threshold is 'much'",
        "rule 2: measure is 'mood'",
        "rule 4: id is missing",
        "rule 4: colour is unknown",
        "more than once",
    ]
    assert all(part in said for part in wanted)
    assert not log


@pytest.mark.parametrize("text", ["", "rule = 3", "[[rule]]\n", "other = 1\n[[rule]]\nid='a'", "not toml at all", "rule = [1]"])
def test_a_file_without_rules_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises(InvalidRule, match=r"rules\.toml"):
        load_rules(file)
    with pytest.raises(InvalidRule, match="missing"):
        load_rules(tmp_path / "missing.toml")


@given(alert_rules())
def test_a_rule_survives_its_words(rule: AlertRule) -> None:
    """As `list --json` gives it, `load` takes it; cool-downs to the nanosecond as far as a double of seconds reaches."""
    whole = AlertRule(*(rule.rule_id, rule.measure, rule.threshold, rule.rearm_below, rule.cool_down % 10**9 * 10**6, rule.symbols))
    assert rule_of(rules.rule_as_json(whole)) == whole


@given(st.lists(control_events(), max_size=8))
def test_a_log_of_good_entries_refuses_nothing(events: list[ControlEvent]) -> None:
    """Models are shown as published, without being loaded; the last one counts."""
    found = in_force([encode_control(event) for event in events])
    models = [event.model for event in events if event.kind is ControlKind.MODEL]
    assert (found.refused, found.snapshot.version, found.model) == ((), len(events), models[-1] if models else None)


def test_what_cannot_be_applied_is_listed() -> None:
    model = ControlEvent(0, ControlKind.MODEL, 1, "me", "", model=ModelReference("1", "file:///m", "0" * 64))
    found = in_force([b"nonsense", encode_control(model)])
    listed = rules.in_force_as_json(found)
    assert [entry["version"] for entry in listed["refused"]] == [1]
    assert listed["model"]["version"] == "1"


def test_the_default_rules_watch_every_measure_and_symbol() -> None:
    found = load_rules(DEFAULT_RULES)
    assert {rule.measure for rule in found} == set(Measure)
    assert rules_of_symbol(found, "anything") == found


def test_a_broker_that_is_away_is_an_error_of_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(control_verbs, "ACKNOWLEDGED_WITHIN_MILLISECONDS", 1500)
    assert halt.main(["A", "--reason", "x"]) == 2
    assert "not delivered" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["halt", "resume", "rules"])
def test_the_command_knows_the_verb(verb: str) -> None:
    text = (ROOT / "infra" / "tickflow").read_text()
    assert f'"{verb}": ("jobs.{verb}"' in text
    assert callable(importlib.import_module(f"jobs.{verb}").main)
