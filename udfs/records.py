"""The records that enter and leave the stream job. Frozen; times are integer nanoseconds since the Unix epoch (UTC).

Every record carries when it happened (`event_time`), when everything it used was available (`available_time`), where it came from
(`position`), and the manifest of the code and settings that made it (`manifest_id`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from udfs.errors import Reason


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the log a record came from: a frame, and the event inside it."""

    topic: str
    partition: int
    offset: int
    event_index: int = 0


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """The features of one symbol after one event. `event_number` counts the symbol's accepted events and does not depend on framing."""

    symbol: str
    event_time: int
    available_time: int
    event_number: int
    feature_set: str
    """Hash of the ordered feature names and definitions."""
    values: npt.NDArray[np.float32]
    """(features,) in the order of `udfs.kernels.feature_vector`; NaN where not valid."""
    valid: npt.NDArray[np.bool_]
    """(features,) false while warming up, missing or stale."""
    bar_closed: bool
    """True when the event closed at least one bar, false when the row is there because 100 ms had passed."""
    control_version: int
    position: Position
    manifest_id: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close, volume of one symbol over [start_time, start_time + length_seconds)."""

    symbol: str
    start_time: int
    length_seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    notional: float
    """Sum of price times size of the trades that count for the price."""
    trades: int
    signed_volume: float
    available_time: int
    position: Position
    manifest_id: str


class Direction(IntEnum):
    """Where the price is expected to go."""

    DOWN = -1
    NEUTRAL = 0
    UP = 1


class SignalStatus(IntEnum):
    """Whether a signal may be acted on."""

    OK = 1
    ABSTAINED = 2
    HALTED = 3
    FALLBACK = 4
    REDUCING = 5


class SignalCode(IntEnum):
    """Why a signal has its status. 0 with status OK."""

    NONE = 0
    NO_MODEL = 1
    WARMING_UP = 2
    LOW_CONFIDENCE = 3
    BOOK_QUARANTINED = 4
    STALE_INPUT = 5
    TRADING_HALTED = 6
    NOT_FINITE = 7
    HALTED_BY_CONTROL = 8
    OUT_OF_RANGE = 9
    FLASH_CRASH = 10
    ONE_SIDED = 11
    MODEL_EXPIRED = 12
    REDUCE_ONLY = 13
    BREAKER_OPEN = 14


@dataclass(frozen=True, slots=True)
class Attribution:
    """One reason for a score: a feature, what it added to the winning direction's raw score, and the same in words."""

    feature: str
    contribution: float
    words: str


@dataclass(frozen=True, slots=True)
class Signal:
    """What the model says of one feature row. `signal_id` depends on the row and the model alone, never on when or where it ran."""

    signal_id: str
    symbol: str
    event_time: int
    available_time: int
    event_number: int
    horizon: int
    """Nanoseconds over which the direction and the return are predicted."""
    price: float
    """Mid price (last price where there is no book) that the prediction starts from."""
    direction: Direction
    confidence: float
    """Calibrated probability of `direction`, in [0, 1]; NaN when nothing was scored."""
    probabilities: tuple[float, float, float]
    """Calibrated probabilities of down, neutral, up; NaN when nothing was scored."""
    expected_return: float
    """Expected log return over the horizon."""
    sigma: float
    """Standard deviation of that log return."""
    reasons: tuple[Attribution, ...]
    status: SignalStatus
    code: SignalCode
    model_version: str
    model_hash: str
    feature_hash: str
    """Hash of the feature vector that was scored."""
    control_version: int
    position: Position
    manifest_id: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that fired. `alert_id` depends on the rule and the feature row alone."""

    alert_id: str
    rule_id: str
    symbol: str
    event_time: int
    available_time: int
    event_number: int
    measure: str
    threshold: float
    value: float
    signal_id: str
    """The signal of the same row, empty when none was made."""
    position: Position
    manifest_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Input that was not used: why, its bytes, and where it was found."""

    symbol: str
    reason: Reason
    detail: str
    event_time: int
    """Of the event, 0 where it could not be read."""
    available_time: int
    raw: bytes
    """The whole message when it could not be decoded, else the one event as a frame of one."""
    position: Position
    manifest_id: str


@dataclass(frozen=True, slots=True)
class NewsItem:
    """A piece of news about zero or more symbols."""

    news_id: str
    event_time: int
    available_time: int
    symbols: tuple[str, ...]
    headline: str
    body: str
    source: str


class ControlKind(IntEnum):
    """What a control event changes."""

    MODEL = 1
    ALERT_RULE = 2
    REMOVE_ALERT_RULE = 3
    HALT = 4
    RESUME = 5
    NEWS_MODEL = 6
    REDUCE = 7
    BREAKER = 8
    SHED = 9
    CHALLENGER = 10


class TradingState(IntEnum):
    """What people, or a breaker, allow for a symbol; the greater number is the stricter."""

    ACTIVE = 1
    REDUCING = 2
    """Positions may become smaller, never larger."""
    HALTED = 3


class ShedLevel(IntEnum):
    """What is left out under too much load: each level also what those below leave out. The least valuable work goes first."""

    NOTHING = 0
    ONLINE_FEATURES = 1
    """The online store writes signals only."""
    REASONS = 2
    """Signals have no reasons."""


class Measure(IntEnum):
    """What an alert rule watches."""

    PREDICTED_VOLATILITY = 1
    PRICE_MOVE = 2
    CONFIDENCE = 3
    IMBALANCE = 4


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Fires when |measure| reaches `threshold`; re-arms when it falls below `rearm_below` and `cool_down` nanoseconds have passed."""

    rule_id: str
    measure: Measure
    threshold: float
    rearm_below: float
    cool_down: int
    symbols: tuple[str, ...]
    """Symbols or a watchlist's members; empty means every symbol."""


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A model to score with from this control event on."""

    version: str
    uri: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ChallengerChange:
    """A model that is compared with the one in force from this entry on, and decides nothing; `alias` is `challenger-` and a name."""

    alias: str
    model: ModelReference | None
    """None: it is withdrawn."""


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """What a program that watches allows for everything, beside what people allow."""

    name: str
    state: TradingState
    """ACTIVE closes the breaker."""


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """One numbered entry of the control log. `version` is its offset plus one; frames are stamped with the last version in force."""

    version: int
    kind: ControlKind
    event_time: int
    author: str
    reason: str
    model: ModelReference | None = None
    rule: AlertRule | None = None
    rule_id: str = ""
    symbols: tuple[str, ...] = ()
    """HALT, REDUCE and RESUME: the symbols concerned, empty means all."""
    breaker: BreakerChange | None = None
    """BREAKER: what opens or closes."""
    shed_level: int = 0
    """SHED: one of ShedLevel."""
    challenger: ChallengerChange | None = None
