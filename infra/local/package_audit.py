"""Known weaknesses of the locked packages, as `pip-audit` finds them. Without its database nothing is known, and that is said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from infra.local import environment, paths
from infra.local.console import say

TIMEOUT_SECONDS = 300
NOT_CHECKED = "check: packages WERE NOT CHECKED for known weaknesses: {why}"


def held(ask: Callable[[], str] | None = None) -> bool | None:
    """Whether no locked package has a known weakness; None where that could not be found out, which is said. `ask` gives the JSON."""
    try:
        found = json.loads((ask or _ask)())["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        say(NOT_CHECKED.format(why=f"pip-audit gave no answer ({type(error).__name__})"))
        return None
    unknown = [package["name"] for package in found if "skip_reason" in package]
    weak = [package for package in found if package.get("vulns")]
    for package in weak:
        say(f"check: {package['name']} {package['version']}: {', '.join(_names(package))}")
    if weak:
        return False
    if unknown:
        say(NOT_CHECKED.format(why=f"the database does not know {len(unknown)} of {len(found)}; is it within reach?"))
        return None
    return True


def _names(package: dict[str, Any]) -> list[str]:
    return [f"{weakness['id']} (mended in {', '.join(weakness['fix_versions']) or 'no version'})" for weakness in package["vulns"]]


def _ask() -> str:
    command = [str(paths.PYTHON), "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--no-deps", "--disable-pip"]
    answer = subprocess.run(
        [*command, "--requirement", str(paths.PYTHON_LOCK)],
        env=environment.program_environment(),
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    return answer.stdout
