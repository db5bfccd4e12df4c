"""Settings: every problem at once, the environment over the file, and no secret in anything that is stored or sent."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local import paths
from jobs.job_plan import JobPlan
from jobs.kafka_settings import KafkaSettings
from jobs.kafka_tables import Reading, sink_table, source_table
from jobs.lake.settings import CatalogKind, LakeSettings
from jobs.settings import Settings, load_settings
from udfs.codecs.wire import PINNED_IDS
from udfs.errors import InvalidSettings

PROFILES = sorted(paths.FLINK_CONFIGURATIONS.glob("*/job.toml"))
SECRETS = {
    "TICKFLOW_KAFKA_USERNAME": "user-of-kafka",
    "TICKFLOW_KAFKA_PASSWORD": "password-of-kafka",
    "TICKFLOW_SCHEMA_REGISTRY_PASSWORD": "password-of-registry",
    "TICKFLOW_SCHEMA_REGISTRY_TOKEN": "token-of-registry",
    "TICKFLOW_LAKE_PASSWORD": "password-of-lake",
    "AWS_SECRET_ACCESS_KEY": "secret-of-aws",
}
LAKE = LakeSettings(warehouse="/lake", uri="/lake/catalog.db")


def file_with(folder: Path, text: str) -> Path:
    file = folder / "job.toml"
    file.write_text(text)
    return file


def test_no_two_settings_of_a_section_say_the_same() -> None:
    for section in Settings.model_fields.values():
        fields = getattr(section.annotation, "model_fields", {})
        said = [field.description for field in fields.values()]
        assert len(set(said)) == len(said)


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.parent.name)
def test_the_profiles_that_are_shipped_are_valid(file: Path) -> None:
    assert load_settings(file, {}).model_fields_set


def test_nothing_set_gives_the_defaults() -> None:
    assert load_settings(None, {}) == Settings() == load_settings(None, {"PATH": "/bin", "TICKFLOW_LAKE_URI": "x"})


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = """
    universe = 5
    [kafka]
    partitions = 0
    delivery_guarantee = "sometimes"
    bootstrap = "misspelt"
    [flink]
    parallelism = "many"
    [kernel]
    out_of_order_milliseconds = 20000
    [scoring]
    minimum_confidence = 1.5
    [no_such_section]
    x = 1
    """
    with pytest.raises(InvalidSettings) as caught:
        load_settings(file_with(tmp_path, text), {})
    said = str(caught.value)
    for name, found in {
        "universe": "5",
        "kafka.partitions": "0",
        "kafka.delivery_guarantee": "'sometimes'",
        "kafka.bootstrap": "'misspelt'",
        "flink.parallelism": "'many'",
        "kernel.out_of_order_milliseconds": "20000",
        "scoring.minimum_confidence": "1.5",
        "no_such_section": "{'x': 1}",
    }.items():
        assert any(line.strip().startswith(f"{name}:") and line.endswith(f"found {found}") for line in said.splitlines()), (name, said)


def test_what_only_the_kernels_know_is_told_in_their_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="bar_lengths_seconds has \\[7\\]"):
        load_settings(file_with(tmp_path, "[kernel]\nbar_lengths_seconds = [1, 7]"), {})


@pytest.mark.parametrize("text", ["not toml at all =", "[kafka\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"job\.toml"):
        load_settings(file_with(tmp_path, text), {})


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"absent\.toml: No such file"):
        load_settings(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("variable", "text", "section", "name", "value"),
    [
        ("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", "k:1", "kafka", "bootstrap_servers", "k:1"),
        ("TICKFLOW_KAFKA__BOOTSTRAP_SERVERS", "k:2", "kafka", "bootstrap_servers", "k:2"),
        ("TICKFLOW_REDIS_URL", "redis://r", "online", "redis_url", "redis://r"),
        ("TICKFLOW_FLINK_REST_URL", "http://f", "flink", "rest_url", "http://f"),
        ("TICKFLOW_FLINK__PARALLELISM", "4", "flink", "parallelism", 4),
        ("TICKFLOW_SCORING__MINIMUM_CONFIDENCE", "0.25", "scoring", "minimum_confidence", 0.25),
        ("TICKFLOW_KERNEL__BAR_LENGTHS_SECONDS", "1,60", "kernel", "bar_lengths_seconds", (1, 60)),
        ("TICKFLOW_TOPICS__FRAMES", "frames.here", "topics", "frames", "frames.here"),
    ],
)
def test_a_variable_wins_over_the_file(tmp_path: Path, variable: str, text: str, section: str, name: str, value: Any) -> None:
    file = file_with(tmp_path, '[kafka]\nbootstrap_servers = "from-file"\npartitions = 3\n[flink]\nparallelism = 2\n')
    loaded = load_settings(file, {variable: text})
    assert getattr(getattr(loaded, section), name) == value
    assert loaded.kafka.partitions == 3


def test_variables_of_the_top_level() -> None:
    loaded = load_settings(None, {"TICKFLOW_UNIVERSE": "A,B,,C", "TICKFLOW_SCHEMA_REGISTRY_URL": "http://registry"})
    assert (loaded.universe, loaded.schema_registry_url) == (("A", "B", "C"), "http://registry")


def test_a_misspelt_variable_of_a_section_is_a_problem_too() -> None:
    with pytest.raises(InvalidSettings, match=r"kafka\.partition:"):
        load_settings(None, {"TICKFLOW_KAFKA__PARTITION": "3"})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().kafka.partitions = 3


SECURED = KafkaSettings(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", truststore="/certificates.pem")


def plan_of(chosen: Settings, **changes: Any) -> JobPlan:
    return JobPlan(chosen, LAKE, "manifest", "run", "market.frames", "control", dict(PINNED_IDS), **changes)


def test_secrets_are_used_and_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    loaded = load_settings(None, {**SECRETS}).model_copy(update={"kafka": SECURED})
    stored = json.dumps(loaded.without_secrets()) + plan_of(loaded).to_json() + repr(loaded) + loaded.manifest_id("code")
    assert not [value for value in SECRETS.values() if value in stored]
    java, python = SECURED.client_properties(), SECURED.librdkafka_properties()
    assert 'password="password-of-kafka"' in java["sasl.jaas.config"]
    assert (python["sasl.username"], python["sasl.password"]) == ("user-of-kafka", "password-of-kafka")
    assert {java["security.protocol"], python["security.protocol"]} == {"SASL_SSL"}
    assert java["ssl.truststore.location"] == python["ssl.ca.location"] == "/certificates.pem"


def test_a_login_in_an_address_is_used_and_never_stored() -> None:
    """Settings go into the table of runs, the plan onto a command line that everybody on the machine can read."""
    addresses = {
        "TICKFLOW_REDIS_URL": "rediss://store:p@ss/word@redis:6379/0",
        "TICKFLOW_SCHEMA_REGISTRY_URL": "https://me:hidden@registry?password=hidden",
    }
    loaded = load_settings(None, addresses)
    assert loaded.online.redis_url == addresses["TICKFLOW_REDIS_URL"]
    stored = json.dumps(loaded.without_secrets()) + plan_of(loaded).to_json()
    assert not [secret for secret in ("p@ss", "hidden", "store:", "me:") if secret in stored]
    assert "https://registry" in stored


@pytest.mark.parametrize("password", ['a"b', "a\\b", '"; evil="'])
def test_a_password_stays_within_its_quotes(password: str) -> None:
    login = SECURED.client_properties({"TICKFLOW_KAFKA_USERNAME": "u", "TICKFLOW_KAFKA_PASSWORD": password})["sasl.jaas.config"]
    words = shlex.split(login.removesuffix(";"))
    assert words[-2:] == ["username=u", f"password={password}"]


def test_plain_connections_need_nothing() -> None:
    assert KafkaSettings().client_properties({}) == KafkaSettings().librdkafka_properties({}) == {}


def test_a_quote_in_a_name_or_password_does_not_end_the_sql_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKFLOW_KAFKA_PASSWORD", "it's")
    for text in (sink_table("t", "o'clock", SECURED), source_table("t", "o'clock", SECURED, "g", Reading())):
        assert "'topic' = 'o''clock'" in text
        assert "it''s" in text
        assert text.count("'") % 2 == 0


def test_only_a_bounded_reading_ends() -> None:
    bounded, endless = (source_table("t", "x", KafkaSettings(), "g", Reading(bounded=bounded)) for bounded in (True, False))
    assert "'scan.bounded.mode' = 'latest-offset'" in bounded
    assert "scan.bounded.mode" not in endless


def test_exactly_once_needs_transactions() -> None:
    exactly, at_least = (sink_table("t", "x", KafkaSettings(delivery_guarantee=name)) for name in ("exactly-once", "at-least-once"))
    assert "sink.transactional-id-prefix" in exactly
    assert "transactional" not in at_least


RESULTS = {"kernel": {"row_interval_milliseconds": 50}, "scoring": {"minimum_confidence": 0.5}, "universe": ("A",)}
PLACES = {"kafka": {"bootstrap_servers": "x", "partitions": 3}, "flink": {"parallelism": 3}, "topics": {"frames": "f"}}


@pytest.mark.parametrize("name", [*RESULTS, *PLACES])
def test_the_manifest_changes_with_what_changes_results_and_with_nothing_else(name: str) -> None:
    changed = Settings.model_validate({name: (RESULTS | PLACES)[name]})
    assert (changed.manifest_id("code") != Settings().manifest_id("code")) == (name in RESULTS)
    assert changed.manifest_id("code") != changed.manifest_id("other code")


def test_the_order_of_the_universe_does_not_matter() -> None:
    left, right = (Settings(universe=symbols).manifest_id("code") for symbols in (("A", "B"), ("B", "A")))
    assert left == right


_words = st.text(max_size=8)
_kinds = st.lists(st.sampled_from(("feature", "bar", "signal")), unique=True).map(tuple)


@settings(deadline=None)
@given(
    st.builds(lambda universe, lengths: Settings.model_validate({"universe": universe, "kernel": {"bar_lengths_seconds": lengths}}),
              st.lists(_words).map(tuple), st.lists(st.sampled_from((1, 60, 300)), unique=True).map(tuple)),
    st.sampled_from([LAKE, LakeSettings("s3://bucket/x", CatalogKind.GLUE, "", "http://s3", "eu", 8)]),
    st.fixed_dictionaries({}, optional={
        "positions_in_headers": st.booleans(), "reading": st.builds(Reading, _words, st.booleans()), "namespace": _words,
        "topics_written": _kinds, "lake_written": _kinds, "from_time": st.none() | st.integers(), "to_time": st.none() | st.integers(),
        "job_name": _words,
    }),
)  # fmt: skip
def test_a_plan_survives_its_json(chosen: Settings, lake: LakeSettings, changes: dict[str, Any]) -> None:
    plan = JobPlan(chosen, lake, "manifest", "run", "f", "c", dict(PINNED_IDS), **changes)
    assert JobPlan.from_json(plan.to_json()) == plan


def test_groups_of_a_variable_are_json() -> None:
    assert load_settings(None, {"TICKFLOW_GROUPS": '{"tech": ["A", "B"]}'}).groups == {"tech": ("A", "B")}
    with pytest.raises(InvalidSettings, match="groups"):
        load_settings(None, {"TICKFLOW_GROUPS": "A,B"})
