"""What is known of the packages decides; what is not known is said, and decides nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local import package_audit

SOUND = {"name": "sound", "version": "1", "vulns": []}
WEAK = {"name": "weak", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"], "aliases": [], "description": ""}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


def held(*packages: Any) -> bool | None:
    return package_audit.held(lambda: json.dumps({"dependencies": packages, "fixes": []}))


def test_packages_without_a_known_weakness_hold() -> None:
    assert held(SOUND, SOUND) is True


@pytest.mark.parametrize("others", [(), (SOUND,), (UNKNOWN,)])
def test_one_weakness_does_not_hold(others: tuple[Any, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert held(WEAK, *others) is False
    assert "weak 2: CVE-1 (mended in 3)" in capsys.readouterr().err


def test_what_nobody_knows_is_said_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    assert held(SOUND, UNKNOWN) is None
    assert "WERE NOT CHECKED" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["", "no JSON", "{}"])
def test_no_answer_is_no_yes(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert package_audit.held(lambda: answer) is None
    assert "WERE NOT CHECKED" in capsys.readouterr().err
