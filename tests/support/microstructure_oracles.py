"""The microstructure and quality features from all events that were ever taken, straight from their definitions."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.support.kernel_events import SECOND, Event
from tests.support.oracle_parts import flow_of, ratio

Levels = npt.NDArray[np.float64]
"""(4, 10) bid prices, bid sizes, ask prices, ask sizes."""


class MarkedTrade(NamedTuple):
    """A trade that counts for the price, with the side it is taken to have, and the mid price just before it, NaN without one."""

    time: int
    price: float
    size: float
    side: float
    mid: float


class BookChange(NamedTuple):
    """Two consecutive books that can both be trusted."""

    time: int
    before: Levels
    after: Levels


class Told(NamedTuple):
    """A two-sided best level as it was told."""

    time: int
    bid: float
    ask: float


def levels_of(event: Event) -> Levels:
    """Table of a BOOK."""
    return np.array(event.numbers, np.float64).reshape(4, -1)


def side_of(event: Event, mid: float, trades: list[tuple[int, float]]) -> float:
    """The feed's side, else that by Lee and Ready; `trades` are the times and prices before it in the order of the log."""
    price, _, side = event.numbers
    if side:
        return side
    if not math.isnan(mid) and price != mid:
        return math.copysign(1.0, price - mid)
    newest: list[float] = []
    time = 0
    for one_time, one_price in trades:
        if one_time >= time:
            newest.append(one_price)
            time = one_time
    changes = [price - before for before in newest[-1:]] + [now - before for now, before in zip(newest[:0:-1], newest[-2::-1])]
    return next((math.copysign(1.0, change) for change in changes if change), 0.0)


def spreads(trades: list[MarkedTrade], told: list[Told], first_told: int, begin: int, price: float) -> dict[str, float]:
    """Quoted and effective spread of the minute that begins at `begin`."""
    values = {}
    inside = [one for one in told if one.time >= begin]
    if told and first_told < begin and inside:
        values["quoted_spread_1_minute"] = sum(one.ask - one.bid for one in inside) / len(inside)
        values["quoted_spread_basis_points_1_minute"] = 1e4 * values["quoted_spread_1_minute"] / price
    matched = [one for one in trades if one.time >= begin and not math.isnan(one.mid)]
    if trades and trades[0].time < begin and told and first_told < begin:
        effective = ratio(sum(one.size * 2 * abs(one.price - one.mid) for one in matched), sum(one.size for one in matched))
        values["effective_spread_1_minute"] = effective
        values["effective_spread_basis_points_1_minute"] = 1e4 * effective / price
    return values


def shape(levels: Levels) -> dict[str, float]:
    """How size lies in the book."""
    if np.isnan(levels[[0, 2], 0]).any():
        return {}
    weights = 1 / np.arange(1, 11)
    bid, ask = np.nansum(levels[1]), np.nansum(levels[3])
    weighted_bid, weighted_ask = np.nansum(levels[1] * weights), np.nansum(levels[3] * weights)
    mid = (levels[0, 0] + levels[2, 0]) / 2
    slopes = [_slope(side, mid) for side in (levels[:2], levels[2:])]
    return {
        "imbalance_10_levels": ratio(bid - ask, bid + ask),
        "imbalance_depth_weighted": ratio(weighted_bid - weighted_ask, weighted_bid + weighted_ask),
        "book_slope": float(np.mean(slopes)),
        "book_slope_relative": float(np.mean([ratio(slope, size) for slope, size in zip(slopes, (bid, ask))])),
    }


def _slope(side: Levels, mid: float) -> float:
    there = ~np.isnan(side[0])
    distance, size = 1e4 * np.abs(side[0, there] / mid - 1), np.cumsum(side[1, there])
    return float(np.linalg.lstsq(distance[:, None], size, rcond=None)[0][0]) if distance.any() else math.nan


def level_flow(change: BookChange, level: int) -> float:
    """Flow of one level; a side that is empty before or after gives nothing."""
    before, after = change.before[:, level].copy(), change.after[:, level].copy()
    for price, size in ((0, 1), (2, 3)):
        if math.isnan(before[price]) or math.isnan(after[price]):
            before[price] = after[price] = 1.0
            before[size] = after[size] = 0.0
    return flow_of(tuple(before), tuple(after))


def level_flows(changes: list[BookChange], levels: Levels, begins: dict[str, int], first: int) -> dict[str, float]:
    """Flows by level over the windows that begin at `begins`."""
    values = {}
    depth5, depth10 = np.nansum(levels[[1, 3], :5]) / 2, np.nansum(levels[[1, 3]]) / 2
    for name, begin in begins.items():
        if first < begin:
            inside = [change for change in changes if change.time >= begin]
            by_level = [sum(level_flow(change, level) for change in inside) for level in range(10)]
            values[f"level_flow_{name}"] = sum(by_level[:5])
            values[f"level_flow_per_depth_{name}"] = ratio(sum(by_level[:5]), depth5)
            if name == "1_minute":
                values["level_flow_10_levels_1_minute"] = sum(by_level)
                values["level_flow_10_levels_per_depth_1_minute"] = ratio(sum(by_level), depth10)
                values |= {f"flow_level_{level + 1}_per_depth_1_minute": ratio(by_level[level], depth5 / 5) for level in range(5)}
    return values


def cancel_ratio(changes: list[BookChange], trades: list[MarkedTrade], begin: int) -> float:
    """Share of the size that left the book and was not traded."""
    gone = sum(_gone(change, row) for change in changes if change.time >= begin for row in (0, 2))
    traded = sum(one.size for one in trades if one.time >= begin)
    return max(1 - traded / gone, 0.0) if gone else math.nan


def _gone(change: BookChange, row: int) -> float:
    """Of the side whose prices are in a row."""
    before, left = ({price: size for price, size in zip(book[row], book[row + 1]) if not math.isnan(price)} for book in change[1:])
    last = list(left)[-1] if len(left) == 10 else None

    def is_shown(price: float) -> bool:
        return last is None or (price >= last if row == 0 else price <= last)

    return float(sum(max(size - left.get(price, 0.0), 0.0) for price, size in before.items() if is_shown(price)))


def intensities(kind: str, times: list[int], first: int, clock: int) -> dict[str, float]:
    """Decayed counts of events at `times`; they are followed from `first` on, 0 when they are not yet."""
    if not times or not first:
        return {}
    fast, slow = (sum(math.exp(-(clock - time) / SECOND / constant) for time in times) / constant for constant in (10, 60))
    values = {}
    if clock - first >= 50 * SECOND:
        values[f"{kind}_intensity_10_seconds"] = fast
    if clock - first >= 300 * SECOND:
        values[f"{kind}_intensity_60_seconds"] = slow
        if slow > 1e-200:
            values[f"{kind}_intensity_ratio"] = fast / slow
    return values


def kyle(volumes: list[float], prices: list[float], price: float) -> dict[str, float]:
    """Regression over tiles of signed volume and of the prices at their ends, with the price before the first in front."""
    changes, volume = np.diff(prices), np.array(volumes)
    if np.isnan(prices[0]) or len(volume) < 2 or not volume.var() * len(volume) > 1e-9 * (volume**2).sum():
        return {}
    slope = np.cov(volume, changes, bias=True)[0, 1] / volume.var()
    return {"kyle_lambda": float(slope), "kyle_lambda_relative": float(1e4 * slope * volume.std() / price)}
