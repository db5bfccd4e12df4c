"""The job as Flink sees it: its operators keep their ids, one of them is Python, and a replay is the same job with other ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.job_plan import KAFKA_KINDS, JobPlan
from jobs.lake.settings import local_lake
from jobs.operator_ids import stable_name
from jobs.recomputation.stored import Range
from jobs.replaying import _replay_plan
from jobs.settings import FlinkSettings, Settings
from tests.support.beside import run_beside
from udfs.codecs.wire import PINNED_IDS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
GOLDEN = ROOT / "tests" / "golden" / "operator_uids.json"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Flink made of a live run, of one with fewer outputs, and of a replay."""
    folder = tmp_path_factory.mktemp("topology")
    lake = local_lake(folder / "lake")
    settings = Settings(flink=FlinkSettings(parallelism=2))
    live = JobPlan(settings, lake, "manifest", "run", "market.frames", "control", dict(PINNED_IDS))
    fewer = replace(live, topics_written=KAFKA_KINDS[2:], lake_written=("frame", "bar", "signal"))
    replay = replace(_replay_plan(settings, lake, Range(1, 2), None), namespace="replay")
    (folder / "plans").write_text(json.dumps({"live": live.to_json(), "fewer": fewer.to_json(), "replay": replay.to_json()}))
    run_beside("describe_topology", folder / "plans", folder / "found")
    return dict(json.loads((folder / "found").read_text()))


def test_operators_keep_the_ids_by_which_their_state_is_found(found: dict[str, Any]) -> None:
    """After a deliberate change that drops state: write the new ids into the golden file, and say so in the release notes."""
    assert sorted(found["live"]["uids"]) == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("name", ["live", "fewer", "replay"])
def test_every_operator_has_an_id_of_its_own(found: dict[str, Any], name: str) -> None:
    assert len(set(found[name]["uids"])) == len(found[name]["uids"])
    assert set(found[name]["without_uid"]) == {"Partition"}


@pytest.mark.parametrize("name", ["live", "fewer", "replay"])
def test_one_operator_is_python_and_it_alone_is_keyed_by_symbol(found: dict[str, Any], name: str) -> None:
    assert found[name]["python"] == ["market"]
    assert [uid for uid in found[name]["keyed"] if not uid.endswith(".IcebergStreamWriter")] == ["market"]


@pytest.mark.parametrize("name", ["live", "fewer", "replay"])
def test_all_state_has_the_jobs_number_of_key_groups(found: dict[str, Any], name: str) -> None:
    """Else a savepoint taken at parallelism 1, where a committer is chained, cannot be restored at 2, where it is not."""
    assert found[name]["key_groups"] == [found[name]["parallelism"][1]]


def test_ids_do_not_depend_on_what_else_is_written(found: dict[str, Any]) -> None:
    """Else a table's committer would inherit the unfinished files of another."""
    assert set(found["fewer"]["uids"]) < set(found["live"]["uids"])


def test_a_replay_is_the_same_job_with_other_ends(found: dict[str, Any]) -> None:
    live, replay = ({uid.replace("lake.replay.", "lake.tickflow.") for uid in found[name]["uids"]} for name in ("live", "replay"))
    assert replay < live
    conversion_for_kafka = "anonymous_datastream_source-2"  # no state: a replay has no Kafka sink, so only the lake's conversion
    ends = ("kafka_", conversion_for_kafka, "IcebergSink_lake.tickflow.market_frames", "IcebergSink_lake.tickflow.control_events")
    assert [uid for uid in live - replay if not uid.startswith(ends)] == []
    assert found["replay"]["parallelism"] == found["live"]["parallelism"] == [2, 4096]


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("kafka_features[12]: Writer", "kafka_features_Writer"),
        ("kafka_features[7]: Writer", "kafka_features_Writer"),
        ("*anonymous_datastream_source$2*[4]", "anonymous_datastream_source"),
        ("IcebergSink lake.tickflow.bars", "IcebergSink_lake.tickflow.bars"),
    ],
)
def test_names_lose_what_changes_when_a_statement_is_added(name: str, stable: str) -> None:
    assert stable_name(name) == stable
