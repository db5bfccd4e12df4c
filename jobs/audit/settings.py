"""Settings in the audit log: each submitted job, with what changed since the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.audit.entries import AuditDraft
from jobs.audit.log import AuditLog

KIND = "job_submitted"


def note_submission(log: AuditLog, settings: Mapping[str, Any], manifest_id: str, run_id: str, why: str) -> dict[str, Any]:
    """Append who submits which settings, before the job is; the changes since the last submission. Raises AuditError."""
    changes = changed(_last_settings(log), settings)
    log.append(AuditDraft(KIND, why, {"run_id": run_id, "manifest_id": manifest_id, "changed": changes, "settings": dict(settings)}))
    return changes


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Each setting that differs, as `section.name`: [before, after]; None where there was or is none."""
    old, new = _flat(before), _flat(after)
    names = sorted(old.keys() | new.keys())
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _last_settings(log: AuditLog) -> Mapping[str, Any]:
    found: Mapping[str, Any] = {}
    for entry in log.entries():
        if entry.kind == KIND:
            found = entry.what.get("settings", {})
    return found


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found
