"""What every other system is asked to do: a small part of what Tickflow makes of a tick, in plain Python, as its users would write it.

For each symbol: the last price, the mid price and imbalance of the best level, two exponential means of the price, traded and signed
size; a row of them at most every 100 ms of event time. State and rows are plain dicts, which each system
stores and sends in its own way.
"""

from __future__ import annotations

from typing import Any

ROW_INTERVAL_NANOSECONDS = 100_000_000
DISORDER_NANOSECONDS = 200_000_000
"""How long windows stay open for ticks that come out of order: longer than any does."""
_FAST, _SLOW = 2.0 / 13.0, 2.0 / 27.0
"""Weights of the newest price in means of 12 and 26 prices."""


def take(state: dict[str, Any] | None, tick: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The state after a tick (`ticks.encoded` says what one holds), and the row that follows it, if one is due."""
    state = state or {"row_time": 0, "price": 0.0, "mid": 0.0, "imbalance": 0.0, "fast": 0.0, "slow": 0.0, "volume": 0.0, "signed": 0.0}
    if tick["kind"] == "trade":
        _take_trade(state, tick["price"], tick["size"], tick["side"])
    else:
        bid_size, ask_size = tick["bid_size"], tick["ask_size"]
        state["mid"], state["imbalance"] = 0.5 * (tick["bid"] + tick["ask"]), (bid_size - ask_size) / (bid_size + ask_size)
    if tick["time"] - state["row_time"] < ROW_INTERVAL_NANOSECONDS:
        return state, None
    state["row_time"] = tick["time"]
    return state, {"symbol": tick["symbol"], "time": tick["time"], **state}


def _take_trade(state: dict[str, Any], price: float, size: float, side: int) -> None:
    first = state["price"] == 0.0
    state["fast"] = price if first else state["fast"] + _FAST * (price - state["fast"])
    state["slow"] = price if first else state["slow"] + _SLOW * (price - state["slow"])
    state["price"] = price
    state["volume"] += size
    state["signed"] += side * size
