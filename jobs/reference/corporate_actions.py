"""Splits and dividends, each from when it takes effect and from when it was known.

A table has the columns symbol, effective_from, available_from, split_factor (new shares for an old one), cash_dividend (for an old share).
What takes effect together is one action. A date is a day of the symbol's exchange and begins with its session's day, before any trading of
it; without a calendar it is refused, for nothing says then in which units the trades around midnight are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeAlias

from jobs.reference.tables import Row, day_of, midnight, number_of, parsed, read_table, required, second_of

_NEEDED = ("symbol", "effective_from")
_OPTIONAL = ("available_from", "split_factor", "cash_dividend")


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """One row. Times are seconds since the epoch."""

    symbol: str
    effective: float
    available_from: float
    split_factor: float
    """NaN: no split."""
    cash_dividend: float
    """NaN: no dividend."""


CalendarOf: TypeAlias = Callable[[str, float], str]
"""Name of a symbol's calendar at a second; empty where it has none."""


def read_actions(path: Path, calendar_of: CalendarOf) -> dict[str, list[CorporateAction]]:
    """Each symbol's actions in order of time. Raises SourceError with every problem."""
    actions: dict[str, dict[float, CorporateAction]] = {}
    for action in parsed(path, read_table(path, _NEEDED, _OPTIONAL), partial(_action, calendar_of)):
        known = actions.setdefault(action.symbol, {})
        known[action.effective] = _together(known[action.effective], action) if action.effective in known else action
    return {symbol: [known[time] for time in sorted(known)] for symbol, known in sorted(actions.items())}


def _action(calendar_of: CalendarOf, row: Row) -> CorporateAction:
    symbol = required(row, "symbol")

    def begin_of(day: date) -> float:
        calendar = calendar_of(symbol, midnight(day))
        if not calendar:
            raise ValueError(f"{day} is a date, and {symbol} has no calendar that tells when it begins; expected a time, or a calendar")
        return day_of(calendar)(day)

    required(row, "effective_from")
    effective = second_of(row, "effective_from", begin_of)
    if not effective > 0.0 or not effective.is_integer():
        raise ValueError(f"effective_from is {row['effective_from']}, expected a whole second after 1970")
    split, cash = number_of(row, "split_factor", 0.0), number_of(row, "cash_dividend", 0.0)
    if math.isnan(split) and math.isnan(cash):
        raise ValueError("neither split_factor nor cash_dividend is given")
    return CorporateAction(symbol, effective, second_of(row, "available_from", begin_of, -math.inf), split, cash)


def _together(one: CorporateAction, other: CorporateAction) -> CorporateAction:
    split = math.prod(factor for factor in (one.split_factor, other.split_factor) if not math.isnan(factor))
    cash = math.fsum(amount for amount in (one.cash_dividend, other.cash_dividend) if not math.isnan(amount))
    known = max(one.available_from, other.available_from)
    return CorporateAction(one.symbol, one.effective, known, float(split), cash if cash > 0.0 else math.nan)
