"""Records as the JSON values that people and programs are shown."""

from __future__ import annotations

from typing import Any, Final

from jobs.alert_rule_files import NANOSECONDS_PER_SECOND
from jobs.serving.api.clock import rfc3339
from jobs.serving.latest import LatestFeatures, LatestSignal
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.records import Alert, FeatureRow, NewsItem, Signal

BOOK_FEATURES: Final = (
    "mid_price", "microprice", "spread", "spread_basis_points", "microprice_deviation", "imbalance_level_1", "imbalance_5_levels",
    "imbalance_10_levels", "imbalance_depth_weighted", "book_slope", "book_slope_relative",
)  # fmt: skip


def signal_view(signal: Signal | LatestSignal) -> dict[str, Any]:
    """A signal; numbers that are none become null."""
    down, neutral, up = signal.probabilities
    return {
        "signal_id": signal.signal_id,
        "event_time": rfc3339(signal.event_time),
        "available_time": rfc3339(signal.available_time),
        "event_number": signal.event_number,
        "horizon_seconds": signal.horizon / NANOSECONDS_PER_SECOND,
        "price": signal.price,
        "direction": signal.direction.name.lower(),
        "confidence": signal.confidence,
        "probabilities": {"down": down, "neutral": neutral, "up": up},
        "expected_return": signal.expected_return,
        "sigma": signal.sigma,
        "status": signal.status.name.lower(),
        "code": signal.code.name.lower(),
        "reasons": [{"feature": part.feature, "contribution": part.contribution, "words": part.words} for part in signal.reasons],
        "model_version": signal.model_version,
    }


def features_view(row: FeatureRow | LatestFeatures) -> dict[str, Any]:
    """A feature row by name; null where a value is not valid. Values of a feature set of other code go by their number."""
    own = row.feature_set == FEATURE_SET and len(row.values) == len(FEATURE_NAMES)
    names = FEATURE_NAMES if own else tuple(map(str, range(len(row.values))))
    return {
        "event_time": rfc3339(row.event_time),
        "available_time": rfc3339(row.available_time),
        "event_number": row.event_number,
        "feature_set": row.feature_set,
        "values": {name: float(value) if valid else None for name, value, valid in zip(names, row.values, row.valid, strict=True)},
    }


def news_view(item: NewsItem) -> dict[str, Any]:
    """A news item, without its text."""
    names = ("news_id", "headline", "source")
    times = {"event_time": rfc3339(item.event_time), "available_time": rfc3339(item.available_time)}
    return {name: getattr(item, name) for name in names} | times | {"symbols": list(item.symbols)}


def alert_view(alert: Alert) -> dict[str, Any]:
    """A rule that fired."""
    names = ("alert_id", "rule_id", "symbol", "measure", "threshold", "value", "signal_id")
    return {name: getattr(alert, name) for name in names} | {"event_time": rfc3339(alert.event_time)}
