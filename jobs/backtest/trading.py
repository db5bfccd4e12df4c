"""One symbol traded event by event: signals become wanted positions, orders travel, and fill against what the market showed.

The frictionless trader beside it holds the wanted position at the mid price the moment a signal is there: what is lost on the way is cost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.backtest.settings import BacktestSettings
from jobs.backtest.stored_signals import Signals
from jobs.backtest.tape import Column, Tape, Times

DAY = 86_400 * 1_000_000_000
_SMALLEST_SHARE = 1e-9
"""Of a full position: what is left of an order below it counts as filled."""


class Wanted(NamedTuple):
    """The position that is wanted from each moment on: -1, 0 or 1 full positions."""

    time: Times
    side: npt.NDArray[np.int64]


class Fill(NamedTuple):
    """One fill."""

    time: int
    quantity: float
    """Above 0 bought, below 0 sold."""
    price: float
    """Paid or got, impact included, fee not."""
    mid: float
    """At the time of the fill."""
    fee: float


@dataclass
class Traded:
    """What came of one symbol."""

    fills: list[Fill] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """orders, partial_fills (fills that left something open), halted (moments passed over), refused_by_turnover, unfilled_orders."""


def wanted_positions(signals: Signals, minimum_confidence: float) -> Wanted:
    """The newest signal's direction for as long as its horizon; a neutral one wants nothing. Only changes are told."""
    chosen = signals.take(signals.confidence >= minimum_confidence)
    if not chosen.time.size:
        return Wanted(np.zeros(0, np.int64), np.zeros(0, np.int64))
    ends = chosen.time + chosen.horizon
    runs_out = np.append(chosen.time[1:] >= ends[:-1], True)
    time = np.concatenate([chosen.time, ends[runs_out]])
    side = np.concatenate([chosen.direction, np.zeros(int(runs_out.sum()), np.int64)])
    order = np.lexsort((np.concatenate([np.ones(chosen.time.shape[0]), np.zeros(int(runs_out.sum()))]), time))
    time, side = time[order], side[order]
    last_of_moment = np.append(time[1:] != time[:-1], True)
    time, side = time[last_of_moment], side[last_of_moment]
    changes = np.diff(side, prepend=0) != 0
    return Wanted(time[changes], side[changes])


def trade(wanted: Wanted, tape: Tape, settings: BacktestSettings) -> Traded:
    """Send an order at every change of what is wanted; it stays open until it is filled or the next one takes its place."""
    result = Traded()
    position = 0.0
    spent: dict[int, float] = {}
    delay = settings.feed_latency + settings.order_latency
    arrival = wanted.time + delay
    until = np.append(arrival[1:], np.iinfo(np.int64).max)
    places = tape.place(wanted.time)
    for number, side in enumerate(wanted.side.tolist()):
        if places[number] < 0:
            continue
        result.counts["orders"] += 1
        target = side * settings.notional / float(tape.mid(places[number : number + 1])[0])
        position = _work(result, tape, settings, (position, target), (int(arrival[number]), int(until[number])), spent)
    return result


def _work(
    result: Traded, tape: Tape, settings: BacktestSettings, positions: tuple[float, float], span: tuple[int, int], spent: dict[int, float]
) -> float:
    """Fill an order from `positions[0]` to `positions[1]` while it is open; the position after it."""
    position, target = positions
    place, last = int(tape.place(np.array([span[0]]))[0]), int(np.searchsorted(tape.time, span[1], "left"))
    moment = span[0]
    smallest = _SMALLEST_SHARE * max(abs(target), abs(position))
    while abs(target - position) > smallest and place < last:
        if place >= 0 and tape.open[place]:
            room = settings.maximum_turnover * settings.notional - spent.get(moment // DAY, 0.0)
            quantity = _quantity(tape, settings, place, (position, target), room)
            if not quantity:
                result.counts["refused_by_turnover"] += 1
                return position
            fill = _fill(tape, settings, place, moment, quantity)
            spent[moment // DAY] = spent.get(moment // DAY, 0.0) + abs(quantity) * fill.price
            result.fills.append(fill)
            position += quantity
            result.counts["partial_fills"] += abs(target - position) > smallest
        else:
            result.counts["halted"] += place >= 0
        place += 1
        moment = int(tape.time[place]) if place < last else moment
    result.counts["unfilled_orders"] += abs(target - position) > smallest
    return position


def _quantity(tape: Tape, settings: BacktestSettings, place: int, positions: tuple[float, float], room: float) -> float:
    """What of an order the touch and the day's turnover let through; a position may always be closed."""
    position, target = positions
    bought = target > position
    size, price = (tape.ask_size[place], tape.ask[place]) if bought else (tape.bid_size[place], tape.bid[place])
    closing = abs(position) if position * (target - position) < 0 else 0.0
    quantity = min(abs(target - position), settings.participation * float(size), closing + max(room, 0.0) / float(price))
    return quantity if bought else -quantity


def _fill(tape: Tape, settings: BacktestSettings, place: int, moment: int, quantity: float) -> Fill:
    volume = max(tape.volume_of_hour(moment), abs(quantity))
    impact = settings.impact * tape.deviation_of_hour(moment) * np.sqrt(abs(quantity) / volume)
    price = float(tape.ask[place] * (1 + impact) if quantity > 0 else tape.bid[place] * (1 - min(impact, 0.99)))
    mid = float((tape.bid[place] + tape.ask[place]) / 2)
    return Fill(moment, quantity, price, mid, abs(quantity) * price * settings.fee_basis_points / 10_000)


def values_on(grid: Times, tape: Tape, time: Times, quantity: Column, cash: Column) -> Column:
    """(grid,) cash and position at the mid price, from changes of both at `time`, in order."""
    done = np.searchsorted(time, grid, "right")
    position = np.concatenate([[0.0], np.cumsum(quantity)])[done]
    money = np.concatenate([[0.0], np.cumsum(cash)])[done]
    place = tape.place(grid)
    mid = np.where(place >= 0, tape.mid(np.maximum(place, 0)), 0.0)
    return np.asarray(money + position * mid, np.float64)


def frictionless(wanted: Wanted, tape: Tape, settings: BacktestSettings) -> tuple[Times, Column, Column]:
    """Times, quantities and cash of the trader who pays nothing and waits for nothing."""
    place = tape.place(wanted.time)
    known = place >= 0
    mid = tape.mid(place[known])
    target = wanted.side[known] * settings.notional / mid
    quantity = np.diff(target, prepend=0.0)
    return wanted.time[known], quantity, -quantity * mid
