"""Made-up signals that say of themselves whether they are right: everything in one follows from its symbol and number.

The number is the time at which the signal was to be sent, in nanoseconds: numbers of a symbol grow, and whoever receives one knows how old
it is without being told more.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from udfs.records import Attribution, Direction, Position, Signal, SignalCode, SignalStatus

_REASONS: Final = tuple(
    Attribution(feature, contribution, words)
    for feature, contribution, words in (
        ("imbalance_5_levels", 0.25, "the five best levels hold more to buy than to sell"),
        ("return_60_seconds", 0.125, "the price rose over the last minute"),
        ("spread_basis_points", -0.0625, "the spread is wider than is usual"),
    )
)
_HORIZON: Final = 300 * 1_000_000_000


def symbol_name(place: int) -> str:
    """The name of a symbol of the made-up market."""
    return f"BENCH{place:05d}"


def price_of(symbol: str, number: int) -> float:
    """A price that no other signal is likely to have."""
    return 1.0 + crc32(f"{symbol} {number}".encode()) / 1000


def made_signal(symbol: str, number: int) -> Signal:
    """The signal of this symbol with this number."""
    return Signal(
        signal_id=f"{symbol}-{number}",
        symbol=symbol,
        event_time=number,
        available_time=number,
        event_number=number,
        horizon=_HORIZON,
        price=price_of(symbol, number),
        direction=Direction.UP,
        confidence=0.625,
        probabilities=(0.125, 0.25, 0.625),
        expected_return=0.000244140625,
        sigma=0.001953125,
        reasons=_REASONS,
        status=SignalStatus.OK,
        code=SignalCode.NONE,
        model_version="bench",
        model_hash="00",
        feature_hash="00",
        control_version=0,
        position=Position("market.frames", 0, 0),
        manifest_id="bench",
    )


def number_of(answer: dict[str, Any], symbol: str) -> int:
    """The number of the signal in an answer about a symbol; 0 when the answer is not right."""
    found = answer["signal"]
    if answer["symbol"] != symbol or answer["status"] != "live" or found is None:
        return 0
    number = int(found["event_number"])
    right = (
        found["price"] == price_of(symbol, number) and found["signal_id"] == f"{symbol}-{number}" and len(found["reasons"]) == len(_REASONS)
    )
    return number if right else 0
