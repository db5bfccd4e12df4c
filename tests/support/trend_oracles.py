"""Trend and volatility features, slow and obvious: lists of bars and minute prices, computed anew from the formulas in `feature_vector`.

Nothing is shared with the kernels; where a textbook gives two forms, the one that the kernels do not use is taken.
"""

from __future__ import annotations

import itertools
import math
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

import pandas as pd

from tests.support.fact_oracles import day_start
from tests.support.kernel_events import SECOND

if TYPE_CHECKING:
    from tests.support.kernel_oracles import SlowSymbol
    from tests.support.oracle_parts import OracleBar

MINUTE = 60 * SECOND


def trend(symbol: SlowSymbol, bars: list[OracleBar]) -> dict[str, float]:
    """From closed minute bars that have a price, and the prints of the day."""
    return _day_range(symbol) | (_averages(symbol, bars) | _stochastic(bars) | _movement(bars) | _money_flow(bars) if bars else {})


def _averages(symbol: SlowSymbol, bars: list[OracleBar]) -> dict[str, float]:
    closes = [bar.close for bar in bars]
    price = symbol.price_before(symbol.clock + 1)
    means = {
        "sma_5": _mean(closes, 5),
        "sma_15": _mean(closes, 15),
        "ema_5": _seeded(closes, 5, 2 / 6),
        "ema_15": _seeded(closes, 15, 2 / 16),
    }
    values = {name: means[name] for name in ("sma_15", "ema_5", "ema_15")}
    values |= {f"price_to_{name}": price / mean - 1 for name, mean in values.items()}
    return values | {"sma_5_to_sma_15": means["sma_5"] / means["sma_15"] - 1, "ema_5_to_ema_15": means["ema_5"] / means["ema_15"] - 1}


def _mean(values: list[float], count: int) -> float:
    return fmean(values[-count:]) if len(values) >= count else math.nan


def _seeded(values: list[float], count: int, rate: float) -> float:
    """Exponential mean as a weighted sum: powers of what is kept times the values after the seed."""
    later = values[count:]
    if len(values) < count:
        return math.nan
    weights = [rate * (1 - rate) ** age for age in reversed(range(len(later)))]
    return fmean(values[:count]) * (1 - rate) ** len(later) + sum(w * value for w, value in zip(weights, later))


def _stochastic(bars: list[OracleBar]) -> dict[str, float]:
    frame = pd.DataFrame(bars)
    lowest, highest = frame["low"].rolling(14).min(), frame["high"].rolling(14).max()
    height = highest - lowest
    k = (100 * (frame["close"] - lowest) / height).where(height > 0, 50.0).where(height.notna())
    d = k.rolling(3).apply(fmean)
    return {"stochastic_k_14": k.iloc[-1], "stochastic_d_3": d.iloc[-1], "stochastic_slow_d_3": d.rolling(3).apply(fmean).iloc[-1]}


def _movement(bars: list[OracleBar]) -> dict[str, float]:
    """With means instead of the sums that the kernels keep."""
    ranges, ups, downs, strengths = [], [], [], []
    values: dict[str, float] = {}
    for old, new in itertools.pairwise(bars):
        ranges.append(max(new.high, old.close) - min(new.low, old.close))
        up, down = new.high - old.high, old.low - new.low
        ups.append(up if up > max(down, 0) else 0.0)
        downs.append(down if down > max(up, 0) else 0.0)
        if len(ranges) >= 14:
            height, plus, minus = (_seeded(of, 14, 1 / 14) for of in (ranges, ups, downs))
            strengths.append(100 * abs(plus - minus) / (plus + minus) if plus + minus else 0.0)
            values["plus_directional_index_14"] = 100 * plus / height if height else 0.0
            values["minus_directional_index_14"] = 100 * minus / height if height else 0.0
    return values | {"adx_14": _seeded(strengths, 14, 1 / 14)}


def _money_flow(bars: list[OracleBar]) -> dict[str, float]:
    prices = [(bar.high + bar.low + bar.close) / 3 for bar in bars]
    flows = [int(new > old) - int(new < old) for old, new in itertools.pairwise(prices)]
    signed = [flow * price * bar.volume for flow, price, bar in zip(flows, prices[1:], bars[1:])][-14:]
    if len(signed) < 14:
        return {}
    total = sum(map(abs, signed))
    return {"mfi_14": 100 * sum(flow for flow in signed if flow > 0) / total if total else 50.0}


def _day_range(symbol: SlowSymbol) -> dict[str, float]:
    prints = [one for one in symbol.prints if one.time >= day_start(symbol, symbol.clock)]
    prices = [one.price for one in prints if one.is_trade] or [one.price for one in prints]
    price = symbol.price_before(symbol.clock + 1)
    return {"day_high_distance": math.log(price / max(prices)), "day_low_distance": math.log(price / min(prices))} if prices else {}


def volatility(symbol: SlowSymbol, bars: list[OracleBar]) -> dict[str, float]:
    """From the prices of the newest 60 closed minutes, and from minute bars."""
    return _hour(symbol) | _ranges(symbol, bars) | {"garch_volatility": _garch(symbol, [bar.close for bar in bars])}


def _hour(symbol: SlowSymbol) -> dict[str, float]:
    last = symbol.watermark - symbol.watermark % MINUTE
    prices = [symbol.price_before(last - back * MINUTE) for back in range(60, -1, -1)]
    if math.isnan(prices[1]):
        return {}
    values = _fractional(prices[1:], symbol.settings.fractional_order)
    if math.isnan(prices[0]):
        return values
    returns = [math.log(new / old) for old, new in itertools.pairwise(prices)]
    blocks = [math.sqrt(sum(r * r for r in returns[start : start + 5])) for start in range(0, 60, 5)]
    return values | _jumps([abs(r) for r in returns]) | {"volatility_of_volatility_1_hour": pstdev(blocks)}


def _fractional(prices: list[float], order: float) -> dict[str, float]:
    """Weights by the gamma function: w(k) = (-1)^k * binomial(order, k)."""
    weights = [(-1) ** k * math.gamma(order + 1) / (math.gamma(k + 1) * math.gamma(order - k + 1)) for k in range(60)]
    total = sum(w * math.log(price) for w, price in zip(weights, reversed(prices)))
    relative = sum(w * math.log(price / prices[0]) for w, price in zip(weights, reversed(prices)))
    return {"fractional_log_price": total, "fractional_log_price_relative": relative}


def _jumps(sizes: list[float]) -> dict[str, float]:
    realised = sum(size**2 for size in sizes)
    bipower = math.pi / 2 * 60 / 59 * sum(sizes[i] * sizes[i - 1] for i in range(1, 60))
    quads = sum(sizes[i] * sizes[i - 1] * sizes[i - 2] * sizes[i - 3] for i in range(3, 60))
    quarticity = (math.pi / 2) ** 2 * 60 * 60 / 57 * quads
    values = {"bipower_variation_1_hour": bipower}
    if realised == 0:
        return values
    spread = max(1.0, quarticity / bipower**2 if bipower else 0.0)
    jump = 1 - bipower / realised
    return values | {"relative_jump_1_hour": jump, "jump_statistic_1_hour": jump / math.sqrt((math.pi**2 / 4 + math.pi - 5) * spread / 60)}


def _ranges(symbol: SlowSymbol, bars: list[OracleBar]) -> dict[str, float]:
    begin = symbol.watermark - symbol.watermark % MINUTE - 60 * MINUTE
    begin -= begin % (5 * MINUTE)
    if not symbol.prints or symbol.prints[0].time >= begin:
        return {}
    inside = [bar for bar in bars if bar.end > begin]
    heights = [math.log(bar.high / bar.low) ** 2 for bar in inside]
    changes = [math.log(bar.close / bar.open) ** 2 for bar in inside]
    both = sum(0.5 * height - (2 * math.log(2) - 1) * change for height, change in zip(heights, changes))
    return {
        "parkinson_volatility_1_hour": math.sqrt(sum(heights) / (4 * math.log(2))),
        "garman_klass_volatility_1_hour": math.sqrt(both),
    }


def _garch(symbol: SlowSymbol, closes: list[float]) -> float:
    squares = [math.log(new / old) ** 2 for old, new in itertools.pairwise(closes)]
    if len(squares) < 20:
        return math.nan
    alpha, beta = symbol.settings.garch_alpha, symbol.settings.garch_beta
    variance = fmean(squares[:20])
    for known in range(21, len(squares) + 1):
        target = _seeded(squares[:known], 20, 2 / (symbol.settings.garch_target_bars + 1))
        variance = (1 - alpha - beta) * target + alpha * squares[known - 1] + beta * variance
    return math.sqrt(variance)
