"""Features of facts, slow and obvious: from the list of all facts said so far, and of all rows made so far."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from tests.support.written_events import SECOND, Event
from udfs.kernels.events import EventKind

if TYPE_CHECKING:
    from tests.support.kernel_oracles import SlowSymbol

MINUTE = 60 * SECOND


class Pairs:
    """1-min returns of the index and the symbol, the first pair of each minute."""

    def __init__(self) -> None:
        self.minutes: list[int] = []
        self.sizes: list[float] = []
        """Of all the index's returns, those of outliers too."""
        self.index: list[float] = []
        self.own: list[float] = []

    def note_row(self, symbol: SlowSymbol) -> None:
        """A row was made."""
        context = fresh_context(symbol)
        if context is None or (self.minutes and context.event_time // MINUTE <= self.minutes[-1]):
            return
        own, index = _own_returns(symbol)["return_1_minute"], context.numbers[1]
        if abs(symbol.clock - context.event_time) <= 10 * SECOND and math.isfinite(own) and math.isfinite(index):
            self.minutes.append(context.event_time // MINUTE)
            if abs(index) <= 10 / 1.645 * self._quantile():
                self.index.append(index)
                self.own.append(own)
            self.sizes.append(abs(index))

    def _quantile(self) -> float:
        least = 0.001 * 1.645 / 10
        return reduce(lambda before, size: max(before * (1.045 if size > before else 0.995), least), self.sizes, least)

    def beta(self) -> float:
        """By the weighted covariance matrix."""
        if len(self.index) < 20:
            return math.nan
        weights = np.exp(-np.arange(len(self.index))[::-1] / 60)
        covariance = np.cov(self.index, self.own, aweights=weights, ddof=0)
        return float(covariance[0, 1] / covariance[0, 0])


def newest(symbol: SlowSymbol, kind: EventKind) -> Event | None:
    """The last fact of a kind."""
    return next((event for event in reversed(symbol.facts) if event.kind == kind), None)


def fresh_context(symbol: SlowSymbol) -> Event | None:
    """The last context, unless it is over a minute old."""
    context = newest(symbol, EventKind.CONTEXT)
    return context if context is not None and symbol.clock - context.event_time <= MINUTE else None


def day_start(symbol: SlowSymbol, time: int) -> int:
    """Where the session's day of a time begins: the last or the last but one said, or midnight UTC."""
    starts = [int(event.numbers[0]) * SECOND for event in symbol.facts if event.kind == EventKind.SESSION][-2:]
    begun = [start for start in starts if start <= time]
    return begun[-1] if begun else time - time % (86_400 * SECOND)


def features_of_facts(symbol: SlowSymbol, volatility: float) -> dict[str, float]:
    """All of them; `volatility` is the symbol's own of 5 minutes."""
    return session_features(symbol) | context_features(symbol, volatility) | reference_features(symbol)


def session_features(symbol: SlowSymbol) -> dict[str, float]:
    """By the calendar of datetime."""
    said = newest(symbol, EventKind.SESSION)
    if said is None:
        return {}
    _, opens, closes, next_open, _, early, offset, day = said.numbers
    time = symbol.clock / SECOND
    if time >= next_open:
        return {}
    local = datetime.fromtimestamp(symbol.clock // SECOND, UTC) + timedelta(seconds=offset)
    date, next_date = datetime.fromtimestamp(day * 86_400, UTC), datetime.fromtimestamp(next_open, UTC) + timedelta(seconds=offset)
    angle = 2 * math.pi * local.weekday() / 7
    values = {"day_of_week_sine": math.sin(angle), "day_of_week_cosine": math.cos(angle), "early_close": early}
    between = time >= closes and date.date() < local.date() < next_date.date()
    since, left = symbol.clock / SECOND - opens, (int(closes) * SECOND - symbol.clock) / SECOND
    phase = 0 if since < 0 else 4 if left <= 0 else 1 if since < 1800 else 3 if left <= 1800 else 2
    values |= {"holiday": float(between), "session_phase": float(phase)}
    if left > 0:
        values["seconds_to_close"] = left
    if phase in (1, 2, 3):
        turn = 2 * math.pi * since / (closes - opens)
        values |= {"minute_of_session_sine": math.sin(turn), "minute_of_session_cosine": math.cos(turn)}
    return values


def _own_returns(symbol: SlowSymbol) -> dict[str, float]:
    price = symbol.price_before(symbol.clock + 1)
    windows = (("1_minute", 60), ("5_minutes", 300))
    return {f"return_{name}": math.log(price / symbol.price_before(symbol.boundary(window, 10))) for name, window in windows}


def context_features(symbol: SlowSymbol, volatility: float) -> dict[str, float]:
    """From the newest context, and the first of its session that knew a number."""
    beta = symbol.pairs.beta()
    values = {"beta": beta, "volatility_or_prior_5_minutes": volatility}
    context = fresh_context(symbol)
    if context is None:
        return values
    second, minute, five, sector, spread, rank, vix, rate = context.numbers
    own = _own_returns(symbol)
    if math.isnan(volatility):
        values["volatility_or_prior_5_minutes"] = spread
    names = ("index_return_1_second", "index_return_1_minute", "index_return_5_minutes", "sector_rank", "vix_level", "rate_level")
    return {
        **values,
        **dict(zip(names, (second, minute, five, rank, vix, rate))),
        "beta_residual_return_1_minute": own["return_1_minute"] - beta * minute,
        "sector_relative_return_5_minutes": own["return_5_minutes"] - sector,
        "vix_change": math.log(vix) - math.log(_first_of_session(symbol, 6)),
        "rate_change": rate - _first_of_session(symbol, 7),
    }


def _first_of_session(symbol: SlowSymbol, place: int) -> float:
    """The first number in the unbroken run of contexts of one session that ends with the newest."""
    run = symbol.context_sessions
    begin = len(run) - 1
    while begin > 0 and run[begin - 1][0] == run[-1][0]:
        begin -= 1
    return next((event.numbers[place] for _, event in run[begin:] if not math.isnan(event.numbers[place])), math.nan)


def reference_features(symbol: SlowSymbol) -> dict[str, float]:
    """From the newest reference."""
    said = newest(symbol, EventKind.REFERENCE)
    if said is None:
        return {}
    sector, bucket, listed, delisted, *_ = said.numbers
    days = (symbol.clock / SECOND - listed) / 86_400
    return {
        "sector_code": sector,
        "market_cap_bucket": bucket,
        "days_since_listing": days,
        "new_listing": float(days < 30),
        "delisted": float(symbol.clock / SECOND >= delisted),
    }
