"""Reading the online store: the newest signal and features of a watchlist in one round trip."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.serving.online_records import feature_key, signal_key
from udfs.records import Attribution, Direction, SignalCode, SignalStatus


@dataclass(frozen=True, slots=True)
class LatestFeatures:
    """The newest feature row of a symbol; times in nanoseconds since the Unix epoch."""

    symbol: str
    event_time: int
    available_time: int
    event_number: int
    feature_set: str
    values: npt.NDArray[np.float32]
    """(features,) read-only; NaN where not valid."""
    valid: npt.NDArray[np.bool_]
    """(features,)"""
    age_seconds: float
    """From the row's event time to the moment that was asked about."""


@dataclass(frozen=True, slots=True)
class LatestSignal:
    """The newest signal of a symbol; the fields mean what they mean in `udfs.records.Signal`."""

    symbol: str
    event_time: int
    available_time: int
    event_number: int
    horizon: int
    price: float
    direction: Direction
    confidence: float
    probabilities: tuple[float, float, float]
    expected_return: float
    sigma: float
    status: SignalStatus
    code: SignalCode
    reasons: tuple[Attribution, ...]
    model_version: str
    signal_id: str
    age_seconds: float
    """From the signal's event time to the moment that was asked about."""


@dataclass(frozen=True, slots=True)
class Latest:
    """What is known of a symbol now; None where nothing was stored, or longer ago than the time to live."""

    symbol: str
    signal: LatestSignal | None
    features: LatestFeatures | None


def read_latest(redis: Any, symbols: Sequence[str], now: int | None = None) -> dict[str, Latest]:
    """The newest of each symbol, in their order. `now` (nanoseconds, default: the clock) is what ages refer to. Raises redis.RedisError.

    `redis` is a redis.Redis that does not decode responses (`values` are bytes).
    """
    pipeline = redis.pipeline(transaction=False)
    for symbol in symbols:
        pipeline.hgetall(signal_key(symbol))
        pipeline.hgetall(feature_key(symbol))
    answers = pipeline.execute()
    moment = time.time_ns() if now is None else now
    pairs = zip(symbols, answers[::2], answers[1::2])
    return {symbol: Latest(symbol, _signal(symbol, signal, moment), _features(symbol, row, moment)) for symbol, signal, row in pairs}


def _signal(symbol: str, stored: Mapping[bytes, bytes], now: int) -> LatestSignal | None:
    if not stored:
        return None
    text = {name.decode(): value.decode() for name, value in stored.items()}
    return LatestSignal(
        symbol=symbol,
        event_time=int(text["event_time"]),
        available_time=int(text["available_time"]),
        event_number=int(text["event_number"]),
        horizon=int(text["horizon"]),
        price=float(text["price"]),
        direction=Direction[text["direction"]],
        confidence=float(text["confidence"]),
        probabilities=(float(text["probability_down"]), float(text["probability_neutral"]), float(text["probability_up"])),
        expected_return=float(text["expected_return"]),
        sigma=float(text["sigma"]),
        status=SignalStatus[text["status"]],
        code=SignalCode[text["code"]],
        reasons=tuple(Attribution(**reason) for reason in json.loads(text["reasons"])),
        model_version=text["model_version"],
        signal_id=text["signal_id"],
        age_seconds=(now - int(text["event_time"])) / 1e9,
    )


def _features(symbol: str, stored: Mapping[bytes, bytes], now: int) -> LatestFeatures | None:
    if not stored:
        return None
    values = np.frombuffer(stored[b"values"], "<f4")
    bits = np.frombuffer(stored[b"valid"], np.uint8)
    return LatestFeatures(
        symbol=symbol,
        event_time=int(stored[b"event_time"]),
        available_time=int(stored[b"available_time"]),
        event_number=int(stored[b"event_number"]),
        feature_set=stored[b"feature_set"].decode(),
        values=values,
        valid=np.unpackbits(bits, count=len(values), bitorder="little").view(np.bool_),
        age_seconds=(now - int(stored[b"event_time"])) / 1e9,
    )
