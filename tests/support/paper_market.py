"""A market and a control log that a paper trader meets in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jobs.trading.broker import FillModel
from jobs.trading.engine import PaperTrader, Strategy
from jobs.trading.limits import SECOND, RiskLimits
from jobs.trading.loop import MarketRecord, PaperLoop
from jobs.trading.money import SIZE_SCALE
from udfs.codecs.rows import encode_feature_row
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED
from udfs.kernels.feature_vector import FEATURE_COUNT, FEATURE_SET, Feature
from udfs.records import Direction, FeatureRow, Position, Signal, SignalCode, SignalStatus

START = 10**18
NOWHERE = Position("t", 0, 0)
MODEL = FillModel(latency_nanoseconds=SECOND // 10, fee_basis_points=1.0)
UP = Signal(
    "s1", "A", START, START, 1, 3600 * SECOND, 100.0, Direction.UP, 0.9, (0.05, 0.05, 0.9), 1e-4, 1e-3, (), SignalStatus.OK,
    SignalCode.NONE, "m", "h", "f", 1, NOWHERE, "x",
)  # fmt: skip


class Script:
    """A market and a control log in memory: records and control entries in the order in which they come."""

    def __init__(self, steps: Sequence[MarketRecord | bytes]) -> None:
        self._steps = list(steps)

    def fresh(self) -> list[bytes]:
        found: list[bytes] = []
        while self._steps and isinstance(self._steps[0], bytes):
            found.append(self._steps.pop(0))  # type: ignore[arg-type]
        return found

    def next(self, seconds: float) -> MarketRecord | None:
        return self._steps.pop(0) if self._steps else None  # type: ignore[return-value]

    @property
    def is_over(self) -> bool:
        return not self._steps


def said(second: float, number: int = 0, **changes: Any) -> MarketRecord:
    """A signal to buy, with changes."""
    time = START + round(second * SECOND)
    return MarketRecord(True, encode_signal(replace(UP, signal_id=f"s{second}-{number}", event_time=time, **changes)))


def row(second: float, mid: float = 100.0, symbol: str = "A", halted: bool = False) -> MarketRecord:
    """A row of the market."""
    values = np.full(FEATURE_COUNT, np.nan, np.float32)
    values[Feature.HALTED] = halted
    values[[Feature.MID_PRICE, Feature.SPREAD, Feature.VOLUME_1_MINUTE, Feature.REALISED_VOLATILITY_1_MINUTE]] = mid, 0.02, 1e5, 1e-3
    time = START + round(second * SECOND)
    found = FeatureRow(symbol, time, time, 1, FEATURE_SET, values, ~np.isnan(values), False, 0, NOWHERE, "x")
    return MarketRecord(False, encode_feature_row(found))


def ran(steps: Sequence[MarketRecord | bytes], notes: list[tuple[str, str]] | None = None, limits: RiskLimits | None = None) -> PaperLoop:
    """The loop after all steps; `notes` takes what was noted and why."""
    heard: list[tuple[str, str]] = [] if notes is None else notes
    trader = PaperTrader(limits or RiskLimits(), MODEL, Strategy(), lambda kind, why, what: heard.append((kind, why)))
    script = Script(steps)
    loop = PaperLoop(trader, script, script, PINNED)
    loop.run(lambda: script.is_over, 0.0, lambda had_record: None)
    loop.follow_control()
    return loop


def held(loop: PaperLoop, symbol: str = "A") -> float:
    """The position."""
    return loop.trader.state.portfolio.holding(symbol).quantity / SIZE_SCALE
