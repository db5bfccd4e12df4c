"""Every setting of the stream job: from `flink-conf/<profile>/job.toml`, overridden by `TICKFLOW_…` variables. All problems at once.

A nested setting's variable joins the names with two underscores: `TICKFLOW_KAFKA__BOOTSTRAP_SERVERS`. Addresses that the local services
share have the short names that `infra/tickflow up` prints, such as `TICKFLOW_KAFKA_BOOTSTRAP_SERVERS`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from jobs.kafka_settings import KafkaSettings, Section, Topics
from udfs.errors import InvalidSettings
from udfs.kernels.feature_vector import FEATURE_SET
from udfs.kernels.kernel_settings import KernelSettings, settings_problems
from udfs.kernels.signal_rules import Thresholds

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
PREFIX = "TICKFLOW_"


class OnlineSettings(Section):
    """The online store."""

    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="address of Redis")
    time_to_live_seconds: int = Field(default=86_400, ge=1, description="how long the newest row of a symbol is kept")


class FlinkSettings(Section):
    """How the job runs."""

    rest_url: str = Field(default="http://127.0.0.1:8081", description="REST address of the cluster")
    execution_mode: Literal["thread", "process"] = Field(
        default="thread", description="Python inside the TaskManager, or in a process of its own"
    )
    parallelism: int = Field(default=1, ge=1, description="slots that the job uses")
    max_parallelism: int = Field(default=4096, ge=1, le=32768, description="key groups: fixed for the life of the state")
    checkpoint_interval_milliseconds: int = Field(
        default=10_000, ge=100, description="distance of checkpoints; Iceberg rows appear with them"
    )


class KernelSection(Section):
    """How events are taken. Changing any of them changes results, so they are part of the manifest."""

    out_of_order_milliseconds: int = Field(
        default=2_000, ge=0, le=10_000, description="how far behind the symbol's clock an event is still used"
    )
    maximum_clock_skew_milliseconds: int = Field(default=60_000, ge=0, description="how far event time may be ahead of available time")
    row_interval_milliseconds: int = Field(default=100, ge=1, description="shortest distance of feature rows between bars")
    stale_book_milliseconds: int = Field(
        default=60_000, ge=1, description="age from which the book is not used, and from which nothing is scored"
    )
    flash_crash_hold_milliseconds: int = Field(
        default=300_000, ge=0, description="how long the price must have been calm after a crash before predictions go on"
    )
    crossed_hold_milliseconds: int = Field(default=1_000, ge=0, description="time without crossing that ends a quarantine")
    bar_lengths_seconds: tuple[int, ...] = Field(default=(1, 60, 300, 3600), description="lengths of the bars that are published")
    fractional_order: float = Field(default=0.4, ge=0, le=2, description="order d of the fractionally differenced log price")
    garch_alpha: float = Field(default=0.1, ge=0, le=1, description="weight of the newest squared return in the recursive volatility")
    garch_beta: float = Field(default=0.85, ge=0, le=1, description="weight of its last variance; with `garch_alpha` below 1")
    garch_target_bars: int = Field(default=120, ge=1, description="minute bars over which its long-run variance is averaged")

    def kernel_settings(self) -> KernelSettings:
        """In the kernels' units."""
        return KernelSettings(
            out_of_order_nanoseconds=self.out_of_order_milliseconds * MILLISECOND,
            maximum_clock_skew_nanoseconds=self.maximum_clock_skew_milliseconds * MILLISECOND,
            row_interval_nanoseconds=self.row_interval_milliseconds * MILLISECOND,
            stale_book_nanoseconds=self.stale_book_milliseconds * MILLISECOND,
            crossed_hold_nanoseconds=self.crossed_hold_milliseconds * MILLISECOND,
            flash_crash_hold_nanoseconds=self.flash_crash_hold_milliseconds * MILLISECOND,
            bar_lengths_seconds=self.bar_lengths_seconds,
            fractional_order=self.fractional_order,
            garch_alpha=self.garch_alpha,
            garch_beta=self.garch_beta,
            garch_target_bars=self.garch_target_bars,
        )


class ScoringSection(Section):
    """When a score becomes a signal that may be acted on."""

    minimum_confidence: float = Field(default=0.4, ge=0, le=1, description="calibrated probability below which a signal abstains")
    minimum_valid_share: float = Field(default=0.5, ge=0, le=1, description="share of the model's inputs that must be valid")

    maximum_outside_share: float = Field(
        default=0.1, ge=0, le=1, description="share of the model's inputs that may lie far outside what it was trained on"
    )
    model_expiry_days: float = Field(
        default=30, ge=0, description="age of the newest row that a model was trained on from which it is not believed; 0: never"
    )
    one_sided_minutes: float = Field(
        default=30, ge=0, description="window of the mean of directions; signals all of one direction for three of them stop; 0: never"
    )

    def thresholds(self) -> Thresholds:
        """As the rules take them."""
        return Thresholds(
            self.minimum_confidence,
            self.minimum_valid_share,
            self.maximum_outside_share,
            round(self.model_expiry_days * 86_400 * SECOND),
            round(self.one_sided_minutes * 60 * SECOND),
        )


class FactsSection(Section):
    """What the gateway puts into a symbol's log besides its events. It is in the log, so no part of the manifest."""

    calendar: str = Field(default="", description="calendar of symbols whose instrument names none: `XNYS`, `24/7`, …; empty: no sessions")
    instruments: str = Field(default="", description="CSV or Parquet file of reference data; empty: none")
    corporate_actions: str = Field(default="", description="CSV or Parquet file of splits and dividends; empty: none")
    index_symbol: str = Field(default="", description="symbol whose returns every other is told; empty: none")
    volatility_index_symbol: str = Field(default="", description="symbol of the VIX or its like; empty: none")
    rate_symbol: str = Field(default="", description="symbol of an interest rate; empty: none")
    context_interval_milliseconds: int = Field(default=1_000, ge=1, description="age from which a symbol's context is told anew")


class Settings(Section):
    """All of it."""

    kafka: KafkaSettings = KafkaSettings()
    topics: Topics = Topics()
    online: OnlineSettings = OnlineSettings()
    flink: FlinkSettings = FlinkSettings()
    kernel: KernelSection = KernelSection()
    scoring: ScoringSection = ScoringSection()
    facts: FactsSection = FactsSection()
    universe: tuple[str, ...] = Field(default=(), description="symbols that are accepted; empty accepts all")
    groups: dict[str, tuple[str, ...]] = Field(
        default={}, description="named sets of symbols for `halt` and `resume`, as `name = [symbols]`"
    )
    schema_registry_url: str = Field(default="", description="Confluent-compatible registry; empty uses the pinned ids")

    def without_secrets(self) -> dict[str, Any]:
        """For the runs table, the audit log and command lines: addresses have no login in them, and no other field holds a secret."""
        found: dict[str, Any] = _without_logins(self.model_dump(mode="json"))
        return found

    def manifest_id(self, code_hash: str) -> str:
        """Names what makes results: code, feature set, and the settings that change results. 20 hexadecimal digits."""
        content = {
            "code": code_hash,
            "feature_set": FEATURE_SET,
            "kernel": self.kernel.model_dump(mode="json"),
            "scoring": self.scoring.model_dump(mode="json"),
            "universe": sorted(self.universe),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


_LOGIN = re.compile(r"(?<=://)\S*@|(?<=password=)[^&\s]+")
"""A login before the host, or a password among the parameters."""


def _without_logins(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_logins(found) for name, found in value.items()}
    return _LOGIN.sub("", value) if isinstance(value, str) else value


_SHORT_NAMES = {
    "KAFKA_BOOTSTRAP_SERVERS": ("kafka", "bootstrap_servers"),
    "REDIS_URL": ("online", "redis_url"),
    "FLINK_REST_URL": ("flink", "rest_url"),
    "SCHEMA_REGISTRY_URL": ("schema_registry_url",),
}


def load_settings(file: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a profile's file and the environment. Raises InvalidSettings with every problem."""
    values = _file_values(file) if file else {}
    for path, text in _environment_values(environment):
        _put(values, path, text)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise InvalidSettings("settings:\n" + "\n".join(_problem(detail) for detail in error.errors())) from None
    problems = settings_problems(settings.kernel.kernel_settings())
    if problems:
        raise InvalidSettings("settings:\n" + "\n".join(f"  kernel: {problem}" for problem in problems))
    return settings


def _file_values(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise InvalidSettings(f"settings file {file}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"settings file {file}: {error}") from error


def _environment_values(environment: Mapping[str, str]) -> list[tuple[tuple[str, ...], str]]:
    found = []
    for name, text in sorted(environment.items()):
        bare = name.removeprefix(PREFIX)
        if not name.startswith(PREFIX):
            continue
        path = _SHORT_NAMES.get(bare) or tuple(bare.lower().split("__"))
        if bare in _SHORT_NAMES or (len(path) == 2 and path[0] in Settings.model_fields) or bare in ("UNIVERSE", "GROUPS"):
            found.append((path, text))
    return found


def _put(values: dict[str, Any], path: tuple[str, ...], text: str) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    if path == ("groups",):
        values["groups"] = _groups(text)
        return
    values[path[-1]] = [part for part in text.split(",") if part] if path[-1] in ("universe", "bar_lengths_seconds") else text


def _groups(text: str) -> Any:
    """Groups in a variable are JSON; what is none stays as it is, and is then named with all other problems."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _problem(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    return f"  {where}: {detail['msg']}, found {detail.get('input')!r}"
