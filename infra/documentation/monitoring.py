"""Tables of what is watched: every metric, and every alert."""

from __future__ import annotations

from typing import Any, Final

import yaml

from infra.documentation.markdown import code, table
from infra.local import paths
from jobs.monitoring.metrics import METRICS_OF

FOLDER: Final = paths.ROOT / "infra" / "monitoring"
RULES: Final = FOLDER / "alerts.yaml"


def metrics() -> str:
    """Each metric: who gives it, what kind it is, its labels."""
    rows = [
        (program, code(metric.name), metric.kind.value, ", ".join(code(label) for label in metric.labels), metric.meaning)
        for program, found in METRICS_OF.items()
        for metric in found
    ]
    return table(("program", "metric", "kind", "labels", "meaning"), rows)


def alert_rules() -> list[dict[str, Any]]:
    """The alert rules as they stand in their file."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts() -> str:
    """Each alert, with its place in the runbook."""
    rows = [
        (f"[`{rule['alert']}`](#{rule['alert'].lower()})", rule["labels"]["severity"], code(rule["expr"]), rule.get("for", ""))
        for rule in alert_rules()
    ]
    return table(("alert", "severity", "fires where", "for"), rows)
