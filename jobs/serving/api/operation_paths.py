"""How the whole is doing, which models are in force, and the switch of the breakers."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from fastapi import APIRouter, Response
from starlette.requests import Request

from infra.local.flink import request as ask_flink
from jobs.job_metrics import counters
from jobs.serving.api.access import Caller, HistoryReader, Operator, Reader, may_see_rule, parts_of
from jobs.serving.api.clock import rfc3339
from jobs.serving.api.control_view import entry_as_json
from jobs.serving.api.operation_schemas import Alive, Control, Freshness, Models, Operations, Switch
from jobs.serving.api.parts import Parts, as_json
from jobs.serving.api.problems import Problem, documented
from jobs.serving.api.schemas import Written
from jobs.serving.api.user_paths import author_of, publish
from udfs.records import ControlEvent, ControlKind

router = APIRouter()
SHOWN_ENTRIES: Final = 50
_BEHIND: Final = ("fallback", "the control log does not answer; what is shown may be old")
_MODELS: Final = (ControlKind.MODEL, ControlKind.NEWS_MODEL)


@router.get("/health", response_model=Alive, tags=["operation"])
async def health() -> Response:
    """Whether this program runs; needs no key and says nothing else."""
    return as_json({"status": "ok"})


@router.get("/v1/freshness", response_model=Freshness, tags=["operation"], responses=documented())
async def freshness(request: Request, caller: Reader) -> Response:
    """How far answers can be trusted now, and what does not answer."""
    parts: Parts = parts_of(request)
    times = [kept.record.event_time for kept in parts.cache.signals.values()]
    newest, now = max(times, default=None), parts.clock.now()
    age = None if newest is None else max(0.0, (now - newest) / 1e9)
    known = _problems(parts, await parts.reads.redis_answers())
    away = {name: why for name, why in known.items() if why}
    stale = age is None or age > parts.serve.stale_seconds
    why = "; ".join(away.values()) or (
        "no signal was seen yet" if age is None else f"the newest signal is {age:.0f} s old" if stale else ""
    )
    found = {
        "status": "fallback" if stale or away else "live",
        "why": why,
        "event_time": None if newest is None else rfc3339(newest),
        "age_seconds": age,
        "now": rfc3339(now),
        "symbols": len(times),
        "records": parts.feed.records,
        "malformed": parts.feed.malformed,
        "subscribers": len(parts.hub),
        "parts": {name: {"status": "away" if problem else "ok", "why": problem} for name, problem in known.items()},
    }
    return as_json(found)


@router.get("/v1/models", response_model=Models, tags=["operation"], responses=documented())
def models(request: Request, caller: HistoryReader) -> Response:
    """Every model that was released, with who released it and why."""
    parts: Parts = parts_of(request)
    seen, found = set[ControlKind](), []
    for event in parts.control.entries():
        if event.kind not in _MODELS or event.model is None:
            continue
        found.append(_model(event, event.kind not in seen))
        seen.add(event.kind)
    status, why = ("live", "") if parts.control.caught_up else _BEHIND
    return as_json({"status": status, "why": why, "models": found})


@router.get("/v1/control", response_model=Control, tags=["operation"], responses=documented())
def control(request: Request, caller: Reader) -> Response:
    """What is halted, and the last entries of the control log."""
    parts: Parts = parts_of(request)
    snapshot = parts.control.current.snapshot
    shown = [event for event in parts.control.entries(4 * SHOWN_ENTRIES) if _may_see(caller, event)][:SHOWN_ENTRIES]
    status, why = ("live", "") if parts.control.caught_up else _BEHIND
    found = {
        "status": status,
        "why": why,
        "version": snapshot.version,
        "everything": snapshot.everything.name.lower(),
        "symbols": {symbol: state.name.lower() for symbol, state in sorted(snapshot.by_symbol.items())},
        "entries": [_entry(event) for event in shown],
    }
    return as_json(found)


@router.post("/v1/halt", response_model=Written, tags=["operation"], responses=documented(503))
def halt(request: Request, caller: Operator, wanted: Switch) -> Response:
    """Stop signals of symbols or of all, from their next frames on."""
    return _switch(parts_of(request), caller, wanted, ControlKind.REDUCE if wanted.reduce_only else ControlKind.HALT)


@router.post("/v1/resume", response_model=Written, tags=["operation"], responses=documented(503))
def resume(request: Request, caller: Operator, wanted: Switch) -> Response:
    """Let signals flow again after a halt."""
    if wanted.reduce_only:
        raise Problem(422, "invalid", "body.reduce_only: belongs to a halt")
    return _switch(parts_of(request), caller, wanted, ControlKind.RESUME)


@router.get("/v1/operations", response_model=Operations, tags=["operation"], responses=documented())
async def operations(request: Request, caller: Reader) -> Response:
    """What the job has counted since it started."""
    url = parts_of(request).settings.flink.rest_url
    try:
        found = await asyncio.wait_for(asyncio.to_thread(_job, url), 5.0)
    except Exception as error:  # whatever the client of Flink's REST interface raises when it is away
        nothing = dict.fromkeys(("job", "state", "uptime_seconds", "counters"))
        return as_json({"status": "fallback", "why": f"Flink does not answer ({type(error).__name__})"} | nothing)
    return as_json({"status": "live", "why": ""} | found)


def _job(url: str) -> dict[str, Any]:
    jobs = sorted(ask_flink(url, "/jobs/overview")["jobs"], key=lambda job: (job["state"] == "RUNNING", job["start-time"]))
    if not jobs:
        return dict.fromkeys(("job", "state", "uptime_seconds", "counters"))
    job = jobs[-1]
    return {
        "job": job["jid"],
        "state": job["state"].lower(),
        "uptime_seconds": job["duration"] / 1e3,
        "counters": counters(url, job["jid"]),
    }


def _switch(parts: Parts, caller: Caller, wanted: Switch, kind: ControlKind) -> Response:
    if bool(wanted.symbols) == wanted.all:
        raise Problem(422, "invalid", "body: name symbols, or say `all`")
    symbols = tuple(dict.fromkeys(wanted.symbols))
    event = ControlEvent(0, kind, time.time_ns(), author_of(caller), wanted.reason, symbols=symbols)
    return as_json({"version": publish(parts, event)})


def _problems(parts: Parts, redis_answers: bool) -> dict[str, str]:
    """What this program leans on, and why it cannot, empty where it can."""
    return {
        "stream": "" if parts.feed.healthy else "Kafka does not answer, or its topics are not there yet",
        "control_log": "" if parts.control.caught_up else "the control log does not answer",
        "online_store": "" if redis_answers else "Redis does not answer",
    }


def _model(event: ControlEvent, is_newest: bool) -> dict[str, Any]:
    assert event.model is not None
    return {
        "version": event.version,
        "kind": event.kind.name.lower(),
        "event_time": rfc3339(event.event_time),
        "author": event.author,
        "reason": event.reason,
        "model_version": event.model.version,
        "sha256": event.model.sha256,
        "in_force": is_newest,
    }


def _entry(event: ControlEvent) -> dict[str, Any]:
    words = {"version": event.version, "kind": event.kind.name.lower(), "event_time": rfc3339(event.event_time)}
    return words | {"author": event.author, "reason": event.reason, "what": entry_as_json(event)}


def _may_see(caller: Caller, event: ControlEvent) -> bool:
    rule_id = event.rule.rule_id if event.rule else event.rule_id
    return not rule_id or may_see_rule(caller, rule_id)
