"""What the paths of operation hold: models, the control log, halts, freshness, counters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from jobs.serving.api.schemas import MOST_SYMBOLS, Body, Moment, Reason, Status, Symbol


class Model(Body):
    """A model that was released."""

    version: int = Field(description="of the control log")
    kind: Literal["model", "news_model"]
    event_time: Moment
    author: str
    reason: str
    model_version: str
    sha256: str
    in_force: bool


class Models(Body):
    """Newest first."""

    status: Status
    why: str
    models: list[Model]


class ControlEntry(Body):
    """One entry of the control log."""

    version: int
    kind: str
    event_time: Moment
    author: str
    reason: str
    what: dict[str, Any]


class Control(Body):
    """What is in force, and the last entries, newest first. Rules of other users are left out."""

    status: Status
    why: str
    version: int
    everything: str = Field(description="active, reducing or halted")
    symbols: dict[str, str] = Field(description="symbols for which something else holds")
    entries: list[ControlEntry]


class Switch(Body):
    """Symbols to halt or resume: some, or all."""

    symbols: Annotated[list[Symbol], Field(default_factory=list, max_length=MOST_SYMBOLS)]
    all: bool = False
    reduce_only: bool = False
    reason: Reason


class Alive(Body):
    """This program runs."""

    status: Literal["ok"]


class Part(Body):
    """One of the things that this program leans on."""

    status: Literal["ok", "away"]
    why: str


class Freshness(Body):
    """How far answers can be trusted now."""

    status: Literal["live", "fallback"]
    why: str
    event_time: Moment | None
    age_seconds: float | None
    now: Moment
    symbols: int
    records: int = Field(description="read from the topics since this program began")
    malformed: int
    subscribers: int
    parts: dict[str, Part]


class Operations(Body):
    """What the job has counted since it started; null while Flink does not answer."""

    status: Literal["live", "fallback"]
    why: str
    job: str | None
    state: str | None
    uptime_seconds: float | None
    counters: dict[str, int] | None
