"""A backtest from beginning to end: signals and frames of the lake in, one JSON object out, one trial in the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pyiceberg.catalog import Catalog

from jobs.backtest.ledger import Trial, note, sharpes
from jobs.backtest.performance import performance, sharpe
from jobs.backtest.settings import SECOND, BacktestSettings
from jobs.backtest.signal_quality import Judged, judge, signal_quality, together
from jobs.backtest.stored_signals import SignalRead, Signals, read_signals
from jobs.backtest.tape import Tape, Times, tapes_of
from jobs.backtest.trading import Fill, frictionless, trade, values_on, wanted_positions
from jobs.lake.reading import Selection, frames_in_order
from jobs.lake.tables import NAMESPACE
from jobs.training.dataset import NotEnoughData
from udfs.codecs.wire import PINNED, SchemaIds

GROUP = 16
"""Symbols whose market is in memory at once."""
_FOR_EVER = np.iinfo(np.int64).max
"""End of the last period: an order that a halt held up until after the last signal still counts."""


@dataclass
class _Book:
    """What all symbols gave, on one grid of time."""

    grid: Times
    """(periods + 1,) moments at which positions are valued; the first lies before all signals."""
    net: npt.NDArray[np.float64]
    gross: npt.NDArray[np.float64]
    live: npt.NDArray[np.bool_]
    """(periods,) whether any market was seen in the period, or anything was gained, lost or filled in it."""
    counts: Counter[str] = field(default_factory=Counter)
    costs: dict[str, float] = field(default_factory=lambda: {"fees": 0.0, "spread_and_impact": 0.0, "value_traded": 0.0})
    judged: list[Judged] = field(default_factory=list)
    symbols: int = 0


class Curve(NamedTuple):
    """Gains of each period in which something happened, as shares of the capital."""

    time: Times
    """(periods,) end of each, nanoseconds."""
    net: npt.NDArray[np.float64]
    gross: npt.NDArray[np.float64]


def backtest(
    catalog: Catalog, settings: BacktestSettings, selection: Selection, schema_ids: SchemaIds = PINNED, namespace: str = NAMESPACE
) -> dict[str, Any]:
    """Trade the stored signals. Raises NotEnoughData when there is none that could be acted on, InvalidSettings."""
    return backtest_with_curve(catalog, settings, selection, schema_ids, namespace)[0]


def backtest_with_curve(
    catalog: Catalog, settings: BacktestSettings, selection: Selection, schema_ids: SchemaIds = PINNED, namespace: str = NAMESPACE
) -> tuple[dict[str, Any], Curve]:
    """The same, and how the gains came about."""
    settings.check()
    found = read_signals(catalog, namespace, selection)
    if not found.by_symbol:
        raise NotEnoughData(f"no signal that may be acted on among {found.made} stored ones; run `infra/tickflow demo` or widen the range")
    book = _empty_book(found, settings)
    symbols = sorted(found.by_symbol)
    for first in range(0, len(symbols), GROUP):
        group = {symbol: found.by_symbol[symbol] for symbol in symbols[first : first + GROUP]}
        _add_group(catalog, namespace, book, group, settings, schema_ids)
    if not book.symbols:
        raise NotEnoughData("none of the signals' symbols has a market in the stored frames")
    result = _result(catalog, found, book, settings)
    return result, Curve(book.grid[1:][book.live], book.net[book.live] / result["capital"], book.gross[book.live] / result["capital"])


def _empty_book(found: SignalRead, settings: BacktestSettings) -> _Book:
    step = settings.grid_seconds * SECOND
    first = (min(int(signals.time[0]) for signals in found.by_symbol.values()) - 1) // step * step
    last = max(int((signals.time + signals.horizon).max()) for signals in found.by_symbol.values())
    periods = -(-(last + settings.feed_latency + settings.order_latency - first) // step) + 1
    return _Book(first + step * np.arange(periods + 1), np.zeros(periods), np.zeros(periods), np.zeros(periods, np.bool_))


def _add_group(
    catalog: Catalog, namespace: str, book: _Book, group: dict[str, Signals], settings: BacktestSettings, schema_ids: SchemaIds
) -> None:
    frames = frames_in_order(catalog, namespace, Selection(symbols=tuple(group)))
    tapes = tapes_of(frames, settings.assumed_half_spread_basis_points, schema_ids.framing("MarketFrame"))
    for symbol, signals in group.items():
        if symbol in tapes:
            _add_symbol(book, signals, tapes[symbol], settings)


def _add_symbol(book: _Book, signals: Signals, tape: Tape, settings: BacktestSettings) -> None:
    wanted = wanted_positions(signals, settings.minimum_confidence)
    traded = trade(wanted, tape, settings)
    fills = traded.fills
    quantity = np.array([fill.quantity for fill in fills], np.float64)
    cash = np.array([-fill.quantity * fill.price - fill.fee for fill in fills], np.float64)
    time = np.array([fill.time for fill in fills], np.int64)
    moments = np.append(book.grid[:-1], _FOR_EVER)
    net = np.diff(values_on(moments, tape, time, quantity, cash))
    gross = np.diff(values_on(moments, tape, *frictionless(wanted, tape, settings)))
    seen = np.diff(np.searchsorted(tape.time, book.grid, "right")) > 0
    filled = np.diff(np.searchsorted(time, moments, "right")) > 0
    book.net += net
    book.gross += gross
    book.live |= seen | filled | (net != 0) | (gross != 0)
    book.counts.update(traded.counts)
    book.counts["fills"] += len(fills)
    _add_costs(book, fills)
    book.judged.append(judge(signals, tape))
    book.symbols += 1


def _add_costs(book: _Book, fills: Sequence[Fill]) -> None:
    book.costs["fees"] += sum(fill.fee for fill in fills)
    book.costs["spread_and_impact"] += sum(fill.quantity * (fill.price - fill.mid) for fill in fills)
    book.costs["value_traded"] += sum(abs(fill.quantity) * fill.mid for fill in fills)


def _result(catalog: Catalog, found: SignalRead, book: _Book, settings: BacktestSettings) -> dict[str, Any]:
    capital = settings.notional * book.symbols
    net, gross = book.net[book.live], book.gross[book.live]
    elapsed = float(book.grid[-1] - book.grid[0]) / 1e9
    trials = _note_trial(catalog, found, settings, net / capital)
    horizon = int(np.median(np.concatenate([signals.horizon for signals in found.by_symbol.values()])))
    after = performance(net, capital, elapsed, trials)
    interval = after["sharpe_interval"]
    return {
        "symbols": book.symbols,
        "signals_stored": found.made,
        "models": list(found.models),
        "periods": int(net.size),
        "capital": capital,
        "settings": asdict(settings),
        "with_costs": after,
        "without_costs": performance(gross, capital, elapsed, trials),
        "costs": book.costs | {"turnover": book.costs["value_traded"] / capital},
        "orders": dict(book.counts),
        "signal_quality": signal_quality(together(book.judged), horizon),
        "trials": len(trials),
        "edge_after_costs": bool(interval is not None and interval[0] > 0 and (after["deflated_sharpe"] or 0.0) > 0.95),
    }


def _note_trial(catalog: Catalog, found: SignalRead, settings: BacktestSettings, returns: npt.NDArray[np.float64]) -> list[float]:
    """Put this trial into the ledger; the Sharpes of all trials on the same data, this one included."""
    traded = found.by_symbol.values()
    data_range = [min(int(one.time[0]) for one in traded), max(int(one.time[-1]) for one in traded)]
    decided_by = asdict(settings) | {"range": data_range, "symbols": sorted(found.by_symbol)}
    note(catalog, Trial("backtest", ",".join(found.models), decided_by, int(returns.size), sharpe(returns)))
    return list(sharpes(catalog, decided_by).values())
