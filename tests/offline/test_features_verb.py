"""The list of features tells everything of every one."""

from __future__ import annotations

import json

import pytest

from jobs.features import main, scaling_words
from udfs.kernels.feature_traits import Memory, Scaling
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, Feature


def test_json_has_every_feature_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["feature_set"], told["count"]) == (FEATURE_SET, len(FEATURE_NAMES))
    assert [feature["name"] for feature in told["features"]] == list(FEATURE_NAMES)
    assert [feature["number"] for feature in told["features"]] == list(range(len(FEATURE_NAMES)))
    for told_feature, feature in zip(told["features"], Feature, strict=True):
        assert told_feature["unit"] == feature.unit
        assert told_feature["formula"]
        assert told_feature["warm_up"]
        assert told_feature["memory"] in {memory.name.lower() for memory in Memory}
        assert told_feature["model_input"] == feature.model_input


def test_a_person_sees_every_name_and_can_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    everything = capsys.readouterr().out
    assert [name for name in FEATURE_NAMES if name not in everything] == []
    assert main(["--find", "bollinger"]) == 0
    found = capsys.readouterr().out
    assert "bollinger_bandwidth" in found
    assert "obv" not in found


@pytest.mark.parametrize(
    ("scaling", "words"),
    [
        (Scaling(), ""),
        (Scaling(price=1), "price"),
        (Scaling(price=1, size=-1), "price * size^-1"),
        (Scaling(shifts=True), "log price, by shifting"),
    ],
)
def test_scaling_in_words(scaling: Scaling, words: str) -> None:
    assert scaling_words(scaling) == words
