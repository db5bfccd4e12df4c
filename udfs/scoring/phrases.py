"""Words for the value of a feature: what it is, on which side it lies, and how unusual that is."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import NamedTuple

_STRONG = 0.05
"""Share of training rows in each tail whose values are called strong."""
_MILD = 0.25
"""Values further inside than this share are called slight."""
_WINDOW = re.compile(r"_(\d+)_(second|minute|hour)s?$")


class Phrase(NamedTuple):
    """How to speak of one feature."""

    subject: str
    high: str
    """Said of a value above the middle."""
    low: str
    signed: bool
    """True: the middle is 0; false: it is the training rows' median."""


_PHRASES: dict[str, Phrase] = {
    "spread_basis_points": Phrase("spread", "wide", "narrow", signed=False),
    "microprice_deviation": Phrase("microprice", "above-mid", "below-mid", signed=True),
    "imbalance_level_1": Phrase("imbalance at the best level", "buy-side", "sell-side", signed=True),
    "imbalance_5_levels": Phrase("book imbalance", "buy-side", "sell-side", signed=True),
    "order_flow_per_depth": Phrase("order flow", "buying", "selling", signed=True),
    "imbalance_10_levels": Phrase("imbalance of 10 levels", "buy-side", "sell-side", signed=True),
    "imbalance_depth_weighted": Phrase("imbalance weighted by level", "buy-side", "sell-side", signed=True),
    "book_slope_relative": Phrase("book slope", "steep", "flat", signed=False),
    "level_flow_per_depth": Phrase("order flow of 5 levels", "buying", "selling", signed=True),
    "level_flow_10_levels_per_depth": Phrase("order flow of 10 levels", "buying", "selling", signed=True),
    "flow_level_1_per_depth": Phrase("order flow at level 1", "buying", "selling", signed=True),
    "flow_level_2_per_depth": Phrase("order flow at level 2", "buying", "selling", signed=True),
    "flow_level_3_per_depth": Phrase("order flow at level 3", "buying", "selling", signed=True),
    "flow_level_4_per_depth": Phrase("order flow at level 4", "buying", "selling", signed=True),
    "flow_level_5_per_depth": Phrase("order flow at level 5", "buying", "selling", signed=True),
    "cancel_ratio": Phrase("share of cancelled size", "high", "low", signed=False),
    "effective_spread_basis_points": Phrase("effective spread", "wide", "narrow", signed=False),
    "quoted_spread_basis_points": Phrase("quoted spread", "wide", "narrow", signed=False),
    "trade_intensity_ratio": Phrase("pace of trades", "quickening", "slowing", signed=False),
    "quote_intensity_ratio": Phrase("pace of quotes", "quickening", "slowing", signed=False),
    "kyle_lambda_relative": Phrase("price impact (Kyle)", "high", "low", signed=False),
    "amihud_illiquidity_relative": Phrase("price impact (Amihud)", "high", "low", signed=False),
    "trade_imbalance": Phrase("trade imbalance", "buy-side", "sell-side", signed=True),
    "return": Phrase("price move", "upward", "downward", signed=True),
    "price_to_sma_5": Phrase("distance from the 5-minute average", "upward", "downward", signed=True),
    "price_to_sma_20": Phrase("distance from the 20-minute average", "upward", "downward", signed=True),
    "price_to_ema_12": Phrase("distance from the 12-minute exponential average", "upward", "downward", signed=True),
    "price_to_ema_26": Phrase("distance from the 26-minute exponential average", "upward", "downward", signed=True),
    "macd_line_relative": Phrase("trend (MACD)", "rising", "falling", signed=True),
    "macd_signal_relative": Phrase("trend (MACD signal)", "rising", "falling", signed=True),
    "macd_histogram_relative": Phrase("momentum (MACD histogram)", "growing", "fading", signed=True),
    "rsi_14": Phrase("relative strength (RSI)", "high", "low", signed=False),
    "bollinger_percent_b": Phrase("place in the Bollinger bands", "high", "low", signed=False),
    "bollinger_bandwidth": Phrase("Bollinger bands", "wide", "narrow", signed=False),
    "atr_14_relative": Phrase("true range (ATR)", "large", "small", signed=False),
    "roc_10": Phrase("rate of change over 10 minutes", "positive", "negative", signed=True),
    "price_to_sma_15": Phrase("distance from the 15-minute average", "upward", "downward", signed=True),
    "price_to_ema_5": Phrase("distance from the 5-minute exponential average", "upward", "downward", signed=True),
    "price_to_ema_15": Phrase("distance from the 15-minute exponential average", "upward", "downward", signed=True),
    "sma_5_to_sma_15": Phrase("trend (averages of 5 and 15 minutes)", "rising", "falling", signed=True),
    "ema_5_to_ema_15": Phrase("trend (exponential averages of 5 and 15 minutes)", "rising", "falling", signed=True),
    "stochastic_k_14": Phrase("place in the range of 14 minutes (stochastic K)", "high", "low", signed=False),
    "stochastic_d_3": Phrase("place in the range of 14 minutes (stochastic D)", "high", "low", signed=False),
    "stochastic_slow_d_3": Phrase("place in the range of 14 minutes (slow stochastic D)", "high", "low", signed=False),
    "plus_directional_index_14": Phrase("upward movement (+DI)", "strong", "weak", signed=False),
    "minus_directional_index_14": Phrase("downward movement (-DI)", "strong", "weak", signed=False),
    "adx_14": Phrase("strength of the trend (ADX)", "high", "low", signed=False),
    "mfi_14": Phrase("money flow (MFI)", "high", "low", signed=False),
    "day_high_distance": Phrase("distance from the day's high", "short", "long", signed=False),
    "day_low_distance": Phrase("distance from the day's low", "long", "short", signed=False),
    "fractional_log_price_relative": Phrase("price move (fractional difference)", "upward", "downward", signed=True),
    "bipower_variation": Phrase("volatility without jumps (bipower)", "high", "low", signed=False),
    "relative_jump": Phrase("share of jumps in the volatility", "large", "small", signed=False),
    "jump_statistic": Phrase("evidence of jumps", "clear", "little", signed=False),
    "parkinson_volatility": Phrase("range volatility (Parkinson)", "high", "low", signed=False),
    "garman_klass_volatility": Phrase("range volatility (Garman-Klass)", "high", "low", signed=False),
    "volatility_of_volatility": Phrase("change of volatility", "large", "small", signed=False),
    "garch_volatility": Phrase("expected volatility of the next minute (GARCH)", "high", "low", signed=False),
    "vwap_session_deviation": Phrase("distance from the day's average price", "upward", "downward", signed=True),
    "vwap_5_minutes_deviation": Phrase("distance from the 5-minute average price", "upward", "downward", signed=True),
    "realised_volatility": Phrase("realised volatility", "high", "low", signed=False),
    "minute_of_session_sine": Phrase("half of the session (sine)", "first", "second", signed=True),
    "minute_of_session_cosine": Phrase("part of the session (cosine)", "outer", "middle", signed=True),
    "day_of_week_sine": Phrase("part of the week (sine)", "early", "late", signed=True),
    "day_of_week_cosine": Phrase("part of the week (cosine)", "outer", "middle", signed=True),
    "seconds_to_close": Phrase("time to the close", "long", "short", signed=False),
    "session_phase": Phrase("phase of the session", "late", "early", signed=False),
    "early_close": Phrase("early close", "present", "absent", signed=False),
    "holiday": Phrase("holiday", "present", "absent", signed=False),
    "index_return": Phrase("move of the index", "upward", "downward", signed=True),
    "beta": Phrase("beta to the index", "high", "low", signed=False),
    "beta_residual_return": Phrase("price move beyond the index's", "upward", "downward", signed=True),
    "sector_relative_return": Phrase("price move beyond the sector's", "upward", "downward", signed=True),
    "sector_rank": Phrase("rank in the sector", "high", "low", signed=False),
    "volatility_or_prior": Phrase("volatility, or the sector's while cold,", "high", "low", signed=False),
    "vix_level": Phrase("volatility index", "high", "low", signed=False),
    "vix_change": Phrase("move of the volatility index in the session", "upward", "downward", signed=True),
    "rate_level": Phrase("interest rate", "high", "low", signed=False),
    "rate_change": Phrase("move of the interest rate in the session", "upward", "downward", signed=True),
    "market_cap_bucket": Phrase("market capitalisation", "large", "small", signed=False),
    "new_listing": Phrase("new listing", "present", "absent", signed=False),
    "delisted": Phrase("delisting", "present", "absent", signed=False),
    "seconds_since_trade": Phrase("time since the last trade", "long", "short", signed=False),
    "seconds_since_book": Phrase("time since the book moved", "long", "short", signed=False),
    "news_sentiment": Phrase("news", "good", "bad", signed=True),
    "news_count": Phrase("number of news items", "high", "low", signed=False),
    "news_novelty": Phrase("novelty of the last news", "high", "low", signed=False),
    "seconds_since_news": Phrase("time since the last news", "long", "short", signed=False),
    "seconds_since_event": Phrase("time since any event", "long", "short", signed=False),
    "halted": Phrase("halt of trading", "present", "absent", signed=False),
    "cold_start": Phrase("cold start", "present", "absent", signed=False),
    "warming_up_share": Phrase("share of features that are warming up", "high", "low", signed=False),
}
"""By the feature's name, without its window where the name ends in one."""


@cache
def phrase_of(name: str) -> Phrase | None:
    """How to speak of a feature, None when the table does not know it."""
    if name in _PHRASES:
        return _PHRASES[name]
    window = _WINDOW.search(name)
    stem = _PHRASES.get(name[: window.start()]) if window else None
    if window is None or stem is None:
        return None
    length = int(window[1])
    return stem._replace(subject=f"{stem.subject} over {length} {window[2]}{'s' if length > 1 else ''}")


def describe(name: str, value: float, quantile: float) -> str:
    """Such as "strong buy-side book imbalance (0.62)"; `quantile` 0..1 is where the value lies among the training rows, NaN if unknown."""
    phrase = phrase_of(name) or Phrase(name.replace("_", " "), "high", "low", signed=False)
    if math.isnan(value):
        return f"no {phrase.subject} yet"
    if phrase.signed and value == 0:
        return f"balanced {phrase.subject} (0)"
    side = phrase.high if (value > 0 if phrase.signed else quantile >= 0.5) else phrase.low
    return f"{_strength(quantile, phrase.signed)}{side} {phrase.subject} ({value:.3g})"


def _strength(quantile: float, signed: bool) -> str:
    """Word for the distance from the middle, with a space after it; empty for the usual distance."""
    tail = min(quantile, 1 - quantile)
    if tail <= _STRONG:
        return "strong " if signed else "very "
    if tail > _MILD:
        return "slight " if signed else "fairly "
    return ""
