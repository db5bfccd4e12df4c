"""The microstructure and quality of the slow symbol at its clock."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from tests.support.kernel_events import SECOND
from tests.support.microstructure_oracles import cancel_ratio, intensities, kyle, level_flows, levels_of, shape, spreads
from tests.support.oracle_parts import ratio
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import FEATURE_NAMES

if TYPE_CHECKING:
    from tests.support.kernel_oracles import SlowSymbol


def microstructure_of(symbol: SlowSymbol) -> dict[str, float]:
    """Every feature of microstructure that has a value."""
    minute, price = symbol.boundary(60, 10), symbol.price_before(symbol.clock + 1)
    values = spreads(symbol.marked, symbol.told, symbol.tops[0].event_time if symbol.tops else 0, minute, price)
    if symbol.depth_is_usable():
        levels = levels_of(symbol.books[-1])
        begins = {"1_second": symbol.boundary(1, 1), "10_seconds": symbol.boundary(10, 1), "1_minute": minute}
        values |= shape(levels) | level_flows(symbol.book_changes, levels, begins, symbol.first_book)
        if symbol.first_book < minute and symbol.trades and symbol.trades[0].event_time < minute:
            values["cancel_ratio_1_minute"] = cancel_ratio(symbol.book_changes, symbol.marked, minute)
    first_trade = symbol.trades[0].event_time if symbol.trades else 0
    quotes = [event.event_time for event in symbol.taken if event.kind in (EventKind.QUOTE, EventKind.BOOK)]
    values |= intensities("trade", [event.event_time for event in symbol.trades], first_trade, symbol.clock)
    values |= intensities("quote", quotes, symbol.tops[0].event_time if symbol.tops else 0, symbol.clock)
    return values | _kyle(symbol, price) | _amihud(symbol)


def _kyle(symbol: SlowSymbol, price: float) -> dict[str, float]:
    begin, closed = symbol.boundary(300, 10), symbol.watermark // SECOND * SECOND
    if not symbol.trades or symbol.trades[0].event_time >= begin:
        return {}
    ends = [min(end, closed) for end in range(begin + 10 * SECOND, closed + 10 * SECOND, 10 * SECOND)]
    volumes = [
        sum(event.numbers[1] * event.numbers[2] for event in symbol.trades if start <= event.event_time < end)
        for start, end in itertools.pairwise([begin, *ends])
    ]
    return kyle(volumes, [symbol.price_before(time) for time in (begin, *ends)], price)


def _amihud(symbol: SlowSymbol) -> dict[str, float]:
    begin, minute = symbol.boundary(3600, 300), 60 * SECOND
    if symbol.prints[0].time >= begin:
        return {}
    ratios = []
    for start in range(begin, symbol.watermark - minute + 1, minute):
        notional = sum(event.numbers[0] * event.numbers[1] for event in symbol.trades if start <= event.event_time < start + minute)
        change = math.log(symbol.price_before(start + minute) / symbol.price_before(start))
        if notional > 0 and not math.isnan(change):
            ratios.append(abs(change) / notional)
    mean = ratio(sum(ratios), len(ratios))
    recent = symbol.sum_since(symbol.boundary(300, 10), lambda n: n[0] * n[1])
    return {"amihud_illiquidity": 1e6 * mean, "amihud_illiquidity_relative": 1e4 * mean * recent / 5}


def quality_of(symbol: SlowSymbol, finite: dict[str, bool]) -> dict[str, float]:
    """The features of quality; `finite` says which others have a value."""
    others = FEATURE_NAMES[: FEATURE_NAMES.index("seconds_since_event")]
    return {
        "seconds_since_event": (symbol.clock - max(event.event_time for event in symbol.taken)) / SECOND,
        "sequence_gaps_1_hour": 0.0,
        "halted": 0.0,
        "cold_start": float(symbol.clock - symbol.taken[0].event_time < 1800 * SECOND),
        "warming_up_share": sum(not finite[name] for name in others) / len(others),
    }
