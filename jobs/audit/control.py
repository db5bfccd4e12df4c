"""Control events in the audit log: what was asked for before it is published, and what became of it.

A halt makes things safer, so it is published even when the audit log cannot be written, with a loud warning; everything else is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from jobs.audit.entries import AuditDraft, AuditError
from jobs.audit.log import AuditLog, audit_folder
from udfs.errors import TickflowError
from udfs.records import AlertRule, ControlEvent, ControlKind, ModelReference, TradingState

NO_REASON: Final = "none was given"
_OF_SYMBOLS: Final = (ControlKind.HALT, ControlKind.REDUCE, ControlKind.RESUME)
_SAFER: Final = frozenset({ControlKind.HALT, ControlKind.REDUCE})


def audited(events: Sequence[ControlEvent], publish: Callable[[ControlEvent], int], log: AuditLog | None = None) -> list[int]:
    """Publish control events in their order; their versions. Raises what `publish` raises, and AuditError for what is not written.

    Each event has an entry `control_requested` before it is published, and `control_written` or `control_failed` after.
    """
    log = log or AuditLog(audit_folder())
    return [_publish(log, event, publish) for event in events]


def denied(events: Sequence[ControlEvent], problem: str, log: AuditLog | None = None) -> None:
    """Note events that were refused. Nothing happens because of them, so a log that cannot be written is only said."""
    log = log or AuditLog(audit_folder())
    for event in events:
        _note(log, event, "control_denied", {**event_as_json(event), "problem": problem})


def _publish(log: AuditLog, event: ControlEvent, publish: Callable[[ControlEvent], int]) -> int:
    number = _request(log, event)
    try:
        version = publish(event)
    except TickflowError as error:
        _note(log, event, "control_failed", {"request": number, "problem": str(error)})
        raise
    _note(log, event, "control_written", {"request": number, "version": version})
    return version


def _request(log: AuditLog, event: ControlEvent) -> int:
    """The number of the entry; 0 where it could not be written and the event goes out nevertheless."""
    try:
        return log.append(_draft(event, "control_requested", event_as_json(event))).number
    except AuditError as error:
        if not _is_safer(event):
            raise
        _warn(error)
        return 0


def _is_safer(event: ControlEvent) -> bool:
    return event.kind in _SAFER or (event.breaker is not None and event.breaker.state is not TradingState.ACTIVE)


def _note(log: AuditLog, event: ControlEvent, kind: str, what: Mapping[str, Any]) -> None:
    """Of what has happened already: an error cannot undo it."""
    try:
        log.append(_draft(event, kind, what))
    except AuditError as error:
        _warn(error)


def _warn(error: AuditError) -> None:
    print(f"WARNING: not in the audit log: {error}", file=sys.stderr)


def _draft(event: ControlEvent, kind: str, what: Mapping[str, Any]) -> AuditDraft:
    return AuditDraft(kind, event.reason.strip() or NO_REASON, what, event.author)


def event_as_json(event: ControlEvent) -> dict[str, Any]:
    """What a control event says, without its author and reason, which an entry has fields for."""
    found: dict[str, Any] = {"control": event.kind.name.lower()}
    if event.model is not None:
        found["model"] = _model_as_json(event.model)
    if event.rule is not None:
        found["rule"] = _rule_as_json(event.rule)
    if event.rule_id:
        found["rule_id"] = event.rule_id
    if event.breaker is not None:
        found["breaker"] = {"name": event.breaker.name, "state": getattr(event.breaker.state, "name", str(event.breaker.state)).lower()}
    if event.challenger is not None:
        found["challenger"] = {"alias": event.challenger.alias, "model": _model_as_json(event.challenger.model)}
    if event.kind is ControlKind.SHED:
        found["shed_level"] = event.shed_level
    if event.kind in _OF_SYMBOLS:
        found["symbols"] = list(event.symbols) or "all"
    return found


def _model_as_json(model: ModelReference | None) -> dict[str, str] | None:
    return None if model is None else {"version": model.version, "uri": model.uri, "sha256": model.sha256}


def _rule_as_json(rule: AlertRule) -> dict[str, Any]:
    words = {"id": rule.rule_id, "measure": str(getattr(rule.measure, "name", rule.measure)).lower(), "cool_down": rule.cool_down}
    return {**words, "threshold": repr(rule.threshold), "rearm_below": repr(rule.rearm_below), "symbols": list(rule.symbols)}
