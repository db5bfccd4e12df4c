"""The paths that read: newest values, alerts, and what the lake holds."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AwareDatetime
from starlette.requests import Request

from jobs.serving.api.access import Asker, Caller, HistoryReader, Reader, may_see_rule, parts_of
from jobs.serving.api.clock import rfc3339
from jobs.serving.api.history import Wanted
from jobs.serving.api.parts import Parts, as_json
from jobs.serving.api.problems import Problem, documented
from jobs.serving.api.schemas import (
    SYMBOL_PATTERN,
    SYMBOLS_PATTERN,
    Alerts,
    BookAnswer,
    FeaturesAnswer,
    NewsAnswer,
    Page,
    SignalAnswer,
    SignalAnswers,
    SymbolList,
)
from jobs.serving.api.views import BOOK_FEATURES, alert_view, news_view


class BarLength(IntEnum):
    """Lengths of the bars that are stored."""

    SECOND = 1
    MINUTE = 60
    FIVE_MINUTES = 300
    HOUR = 3600


router = APIRouter(prefix="/v1", tags=["reading"])
Symbol = Annotated[str, Path(pattern=SYMBOL_PATTERN, description="symbol, as the stream knows it")]


SymbolsText = Annotated[
    str,
    Query(alias="symbols", pattern=SYMBOLS_PATTERN, description="up to 200, with commas between"),
]
Since = Annotated[AwareDatetime | None, Query(alias="from", description="rows of this time and later; RFC 3339 with a zone")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="rows before this time")]
Before = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]


class Stretch(NamedTuple):
    """Which part of the stored rows a page is of."""

    since: datetime | None
    until: datetime | None
    before: str | None


def _stretch(since: Since = None, until: Until = None, before: Before = None) -> Stretch:
    return Stretch(since, until, before)


Between = Annotated[Stretch, Depends(_stretch)]
Most = Annotated[int, Query(alias="limit", ge=1, le=1000, description="most rows on a page")]
FewRows = Annotated[int, Query(alias="limit", ge=1, le=200, description="most rows on a page")]


@router.get("/symbols", response_model=SymbolList, responses=documented())
async def symbols(request: Request, caller: HistoryReader) -> Response:
    """Every symbol of which a signal is known."""
    return as_json({"symbols": await parts_of(request).reads.known_symbols()})


@router.get("/signals", response_model=SignalAnswers, responses=documented())
async def newest_signals(request: Request, caller: Reader, wanted: SymbolsText) -> Response:
    """The newest signal of each symbol, in the order asked for; a symbol that nobody heard of has the status `unknown`."""
    parts: Parts = parts_of(request)
    return Response(await watchlist(parts, wanted.split(",")), media_type="application/json")


@router.get("/signals/{symbol}", response_model=SignalAnswer, responses=documented(404))
async def newest_signal(request: Request, caller: Reader, symbol: Symbol) -> Response:
    """The newest signal of a symbol."""
    return as_json(await _one(parts_of(request), "signals", symbol))


@router.get("/features/{symbol}", response_model=FeaturesAnswer, responses=documented(404))
async def newest_features(request: Request, caller: Reader, symbol: Symbol) -> Response:
    """The newest feature row of a symbol."""
    return as_json(await _one(parts_of(request), "features", symbol))


@router.get("/book/{symbol}", response_model=BookAnswer, responses=documented(404))
async def newest_book(request: Request, caller: Reader, symbol: Symbol) -> Response:
    """Spread, microprice, imbalance and slope of a symbol's order book, from its newest feature row."""
    answer = await _one(parts_of(request), "features", symbol)
    row = answer.pop("features")
    values = {} if row is None else orjson.loads(orjson.dumps(row))["values"]
    return as_json(answer | {"book": None if row is None else {name: values.get(name) for name in BOOK_FEATURES}})


@router.get("/alerts", response_model=Alerts, responses=documented())
async def newest_alerts(request: Request, caller: Reader, limit: Most = 100) -> Response:
    """Alerts that came since this program began and shortly before: of the caller's own rules and of those that belong to nobody."""
    parts: Parts = parts_of(request)
    seen = [alert for alert in reversed(parts.cache.alerts) if may_see_rule(caller, alert.rule_id)][:limit]
    status, why = _complete(parts)
    stamp = _stamp(parts, seen[0].event_time if seen else None)
    return as_json({"status": status, "why": why} | stamp | {"alerts": [alert_view(alert) for alert in seen]})


@router.get("/symbols/{symbol}/news", response_model=NewsAnswer, responses=documented())
async def newest_news(request: Request, caller: Reader, symbol: Symbol, limit: FewRows = 50) -> Response:
    """News about a symbol, or about everything, that came since this program began and shortly before."""
    parts: Parts = parts_of(request)
    found = [item for item in parts.cache.news if symbol in item.symbols or not item.symbols]
    seen = sorted(found, key=lambda item: item.available_time, reverse=True)[:limit]
    status, why = _complete(parts)
    stamp = _stamp(parts, seen[0].event_time if seen else None)
    return as_json({"status": status, "why": why} | stamp | {"news": [news_view(item) for item in seen]})


@router.get("/symbols/{symbol}/signals", response_model=Page, responses=documented(503))
async def stored_signals(
    request: Request,
    caller: HistoryReader,
    symbol: Symbol,
    stretch: Between,
    limit: Most = 100,
) -> Response:
    """Stored signals of a symbol."""
    return await _page(request, caller, Wanted("signals", symbol, limit, *stretch))


@router.get("/symbols/{symbol}/features", response_model=Page, responses=documented(503))
async def stored_features(
    request: Request,
    caller: HistoryReader,
    symbol: Symbol,
    stretch: Between,
    limit: FewRows = 50,
) -> Response:
    """Stored feature rows of a symbol."""
    return await _page(request, caller, Wanted("features", symbol, limit, *stretch))


@router.get("/symbols/{symbol}/bars", response_model=Page, responses=documented(503))
async def stored_bars(
    request: Request,
    caller: HistoryReader,
    symbol: Symbol,
    stretch: Between,
    length_seconds: Annotated[BarLength, Query(description="length of the bars")] = BarLength.MINUTE,
    limit: Most = 240,
) -> Response:
    """Closed bars of a symbol."""
    return await _page(request, caller, Wanted("bars", symbol, limit, *stretch, int(length_seconds)))


@router.get("/symbols/{symbol}/alerts", response_model=Page, responses=documented(503))
async def stored_alerts(
    request: Request,
    caller: HistoryReader,
    symbol: Symbol,
    stretch: Between,
    limit: Most = 100,
) -> Response:
    """Stored alerts of a symbol; those of other users' rules are left out, so a page may be short while there is more."""
    return await _page(request, caller, Wanted("alerts", symbol, limit, *stretch))


@router.get("/why/{signal_id}", response_model=dict[str, Any], responses=documented(404, 503))
async def why(
    request: Request,
    caller: Asker,
    signal_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="`signal_id` of a stored signal")],
) -> Response:
    """Where a stored signal came from, the same signal made again, and what would have changed it."""
    parts: Parts = parts_of(request)
    if not await parts.history.has_signal(signal_id):
        raise Problem(404, "unknown_signal", "no stored signal has this id; signals appear in the lake with the job's next checkpoint")
    return as_json(await parts.explainer.explain(signal_id))


async def watchlist(parts: Parts, symbols: list[str]) -> bytes:
    """The newest signal of each symbol, as the body of an answer."""
    found = await parts.reads.newest("signals", symbols)
    return orjson.dumps({"answers": parts.reads.answers("signals", found)})


async def _one(parts: Parts, kind: Literal["signals", "features"], symbol: str) -> dict[str, Any]:
    """The answer about one symbol. Raises Problem where nobody heard of it."""
    (answer,) = parts.reads.answers(kind, await parts.reads.newest(kind, [symbol]))
    if answer["status"] == "unknown":
        raise Problem(404, "unknown_symbol", "nothing is stored of this symbol, or nothing since the time to live")
    return answer


async def _page(request: Request, caller: Caller, wanted: Wanted) -> Response:
    parts: Parts = parts_of(request)
    rows, following, newest = await parts.history.page(wanted)
    if wanted.table == "alerts":
        rows = [row for row in rows if may_see_rule(caller, row["rule_id"])]
    status, why = ("live", "") if rows else ("unknown", "no such rows are stored")
    return as_json({"status": status, "why": why} | _stamp(parts, newest) | {"rows": rows, "next": following})


def _complete(parts: Parts) -> tuple[str, str]:
    """Whether everything that was written has come here."""
    return ("live", "") if parts.feed.healthy else ("fallback", "the stream does not answer; newer ones may be missing")


def _stamp(parts: Parts, event_time: int | None) -> dict[str, Any]:
    if event_time is None:
        return {"event_time": None, "age_seconds": None}
    return {"event_time": rfc3339(event_time), "age_seconds": max(0.0, (parts.clock.now() - event_time) / 1e9)}
