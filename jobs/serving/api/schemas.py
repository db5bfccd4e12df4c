"""What requests may hold and what answers look like: the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_SYMBOLS: Final = 200
SYMBOL_PATTERN: Final = r"^[A-Za-z0-9._:=^&-]{1,64}$"
SYMBOLS_PATTERN: Final = r"^[A-Za-z0-9._:=^&-]{1,64}(,[A-Za-z0-9._:=^&-]{1,64}){0,199}$"
NAME_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"

Symbol = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Symbols = Annotated[list[Symbol], Field(min_length=1, max_length=MOST_SYMBOLS)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
Moment = Annotated[str, Field(description="time in UTC, RFC 3339 with nine digits of a second")]
Status = Literal["live", "fallback", "unknown"]


class Body(BaseModel):
    """No field that is not named."""

    model_config = ConfigDict(extra="forbid")


class Error(Body):
    """What went wrong."""

    code: str = Field(description="for programs; keeps its meaning")
    message: str
    request_id: str


class Trouble(Body):
    """Every answer that is not the one that was asked for."""

    error: Error


class Attribution(Body):
    """One reason for a score."""

    feature: str
    contribution: float
    words: str


class Probabilities(Body):
    """Calibrated; null where nothing was scored."""

    down: float | None
    neutral: float | None
    up: float | None


class Signal(Body):
    """What the model says of one feature row. Act on it only with status `ok`."""

    signal_id: str
    event_time: Moment
    available_time: Moment
    event_number: int
    horizon_seconds: float
    price: float | None
    direction: Literal["down", "neutral", "up"]
    confidence: float | None
    probabilities: Probabilities
    expected_return: float | None = Field(description="log return expected over the horizon")
    sigma: float | None = Field(description="standard deviation of that return")
    reasons: list[Attribution]
    status: str
    code: str = Field(description="why it has this status")
    model_version: str


class FeatureValues(Body):
    """A feature row; null where a value is warming up, missing or stale."""

    event_time: Moment
    available_time: Moment
    event_number: int
    feature_set: str
    values: dict[str, float | None]


class _Answer(Body):
    symbol: str
    status: Status = Field(description="`fallback`: the last value that is known, for the reason in `why`; `unknown`: there is none")
    why: str
    event_time: Moment | None
    age_seconds: float | None


class SignalAnswer(_Answer):
    """The newest signal of a symbol."""

    signal: Signal | None


class FeaturesAnswer(_Answer):
    """The newest features of a symbol."""

    features: FeatureValues | None


class BookAnswer(_Answer):
    """The top of the order book, as the newest feature row has it."""

    book: dict[str, float | None] | None


class SignalAnswers(Body):
    """In the order in which the symbols were asked for."""

    answers: list[SignalAnswer]


class SymbolList(Body):
    """Names, sorted."""

    symbols: list[str]


class Alert(Body):
    """A rule that fired."""

    alert_id: str
    rule_id: str
    symbol: str
    event_time: Moment
    measure: str
    threshold: float
    value: float | None
    signal_id: str


class Alerts(Body):
    """Newest first."""

    status: Status
    why: str
    event_time: Moment | None
    age_seconds: float | None
    alerts: list[Alert]


class News(Body):
    """A news item."""

    news_id: str
    event_time: Moment
    available_time: Moment
    symbols: list[str]
    headline: str
    source: str


class NewsAnswer(Body):
    """Newest first."""

    status: Status
    why: str
    event_time: Moment | None
    age_seconds: float | None
    news: list[News]


class Page(Body):
    """Stored rows, newest first. They appear in the lake with the job's checkpoints."""

    status: Status
    why: str
    event_time: Moment | None = Field(description="of the newest row on the page")
    age_seconds: float | None
    rows: list[dict[str, Any]]
    next: str | None = Field(description="give it as `before` to have the rows before these; null at the end")


class Watchlist(Body):
    """What a watchlist holds."""

    symbols: Symbols


class NamedWatchlist(Watchlist):
    """A watchlist of the caller."""

    name: str


class Watchlists(Body):
    """All of the caller's, by name."""

    watchlists: list[NamedWatchlist]


class RuleWords(Body):
    """When an alert goes out: |measure| reaches the threshold."""

    measure: Literal["predicted_volatility", "price_move", "confidence", "imbalance"]
    threshold: float = Field(gt=0, le=1e12, allow_inf_nan=False)
    rearm_below: float = Field(
        gt=0, le=1e12, allow_inf_nan=False, description="at most the threshold; it may fire again after falling below"
    )
    cool_down_seconds: float = Field(ge=1, le=31_536_000, allow_inf_nan=False)
    symbols: Symbols


class Rule(Body):
    """A rule in force; other people's are not shown."""

    name: str
    rule_id: str
    measure: str
    threshold: float
    rearm_below: float
    cool_down_seconds: float
    symbols: list[str]
    is_own: bool


class Rules(Body):
    """In force at this version of the control log."""

    version: int
    rules: list[Rule]


class Written(Body):
    """Entries of the control log have numbers; what is below is in force from the next frames on."""

    version: int
