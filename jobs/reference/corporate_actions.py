"""Splits and dividends, each from when it takes effect and from when it was known.

A table has the columns symbol, effective_from, available_from, split_factor (new shares for an old one), cash_dividend (for an old share).
What takes effect together is one action.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from jobs.reference.tables import Row, number_of, parsed, read_table, required, second_of

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


def read_actions(path: Path) -> dict[str, list[CorporateAction]]:
    """Each symbol's actions in order of time. Raises SourceError with every problem."""
    actions: dict[str, dict[float, CorporateAction]] = {}
    for action in parsed(path, read_table(path, _NEEDED, _OPTIONAL), _action):
        known = actions.setdefault(action.symbol, {})
        known[action.effective] = _together(known[action.effective], action) if action.effective in known else action
    return {symbol: [known[time] for time in sorted(known)] for symbol, known in sorted(actions.items())}


def _action(row: Row) -> CorporateAction:
    required(row, "effective_from")
    effective = second_of(row, "effective_from")
    if not effective > 0.0 or not effective.is_integer():
        raise ValueError(f"effective_from is {row['effective_from']}, expected a whole second after 1970")
    split, cash = number_of(row, "split_factor", 0.0), number_of(row, "cash_dividend", 0.0)
    if math.isnan(split) and math.isnan(cash):
        raise ValueError("neither split_factor nor cash_dividend is given")
    return CorporateAction(required(row, "symbol"), effective, second_of(row, "available_from", -math.inf), split, cash)


def _together(one: CorporateAction, other: CorporateAction) -> CorporateAction:
    split = math.prod(factor for factor in (one.split_factor, other.split_factor) if not math.isnan(factor))
    cash = math.fsum(amount for amount in (one.cash_dividend, other.cash_dividend) if not math.isnan(amount))
    known = max(one.available_from, other.available_from)
    return CorporateAction(one.symbol, one.effective, known, float(split), cash if cash > 0.0 else math.nan)
