"""What belongs to a user: watchlists, and alert rules, which the job learns of over the control log."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response
from starlette.requests import Request

from jobs.alert_rule_files import rule_of
from jobs.audit.entries import AuditError
from jobs.control_verbs import publish_all
from jobs.gateway.publisher import PublishError
from jobs.rules import rule_as_json, rule_event
from jobs.serving.api.access import USER_RULES, Caller, Reader, Writer, may_see_rule, own_rules, parts_of
from jobs.serving.api.parts import Parts, as_json
from jobs.serving.api.problems import Problem, documented
from jobs.serving.api.schemas import NAME_PATTERN, NamedWatchlist, Rules, RuleWords, Watchlist, Watchlists, Written
from jobs.serving.api.users import TooMany
from udfs.errors import InvalidRule
from udfs.records import AlertRule, ControlEvent, ControlKind

router = APIRouter(prefix="/v1", tags=["of a user"])
Name = Annotated[str, Path(pattern=NAME_PATTERN, description="name that the caller chose")]
SEEN_WITHIN_SECONDS: Final = 3.0


@router.get("/watchlists", response_model=Watchlists, responses=documented())
def watchlists(request: Request, caller: Reader) -> Response:
    """The caller's watchlists."""
    found = parts_of(request).users.watchlists(caller.user)
    return as_json({"watchlists": [{"name": name, "symbols": symbols} for name, symbols in found.items()]})


@router.get("/watchlists/{name}", response_model=NamedWatchlist, responses=documented(404))
def watchlist(request: Request, caller: Reader, name: Name) -> Response:
    """One of the caller's watchlists."""
    return as_json({"name": name, "symbols": symbols_of(parts_of(request), caller, name)})


@router.put("/watchlists/{name}", response_model=NamedWatchlist, responses=documented(409))
def put_watchlist(request: Request, caller: Writer, name: Name, wanted: Watchlist) -> Response:
    """Create or change a watchlist."""
    symbols = list(dict.fromkeys(wanted.symbols))
    try:
        parts_of(request).users.put_watchlist(caller.user, name, symbols)
    except TooMany as error:
        raise Problem(409, "too_many", str(error)) from error
    return as_json({"name": name, "symbols": symbols})


@router.delete("/watchlists/{name}", status_code=204, response_class=Response, responses=documented(404))
def remove_watchlist(request: Request, caller: Writer, name: Name) -> Response:
    """Delete a watchlist."""
    if not parts_of(request).users.remove_watchlist(caller.user, name):
        raise _no_watchlist()
    return Response(status_code=204)


@router.get("/rules", response_model=Rules, responses=documented())
def rules(request: Request, caller: Reader) -> Response:
    """The rules in force that concern the caller: own ones, and those that belong to nobody."""
    snapshot = parts_of(request).control.current.snapshot
    seen = [_rule(rule, caller) for rule in snapshot.rules if may_see_rule(caller, rule.rule_id)]
    return as_json({"version": snapshot.version, "rules": seen})


@router.put("/rules/{name}", response_model=Written, responses=documented(409, 503))
def put_rule(request: Request, caller: Writer, name: Name, wanted: RuleWords) -> Response:
    """Put a rule of the caller into force, in the place of one of that name."""
    parts: Parts = parts_of(request)
    rule_id = own_rules(caller.user) + name
    _check_room(parts, caller, rule_id)
    symbols = list(dict.fromkeys(wanted.symbols))
    try:
        rule = rule_of(wanted.model_dump() | {"id": rule_id, "symbols": symbols})
    except InvalidRule as error:
        raise Problem(422, "invalid", str(error)) from error
    return as_json({"version": publish(parts, rule_event(rule, author_of(caller), "alert rule of a user"))})


@router.delete("/rules/{name}", response_model=Written, responses=documented(404, 503))
def remove_rule(request: Request, caller: Writer, name: Name) -> Response:
    """Take a rule of the caller out of force."""
    parts: Parts = parts_of(request)
    rule_id = own_rules(caller.user) + name
    if rule_id not in {rule.rule_id for rule in parts.control.current.snapshot.rules}:
        raise Problem(404, "unknown_rule", "the caller has no rule of this name in force")
    event = ControlEvent(0, ControlKind.REMOVE_ALERT_RULE, time.time_ns(), author_of(caller), "alert rule of a user", rule_id=rule_id)
    return as_json({"version": publish(parts, event)})


def publish(parts: Parts, event: ControlEvent) -> int:
    """Append an entry to the control log; its version, once it can be read here as well. Raises Problem."""
    if not parts.control.caught_up:
        raise Problem(503, "stream_unavailable", "the control log does not answer; nothing was changed", {"Retry-After": "5"})
    try:
        (version,) = publish_all([event], parts.settings)
    except InvalidRule as error:
        raise Problem(422, "invalid", str(error)) from error
    except (PublishError, AuditError) as error:
        raise Problem(503, "stream_unavailable", f"not written: {error}", {"Retry-After": "5"}) from error
    parts.control.wait_for(version, SEEN_WITHIN_SECONDS)
    return version


def author_of(caller: Caller) -> str:
    """How a caller stands in the control log."""
    return f"{caller.user} (key {caller.key_id})"


def symbols_of(parts: Parts, caller: Caller, name: str) -> list[str]:
    """The symbols of a caller's watchlist. Raises Problem."""
    found = parts.users.watchlists(caller.user).get(name)
    if found is None:
        raise _no_watchlist()
    return found


def _check_room(parts: Parts, caller: Caller, rule_id: str) -> None:
    """Every rule is work for the job, so there is an end to them."""
    others = [
        rule.rule_id for rule in parts.control.current.snapshot.rules if rule.rule_id.startswith(USER_RULES) and rule.rule_id != rule_id
    ]
    own = sum(other.startswith(own_rules(caller.user)) for other in others)
    if own >= parts.serve.most_rules_of_user:
        raise Problem(409, "too_many", f"a user has at most {parts.serve.most_rules_of_user} rules")
    if len(others) >= parts.serve.most_rules:
        raise Problem(409, "too_many", f"all users together have at most {parts.serve.most_rules} rules")


def _rule(rule: AlertRule, caller: Caller) -> dict[str, Any]:
    words = rule_as_json(rule)
    rule_id = words.pop("id")
    own = rule_id.startswith(own_rules(caller.user))
    return {"name": rule_id.removeprefix(own_rules(caller.user)), "rule_id": rule_id, "is_own": own} | words


def _no_watchlist() -> Problem:
    return Problem(404, "unknown_watchlist", "the caller has no watchlist of this name")
