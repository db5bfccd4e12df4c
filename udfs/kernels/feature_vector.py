"""The features of a row: the only list of their names, in the order of the vector. `feature_terms` has the words of the formulas."""

from __future__ import annotations

import hashlib
from typing import Final

from udfs.kernels import feature_phrases as by
from udfs.kernels import feature_terms
from udfs.kernels.feature_traits import Described, Memory


class Feature(Described):
    """One feature; its number is its place in the vector."""

    # Prices and the top of the book.
    LAST_PRICE = ("price", "newest trade price or vendor bar close", "", by.FIRST_TRADE, False)
    MID_PRICE = ("price", "(bid + ask) / 2", "", by.FIRST_BOOK, False)
    MICROPRICE = ("price", "(bid * ask size + ask * bid size) / (bid size + ask size)", "weighted mid", by.FIRST_BOOK, False)
    SPREAD = ("price", "ask - bid", "", by.FIRST_BOOK, False)
    SPREAD_BASIS_POINTS = ("basis points", "10000 * (ask - bid) / mid", "", by.FIRST_BOOK, True)
    MICROPRICE_DEVIATION = ("basis points", "10000 * (microprice / mid - 1)", "Stoikov 2018", by.FIRST_BOOK, True)
    IMBALANCE_LEVEL_1 = ("ratio", "(bid size - ask size) / (bid size + ask size) at the best level", "", by.FIRST_BOOK, True)
    IMBALANCE_5_LEVELS = ("ratio", "the same with sizes summed over the best 5 levels of each side", "", "until a BOOK event", True)
    IMBALANCE_10_LEVELS = ("ratio", "the same over the best 10 levels", "", "until a BOOK event", True)
    IMBALANCE_DEPTH_WEIGHTED = ("ratio", "the same over 10 levels, the size at level k times 1 / k", "", "until a BOOK event", True)
    # Least squares through 0 from the mid price outwards, distance in basis points, mean of both sides.
    BOOK_SLOPE = ("size per basis point", "slope of summed size on distance from mid, 10 levels", by.SLOPE, "a BOOK event", False)
    BOOK_SLOPE_RELATIVE = ("share per basis point", "the same with sizes as shares of their side's", by.SLOPE, "a BOOK event", True)

    # Order flow: e is the contribution of one change of the best level.
    ORDER_FLOW_1_SECOND = ("size", "sum of e over the window of 1 s", by.CONT, "1 s of book", False)
    ORDER_FLOW_10_SECONDS = ("size", "sum of e over the window of 10 s", by.CONT, "10 s of book", False)
    ORDER_FLOW_1_MINUTE = ("size", "sum of e over the window of 1 min", by.CONT, "1 min of book", False)
    ORDER_FLOW_PER_DEPTH_1_SECOND = ("ratio", "sum of e / mean of (bid size + ask size) / 2 after each", by.CONT, "1 s of book", True)
    ORDER_FLOW_PER_DEPTH_10_SECONDS = ("ratio", "the same over the window of 10 s; 0 when nothing changed", by.CONT, "10 s of book", True)
    ORDER_FLOW_PER_DEPTH_1_MINUTE = ("ratio", "the same over the window of 1 min; 0 when nothing changed", by.CONT, "1 min of book", True)

    # Trades by aggressor.
    TRADE_IMBALANCE_10_SECONDS = ("ratio", "(bought - sold) / priced size, window of 10 s", by.SIGN, "10 s of trades; a trade in it", True)
    TRADE_IMBALANCE_1_MINUTE = ("ratio", "the same over the window of 1 min", by.SIGN, "1 min of trades; a trade in it", True)
    TRADE_IMBALANCE_5_MINUTES = ("ratio", "the same over the window of 5 min", by.SIGN, "5 min of trades; a trade in it", True)

    # Spreads over time: 2 * |trade price - mid just before it|, and ask - bid.
    EFFECTIVE_SPREAD_1_MINUTE = ("price", "mean of 2 * abs(p - mid) by size, 1 min", by.HUANG, "1 min of book; a trade in it", False)
    EFFECTIVE_SPREAD_BASIS_POINTS_1_MINUTE = ("basis points", "10000 * that / price in force now", by.HUANG, "1 min; a trade in it", True)
    QUOTED_SPREAD_1_MINUTE = ("price", "mean of ask - bid by QUOTE and BOOK events, 1 min", "", "1 min of book; one in it", False)
    QUOTED_SPREAD_BASIS_POINTS_1_MINUTE = ("basis points", "10000 * that / price in force now", "", "1 min of book; one in it", True)

    # Order flow by level: e of level m, between consecutive trusted BOOK events; depth is half the present size of these levels.
    # Gone is what a price that both of two such events show has less; prices beyond the last level of a full side are not shown.
    LEVEL_FLOW_1_SECOND = ("size", "sum of e over levels 1 to 5 and the window of 1 s", by.LEVELS, "1 s of BOOK events", False)
    LEVEL_FLOW_10_SECONDS = ("size", "the same over the window of 10 s", by.LEVELS, "10 s of BOOK events", False)
    LEVEL_FLOW_1_MINUTE = ("size", "the same over the window of 1 min", by.LEVELS, "1 min of BOOK events", False)
    LEVEL_FLOW_10_LEVELS_1_MINUTE = ("size", "the same over levels 1 to 10", by.LEVELS, "1 min of BOOK events", False)
    LEVEL_FLOW_PER_DEPTH_1_SECOND = ("ratio", "sum of e over levels 1 to 5 / their depth, 1 s", by.LEVELS, "1 s of BOOK events", True)
    LEVEL_FLOW_PER_DEPTH_10_SECONDS = ("ratio", "the same over the window of 10 s", by.LEVELS, "10 s of BOOK events", True)
    LEVEL_FLOW_PER_DEPTH_1_MINUTE = ("ratio", "the same over the window of 1 min", by.LEVELS, "1 min of BOOK events", True)
    LEVEL_FLOW_10_LEVELS_PER_DEPTH_1_MINUTE = ("ratio", "the same over levels 1 to 10", by.LEVELS, "1 min of BOOK events", True)
    FLOW_LEVEL_1_PER_DEPTH_1_MINUTE = ("ratio", "e of level 1 / (depth of 5 levels / 5), 1 min", by.LEVELS, "1 min of BOOK events", True)
    FLOW_LEVEL_2_PER_DEPTH_1_MINUTE = ("ratio", "the same of level 2", by.LEVELS, "1 min of BOOK events", True)
    FLOW_LEVEL_3_PER_DEPTH_1_MINUTE = ("ratio", "the same of level 3", by.LEVELS, "1 min of BOOK events", True)
    FLOW_LEVEL_4_PER_DEPTH_1_MINUTE = ("ratio", "the same of level 4", by.LEVELS, "1 min of BOOK events", True)
    FLOW_LEVEL_5_PER_DEPTH_1_MINUTE = ("ratio", "the same of level 5", by.LEVELS, "1 min of BOOK events", True)
    CANCEL_RATIO_1_MINUTE = ("ratio", "1 - priced size / size gone, 0 at least, 1 min", "", "1 min of BOOK and trades", True)

    # Intensities: sum of exp(-(t - t_i) / c) / c over all such events, by event time.
    TRADE_INTENSITY_10_SECONDS = ("1 / s", "of priced trades, c = 10 s", by.HAWKES, "50 s since the first trade", False, Memory.FADING)
    TRADE_INTENSITY_60_SECONDS = ("1 / s", "of priced trades, c = 60 s", by.HAWKES, "5 min since the first trade", False, Memory.FADING)
    TRADE_INTENSITY_RATIO = ("ratio", "the former / the latter", by.HAWKES, "5 min since the first trade", True, Memory.FADING)
    QUOTE_INTENSITY_10_SECONDS = ("1 / s", "of QUOTE and BOOK events, c = 10 s", by.HAWKES, "50 s of book", False, Memory.FADING)
    QUOTE_INTENSITY_60_SECONDS = ("1 / s", "of QUOTE and BOOK events, c = 60 s", by.HAWKES, "5 min of book", False, Memory.FADING)
    QUOTE_INTENSITY_RATIO = ("ratio", "the former / the latter", by.HAWKES, "5 min of book", True, Memory.FADING)

    # Price impact, by least squares with intercept over closed seconds, and i = abs(1-min log return) / notional of closed minutes that
    # have notional; the boundary of 1 h is on a multiple of 5 min here.
    KYLE_LAMBDA = ("price per size", "slope of price change on bought - sold size, 10-s tiles, 5 min", by.KYLE, "5 min of trades", False)
    KYLE_LAMBDA_RELATIVE = ("basis points", "10000 * that * deviation of that size / price in force now", by.KYLE, "5 min of trades", True)
    AMIHUD_ILLIQUIDITY = ("log return per million", "10^6 * mean of i, window of 1 h", by.AMIHUD, "1 h of prices; an i in it", False)
    AMIHUD_ILLIQUIDITY_RELATIVE = ("basis points", "10^4 * mean of i * notional of 5 min / 5", by.AMIHUD, "1 h of prices; an i in it", True)

    # Returns of the price in force.
    RETURN_1_SECOND = ("log return", "log(price in force now / price in force at the boundary of 1 s)", "", "a price before it", True)
    RETURN_5_SECONDS = ("log return", "the same over 5 s", "", "a price before it", True)
    RETURN_1_MINUTE = ("log return", "the same over 1 min", "", "a price before it", True)
    RETURN_5_MINUTES = ("log return", "the same over 5 min", "", "a price before it", True)
    RETURN_1_HOUR = ("log return", "the same over 1 h", "", "a price before it", True)

    # Indicators on closed minute bars.
    SMA_5 = ("price", "mean of the last 5 closes", "", "5 minute bars", False)
    SMA_20 = ("price", "mean of the last 20 closes", "", "20 minute bars", False)
    EMA_12 = ("price", "e + 2 / 13 * (close - e), seeded by the mean of the first 12", "", "12 minute bars", False, Memory.FADING)
    EMA_26 = ("price", "e + 2 / 27 * (close - e), seeded by the mean of the first 26", "", "26 minute bars", False, Memory.FADING)
    PRICE_TO_SMA_5 = ("ratio", "price in force now / SMA 5 - 1", "", "5 minute bars", True)
    PRICE_TO_SMA_20 = ("ratio", "price in force now / SMA 20 - 1", "", "20 minute bars", True)
    PRICE_TO_EMA_12 = ("ratio", "price in force now / EMA 12 - 1", "", "12 minute bars", True, Memory.FADING)
    PRICE_TO_EMA_26 = ("ratio", "price in force now / EMA 26 - 1", "", "26 minute bars", True, Memory.FADING)
    MACD_LINE = ("price", "EMA 12 - EMA 26, each seeded by its own mean", by.APPEL, "26 minute bars", False, Memory.FADING)
    MACD_SIGNAL = ("price", "EMA 9 of the line, seeded by the mean of its first 9", by.APPEL, "34 minute bars", False, Memory.FADING)
    MACD_HISTOGRAM = ("price", "line - signal", by.APPEL, "34 minute bars", False, Memory.FADING)
    MACD_LINE_RELATIVE = ("ratio", "line / price in force now", by.APPEL, "26 minute bars", True, Memory.FADING)
    MACD_SIGNAL_RELATIVE = ("ratio", "signal / price in force now", by.APPEL, "34 minute bars", True, Memory.FADING)
    MACD_HISTOGRAM_RELATIVE = ("ratio", "histogram / price in force now", by.APPEL, "34 minute bars", True, Memory.FADING)
    RSI_14 = (
        "0 to 100",
        "100 * gain / (gain + loss), means of 14 as Wilder smooths them; 50 when both are 0",
        by.WILDER,
        "15 bars",
        True,
        Memory.FADING,
    )
    BOLLINGER_PERCENT_B = ("ratio", "(close - lower) / (upper - lower), bands at 2 population deviations of 20", by.BANDS, "20 bars", True)
    BOLLINGER_BANDWIDTH = ("ratio", "(upper - lower) / SMA 20", by.BANDS, "20 minute bars", True)
    ATR_14 = ("price", "smoothed mean of 14 true ranges, the first a simple mean", by.WILDER, "15 minute bars", False, Memory.FADING)
    ATR_14_RELATIVE = ("ratio", "ATR 14 / price in force now", by.WILDER, "15 minute bars", True, Memory.FADING)
    OBV = ("size", "sum of volume signed by the change of close, 0 at the first bar", "Granville 1963", "1 minute bar", False, Memory.WHOLE)
    ROC_10 = ("percent", "100 * (close / close 10 bars before - 1)", "", "11 minute bars", True)

    # Trend on closed minute bars, and the range of the day.
    SMA_15 = ("price", "mean of the last 15 closes", "", "15 minute bars", False)
    EMA_5 = ("price", "e + 2 / 6 * (close - e), seeded by the mean of the first 5", "", "5 minute bars", False, Memory.FADING)
    EMA_15 = ("price", "e + 2 / 16 * (close - e), seeded by the mean of the first 15", "", "15 minute bars", False, Memory.FADING)
    PRICE_TO_SMA_15 = ("ratio", "price in force now / SMA 15 - 1", "", "15 minute bars", True)
    PRICE_TO_EMA_5 = ("ratio", "price in force now / EMA 5 - 1", "", "5 minute bars", True, Memory.FADING)
    PRICE_TO_EMA_15 = ("ratio", "price in force now / EMA 15 - 1", "", "15 minute bars", True, Memory.FADING)
    SMA_5_TO_SMA_15 = ("ratio", "SMA 5 / SMA 15 - 1; its sign changes where the means cross", "", "15 minute bars", True)
    EMA_5_TO_EMA_15 = ("ratio", "EMA 5 / EMA 15 - 1; its sign changes where the means cross", "", "15 minute bars", True, Memory.FADING)
    STOCHASTIC_K_14 = (
        "0 to 100",
        "100 * (close - lowest low) / (highest high - lowest low) of 14; 50 without range",
        by.LANE,
        "14 bars",
        True,
    )
    STOCHASTIC_D_3 = ("0 to 100", "mean of the last 3 K, which is the slow K", by.LANE, "16 minute bars", True)
    STOCHASTIC_SLOW_D_3 = ("0 to 100", "mean of the last 3 D", by.LANE, "18 minute bars", True)
    PLUS_DIRECTIONAL_INDEX_14 = (
        "0 to 100",
        "100 * +DM / true range, sums of 14 as Wilder smooths them; 0 when nothing moved",
        by.WILDER,
        "15 minute bars",
        True,
        Memory.FADING,
    )
    MINUS_DIRECTIONAL_INDEX_14 = ("0 to 100", "100 * -DM / true range, the same way", by.WILDER, "15 minute bars", True, Memory.FADING)
    ADX_14 = (
        "0 to 100",
        "smoothed mean of 14 of 100 * abs(+DI - -DI) / (+DI + -DI), the first a simple mean",
        by.WILDER,
        "28 minute bars",
        True,
        Memory.FADING,
    )
    MFI_14 = (
        "0 to 100",
        "100 * inflow / (inflow + outflow) of 14: typical price * volume by the change of typical price; 50 without any",
        "Quong, Soudack 1989",
        "15 minute bars",
        True,
    )
    DAY_HIGH_DISTANCE = ("log return", "log(price in force now / highest print of the session's day)", "", by.DAY, True, Memory.SESSION)
    DAY_LOW_DISTANCE = ("log return", "log(price in force now / lowest print of the session's day)", "", by.DAY, True, Memory.SESSION)
    FRACTIONAL_LOG_PRICE = (
        "log price",
        "sum over k = 0 to 59 of w(k) * log(price of the closed minute k before the newest); w: (1 - lag)^d, kernel.fractional_order",
        by.LOPEZ,
        "60 closed minutes of prices",
        False,
    )
    FRACTIONAL_LOG_PRICE_RELATIVE = ("log return", "the same of log(price / oldest of the window)", by.LOPEZ, "60 closed minutes", True)

    # Volume-weighted average price.
    VWAP_SESSION = ("price", "notional / priced size of the session's day", "", "a trade in the day", False, Memory.SESSION)
    VWAP_SESSION_DEVIATION = ("ratio", "price in force now / VWAP of the session - 1", "", "a trade in the day", True, Memory.SESSION)
    VWAP_5_MINUTES = ("price", "notional / priced size over the window of 5 min", "", "a trade in the window", False)
    VWAP_5_MINUTES_DEVIATION = ("ratio", "price in force now / VWAP of 5 min - 1", "", "a trade in the window", True)

    # Realised volatility, not annualised.
    REALISED_VOLATILITY_1_MINUTE = ("log return", "root of summed squared 1-s returns, closed seconds", by.RV, "1 min of prices", True)
    REALISED_VOLATILITY_5_MINUTES = ("log return", "the same over the window of 5 min", by.RV, "5 min of prices", True)
    REALISED_VOLATILITY_1_HOUR = ("log return", "root of summed squared 1-min returns, closed minutes, 1 h", by.RV, "1 h of prices", True)
    REALISED_VOLATILITY_24_HOURS = ("log return", "the same over the window of 24 h", by.RV, "24 h of prices", True)

    # Jumps, range and recursive volatility. r: log returns of the newest 60 closed minutes.
    BIPOWER_VARIATION_1_HOUR = (
        "squared log return",
        "pi / 2 * 60 / 59 * sum of abs(r(i)) * abs(r(i - 1))",
        by.JUMPS,
        "60 closed minutes after the first",
        True,
    )
    RELATIVE_JUMP_1_HOUR = ("ratio", "1 - bipower variation / sum of squared r", "Huang, Tauchen 2005", "the same; any movement", True)
    JUMP_STATISTIC_1_HOUR = (
        "standard deviations",
        "relative jump * root of 60 / (0.6090 * max(1, quadpower quarticity / bipower variation^2)); normal when nothing jumps",
        by.JUMPS,
        "the same; any movement",
        True,
    )
    PARKINSON_VOLATILITY_1_HOUR = (
        "log return",
        "root of the sum of log(high / low)^2 / (4 * log 2) over minute bars, window of 1 h back from the newest closed minute, hop 5 min",
        "Parkinson 1980",
        "a price before the window",
        True,
    )
    GARMAN_KLASS_VOLATILITY_1_HOUR = (
        "log return",
        "the same with log(high / low)^2 / 2 - (2 * log 2 - 1) * log(close / open)^2",
        "Garman, Klass 1980",
        "a price before the window",
        True,
    )
    VOLATILITY_OF_VOLATILITY_1_HOUR = (
        "log return",
        "population deviation of the roots of summed squared r of its 12 blocks of 5 minutes",
        "",
        "60 closed minutes after the first",
        True,
    )
    GARCH_VOLATILITY = (
        "log return",
        "root of v; v = (1 - a - b) * target + a * r^2 + b * v at each minute bar; a, b, target: kernel.garch_*",
        "Bollerslev 1986; Engle, Mezrich 1996 for the target",
        "21 minute bars",
        True,
        Memory.FADING,
    )

    # Activity.
    TRADE_COUNT_1_MINUTE = ("trades", "priced trades in the window of 1 min", "", "1 min since the first trade", False)
    VOLUME_1_MINUTE = ("size", "size of all trades in the window of 1 min", "", "1 min of prices", False)
    SECONDS_SINCE_TRADE = ("seconds", "t - time of the newest priced trade or vendor bar", "", by.FIRST_TRADE, True)
    SECONDS_SINCE_BOOK = ("seconds", "t - time of the newest QUOTE or BOOK that told the best level", "", "until the first book", True)

    # News. t: the clock, or the time of the newest item if later; s: probability of positive less that of negative, by the model in force.
    NEWS_SENTIMENT_5_MINUTES = ("ratio", "sum of s * 2^(-age / 5 min) over all items", "", "an item read by a model", True, Memory.FADING)
    NEWS_SENTIMENT_30_MINUTES = ("ratio", "the same with age / 30 min", "", "an item read by a model", True, Memory.FADING)
    NEWS_COUNT_1_HOUR = ("items", "items in the window of 1 h, hop 5 min; at most 255 a hop", "", "1 h since the first event", True)
    NEWS_COUNT_24_HOURS = ("items", "items in the window of 24 h, hop 1 h; at most 255 a hop", "", "24 h since the first event", True)
    NEWS_NOVELTY = ("ratio", by.NOVELTY, by.SIMHASH, "8 items or 24 h before it", True)
    SECONDS_SINCE_NEWS = ("seconds", "t - time of the newest item", "", "an item", True)
    # The session of the symbol's calendar, said by SESSION facts; its offset from UTC is that at its open.
    MINUTE_OF_SESSION_SINE = ("ratio", "sin(2 * pi * (t - open) / (close - open))", by.CALENDAR, by.IN_SESSION, True)
    MINUTE_OF_SESSION_COSINE = ("ratio", "cos of the same", by.CALENDAR, by.IN_SESSION, True)
    DAY_OF_WEEK_SINE = ("ratio", "sin(2 * pi * d / 7), d: days since Monday of the local date of t", by.CALENDAR, by.SESSION, True)
    DAY_OF_WEEK_COSINE = ("ratio", "cos of the same", by.CALENDAR, by.SESSION, True)
    SECONDS_TO_CLOSE = ("seconds", "close - t, from the session's day's beginning on", by.CALENDAR, "a SESSION; not after its close", True)
    SESSION_PHASE = ("code", "0 before the open, 1 and 3 first and last 30 min, 2 between, 4 after it", by.CALENDAR, by.SESSION, True)
    EARLY_CLOSE = ("0 or 1", "1 when the session is shorter than usual", by.CALENDAR, by.SESSION, True)
    HOLIDAY = ("0 or 1", "1 when the local date of t lies between two sessions", by.CALENDAR, by.SESSION, True)

    # The rest of the market, said by CONTEXT facts: what had been available to the gateway just before.
    INDEX_RETURN_1_SECOND = ("log return", "of the index symbol over 1 s, by available time", "", by.CONTEXT, True)
    INDEX_RETURN_1_MINUTE = ("log return", "the same over 1 min", "", by.CONTEXT, True)
    INDEX_RETURN_5_MINUTES = ("log return", "the same over 5 min", "", by.CONTEXT, True)
    BETA = ("ratio", "slope of 1-min returns on the index's, one pair a minute, mean age 60 pairs", "", by.PAIRS, True, Memory.FADING)
    BETA_RESIDUAL_RETURN_1_MINUTE = ("log return", "return of 1 min - beta * that of the index", "", by.PAIRS, True, Memory.FADING)
    SECTOR_RELATIVE_RETURN_5_MINUTES = ("log return", "return of 5 min - mean of the sector's", "", by.CONTEXT, True)
    SECTOR_RANK = ("ratio", "share of the sector's others with a lower 5-min return, equal ones half", "", by.CONTEXT, True)
    VOLATILITY_OR_PRIOR_5_MINUTES = ("log return", "realised, 5 min; cold: root mean square of the sector's returns", "", by.PRIOR, True)
    VIX_LEVEL = ("points", "last value of the volatility index", "", by.CONTEXT, True)
    VIX_CHANGE = ("log return", "log(level / first level said in the session)", "", by.CONTEXT, True, Memory.SESSION)
    RATE_LEVEL = ("points", "last value of the rate symbol", "", by.CONTEXT, True)
    RATE_CHANGE = ("points", "level - first level said in the session", "", by.CONTEXT, True, Memory.SESSION)

    # Reference data, said by REFERENCE facts; NaN where nothing is known. Splits and dividends rescale all that is remembered.
    SECTOR_CODE = ("code", "number of the sector in jobs.reference", "", "a REFERENCE that names it", False)
    MARKET_CAP_BUCKET = ("code", "0 nano to 5 mega", "", "a REFERENCE that names it", True)
    DAYS_SINCE_LISTING = ("days", "(t - listed) / 1 day", "", "a REFERENCE that names it", False)
    NEW_LISTING = ("0 or 1", "1 for 30 days", "", "a REFERENCE that names the listing", True)
    DELISTED = ("0 or 1", "1 from the delisting on, or while a STATUS says so", "", "either, or a REFERENCE of the listing", True)

    # Quality. These come last: WARMING_UP_SHARE counts all before SECONDS_SINCE_EVENT.
    SECONDS_SINCE_EVENT = ("seconds", "t - time of the newest accepted event that is no CLOCK", "", "none", True)
    SEQUENCE_GAPS_1_HOUR = ("gaps", "gaps in the numbering, 1 h, hop 5 min", "", "none", False, Memory.LOADED)
    HALTED = ("0 or 1", "1 while the newest STATUS is HALTED, CLOSED or DELISTED", "", "none", True, Memory.LOADED)
    COLD_START = ("0 or 1", "1 until 30 min after the first accepted event", "", "none", True, Memory.LOADED)
    WARMING_UP_SHARE = ("ratio", "share of the other features that are not valid in this row", "", "none", True, Memory.LOADED)


FEATURE_NAMES: Final[tuple[str, ...]] = tuple(feature.name.lower() for feature in Feature)
FEATURE_COUNT: Final = len(FEATURE_NAMES)
MODEL_INPUTS: Final[tuple[int, ...]] = tuple(int(feature) for feature in Feature if feature.model_input)
"""Places in the vector of the features that a model may use."""


def feature_set_id() -> str:
    """Hash of names, units, formulas and warm-ups in order: two vectors can be compared only when it is equal. 16 hexadecimal digits."""
    lines = "\n".join(f"{feature.name}|{feature.unit}|{feature.formula}|{feature.warm_up}|{feature.model_input}" for feature in Feature)
    return hashlib.sha256(f"{feature_terms.__doc__}\n{lines}".encode()).hexdigest()[:16]


FEATURE_SET: Final = feature_set_id()
