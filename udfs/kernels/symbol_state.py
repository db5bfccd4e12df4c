"""All that is remembered of one symbol, as one record of fixed size.

Sums live in rings of mergeable tiles and are summed anew for every row, so a value depends on the events of its window and not on how
long the symbol has been followed. Sizes in bytes stand beside the rings.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from udfs.kernels.breakers.layout import BREAKERS
from udfs.kernels.events import BOOK_DEPTH
from udfs.kernels.facts.layout import CONTEXT_FACTS, CONTEXT_NUMBERS, REFERENCE_FACTS, SESSION_FACTS
from udfs.kernels.microstructure.layout import MICROSTRUCTURE
from udfs.kernels.news.layout import NEWS_MEMORY, start_news_memory
from udfs.kernels.plausibility.layout import PLAUSIBILITY
from udfs.kernels.trend_state import HOUR_VALUES, RANGE_RING, RANGE_TILE, SESSION_RANGE, TREND, TREND_VALUES

SymbolState: TypeAlias = npt.NDArray[np.void]
"""An array (1,) of SYMBOL_STATE."""

Record: TypeAlias = Any
"""A record of one of the types below inside a kernel, where the compiler and not the type checker knows its fields."""

SECONDS_RING: Final = 12
"""1-s tiles: the window of 10 s, the present second, and one more."""
TENS_RING: Final = 32
"""10-s tiles: the window of 5 min, the present ten, and the one before the window for its closing price."""
FLOW_RING: Final = 8
"""10-s tiles of what is only asked for over 1 min."""
MINUTES_RING: Final = 64
"""Closing prices of minutes: the window of 1 h, the minute before it, and some to spare."""
HOURS_RING: Final = 26
"""Squared returns of hours: the window of 24 h, the present hour, and one more."""
CLOSES_RING: Final = 20
"""Closes of minute bars: the longest simple mean."""

NO_PRICE: Final = 0
MID_PRICES: Final = 1
TRADE_PRICES: Final = 2
"""What the prices of a tile or bar are: none, mid prices of a symbol that never traded, trades and vendor bars. Never both."""

SECOND: Final = np.dtype(
    [
        ("second", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("price", "f8"),
        ("price_before", "f8"),
        ("volume", "f8"),
        ("priced_volume", "f8"),
        ("notional", "f8"),
        ("signed_volume", "f8"),
        ("order_flow", "f8"),
        ("depth", "f8"),
        ("level_flow", "f8"),
        ("open_offset", "i4"),
        ("close_offset", "i4"),
        ("price_offset", "i4"),
        ("price_kind", "i4"),
        ("trades", "i4"),
        ("book_changes", "i4"),
    ]
)
"""One second of events. Offsets are nanoseconds into it. `price` is the price in force at its end, told by a print or by the close of a
vendor bar, which is no print of this second; `price_offset` is -1 where nothing told it. `price_before` is the price in force before it,
known once the second has closed.
`price_kind` says what open, high, low and close are made of."""

TEN: Final = np.dtype([("price", "f8"), ("squared_returns", "f8"), ("priced_volume", "f8"), ("notional", "f8"), ("signed_volume", "f8")])
"""Ten closed seconds; `price` is the price in force at their end."""

FLOW: Final = np.dtype([("volume", "f8"), ("order_flow", "f8"), ("depth", "f8"), ("trades", "i4"), ("book_changes", "i4")])
"""The same ten seconds, kept for 1 min only."""

ACCUMULATOR: Final = np.dtype(
    [
        ("start", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("volume", "f8"),
        ("notional", "f8"),
        ("signed_volume", "f8"),
        ("price_kind", "i4"),
        ("trades", "i4"),
    ]
)
"""A bar that is still open. `start` in seconds since the epoch, 0 while there is none."""

TOP: Final = np.dtype(
    [
        ("bid", "f8"),
        ("bid_size", "f8"),
        ("ask", "f8"),
        ("ask_size", "f8"),
        ("time", "i8"),
        ("first_time", "i8"),
        ("sequence", "i8"),
        ("source", "i8"),
    ]
)
"""Best level. `source` is the kind of event that moved it last, 0 while it must not be used."""

INDICATORS: Final = np.dtype(
    [
        ("closes", "f8", (1 + CLOSES_RING,)),
        ("ema_12", "f8", (2,)),
        ("ema_26", "f8", (2,)),
        ("macd_signal", "f8", (2,)),
        ("rsi", "f8", (4,)),
        ("atr", "f8", (3,)),
        ("obv", "f8", (3,)),
    ]
)
"""Memory of the recursions over minute bars, in the forms that `indicators` defines."""

_AVERAGES: Final = ("sma_5", "sma_20", "ema_12", "ema_26", "macd_line", "macd_signal")
_OTHERS: Final = ("rsi", "percent_b", "bandwidth", "atr", "obv", "roc")

MINUTE_VALUES: Final = np.dtype([(name, "f8") for name in (*_AVERAGES, *_OTHERS)])
"""Values of the indicators at the last minute bar; NaN while warming up."""

SYMBOL_STATE: Final = np.dtype(
    [
        ("clock", "i8"),
        ("watermark", "i8"),
        ("available_time", "i8"),
        ("event_number", "i8"),
        ("rejected", "i8"),
        ("last_row_time", "i8"),
        ("last_sequence", "i8", (8,)),
        ("next_second", "i8"),
        ("newest_ten", "i8"),
        ("newest_minute", "i8"),
        ("newest_hour", "i8"),
        ("first_price_time", "i8"),
        ("mark_time", "i8"),
        ("mark_price", "f8"),
        ("final_price", "f8"),
        ("first_trade_time", "i8"),
        ("last_trade_time", "i8"),
        ("last_trade_price", "f8"),
        ("session", "i8"),
        ("session_volume", "f8"),
        ("session_notional", "f8"),
        ("crossed_time", "i8"),
        ("book_time", "i8"),
        ("top", TOP),
        ("book", "f8", (4, BOOK_DEPTH)),
        ("seconds", SECOND, (SECONDS_RING,)),
        ("tens", TEN, (TENS_RING,)),
        ("flows", FLOW, (FLOW_RING,)),
        ("minute_log_prices", "f8", (MINUTES_RING,)),
        ("hour_squared_returns", "f8", (HOURS_RING,)),
        ("minute", ACCUMULATOR),
        ("five_minutes", ACCUMULATOR),
        ("hour", ACCUMULATOR),
        ("indicators", INDICATORS),
        ("minute_values", MINUTE_VALUES),
        ("trend", TREND),
        ("trend_values", TREND_VALUES),
        ("session_range", SESSION_RANGE),
        ("newest_range", "i8"),
        ("ranges", RANGE_TILE, (RANGE_RING,)),
        ("hour_values", HOUR_VALUES),
        ("first_event_time", "i8"),
        ("last_event_time", "i8"),
        ("microstructure", MICROSTRUCTURE),
        ("plausibility", PLAUSIBILITY),
        ("news", NEWS_MEMORY),
        ("session_facts", SESSION_FACTS),
        ("context", CONTEXT_FACTS),
        ("reference", REFERENCE_FACTS),
        ("adjusted_second", "i8"),
        ("breakers", BREAKERS),
        ("priced_by_trades", "u1"),
        ("book_ready", "u1"),
        ("book_quarantine", "u1"),
        ("quote_quarantine", "u1"),
        ("status", "u1"),
        ("reserved", "u1", (3,)),
    ]
)
"""Without padding: `tobytes` and `frombuffer` are its serial form. Times are nanoseconds, 0 where there is none yet."""


def new_state() -> SymbolState:
    """State of a symbol that nothing is known of: shape (1,), ready to be changed by `advance`."""
    state = np.zeros(1, SYMBOL_STATE)
    for field in ("mark_price", "final_price", "last_trade_price", "minute_log_prices"):
        state[field] = np.nan
    for field in ("bid", "bid_size", "ask", "ask_size"):
        state["top"][field] = np.nan
    for group in ("minute_values", "trend_values", "hour_values"):
        for field in state[group].dtype.names or ():
            if field != "minutes_closed":
                state[group][field] = np.nan
    state["book"] = np.nan
    state["tens"]["price"] = np.nan
    start_news_memory(state["news"])
    for field in (*CONTEXT_NUMBERS, "first_vix", "first_rate"):
        state["context"][field] = np.nan
    for field in state["reference"].dtype.names or ():
        state["reference"][field] = np.nan
    return state
