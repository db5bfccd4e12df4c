"""CONTEXT facts: what index, sector, volatility index and rate do, put before a symbol's next event once its last context is old.

Everything comes from events that the same gateway had sent before. A symbol that is silent is told nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jobs.gateway.facts import fact_beside
from jobs.gateway.last_prices import LastPrices
from jobs.gateway.market_event import MarketEvent
from jobs.reference.instruments import Instruments
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, EventKind

_FIVE_MINUTES, _HOP = 300, 10


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """Which symbols tell of the market; an empty name: none."""

    index: str = ""
    volatility_index: str = ""
    rate: str = ""
    interval_nanoseconds: int = 1_000 * NANOSECONDS_PER_MILLISECOND
    """Of available time: how old a symbol's last context may be."""


class _SectorReturns(NamedTuple):
    """5-min returns of a sector's members in one second."""

    second: int
    sorted: list[float]
    mean: float
    root_mean_square: float


class ContextFacts:
    """Follows the prices of all symbols that a context can need."""

    def __init__(self, settings: ContextSettings, instruments: Instruments) -> None:
        self._settings = settings
        self._instruments = instruments
        self._prices: dict[str, LastPrices] = {}
        self._sectors: dict[str, int] = {}
        """Of each symbol, negative where it is not known."""
        self._changes: dict[str, float] = {}
        """Second from which a symbol's sector may be another one."""
        self._members: dict[int, list[LastPrices]] = {}
        self._returns: dict[int, _SectorReturns] = {}
        self._due: dict[str, int] = {}
        self._market = (settings.index, settings.volatility_index, settings.rate)
        for name in filter(None, self._market):
            self._prices[name] = LastPrices()

    def before(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """See `FactMaker`."""
        symbol, now = event.symbol, event.available_time
        if now >= self._due.get(symbol, 0):
            self._due[symbol] = now + self._settings.interval_nanoseconds
            numbers = self._numbers(symbol, now // NANOSECONDS_PER_SECOND)
            if any(number == number for number in numbers):
                yield fact_beside(event, EventKind.CONTEXT, numbers)
        prices = self._prices.get(symbol)
        if prices is not None:
            prices.take(event)

    def _follow(self, symbol: str, now: int) -> None:
        """Make the symbol a member of the sector that it is known to be in."""
        before, sector = self._sectors.get(symbol, -1), self._instruments.sector_at(symbol, now)
        self._sectors[symbol], self._changes[symbol] = sector, self._instruments.next_change(symbol, now)
        if sector == before:
            return
        prices = self._prices.setdefault(symbol, LastPrices())
        if before >= 0:
            self._members[before].remove(prices)
        if sector >= 0:
            self._members.setdefault(sector, []).append(prices)

    def _numbers(self, symbol: str, now: int) -> tuple[float, ...]:
        if now >= self._changes.get(symbol, 0.0):
            self._follow(symbol, now)
        index, volatility_index, rate = (self._prices.get(name) for name in self._market)
        returns = [math.nan] * 3
        if index is not None:
            returns = [index.log_return(now, 1, 1), index.log_return(now, 60, _HOP), index.log_return(now, _FIVE_MINUTES, _HOP)]
        levels = (math.nan if prices is None else prices.value(now) for prices in (volatility_index, rate))
        return (*returns, *self._sector_numbers(symbol, now), *levels)

    def _sector_numbers(self, symbol: str, now: int) -> tuple[float, float, float]:
        """Mean return, root mean square and the symbol's rank among the others; NaN where there is nothing to compare with."""
        sector = self._sectors[symbol]
        if sector < 0:
            return math.nan, math.nan, math.nan
        found = self._returns.get(sector)
        if found is None or found.second != now:
            found = self._returns[sector] = self._sector_returns(sector, now)
        own = self._prices[symbol].log_return(now, _FIVE_MINUTES, _HOP)
        others = len(found.sorted) - 1
        if math.isnan(own) or others < 1:
            return found.mean, found.root_mean_square, math.nan
        lower, not_higher = bisect_left(found.sorted, own), bisect_right(found.sorted, own)
        rank = (lower + 0.5 * max(not_higher - lower - 1, 0)) / others
        return found.mean, found.root_mean_square, min(rank, 1.0)

    def _sector_returns(self, sector: int, now: int) -> _SectorReturns:
        returns = [prices.log_return(now, _FIVE_MINUTES, _HOP) for prices in self._members[sector]]
        known = sorted(one for one in returns if one == one)
        if not known:
            return _SectorReturns(now, known, math.nan, math.nan)
        mean, squares = math.fsum(known) / len(known), math.fsum(one * one for one in known) / len(known)
        return _SectorReturns(now, known, mean, math.sqrt(squares))
