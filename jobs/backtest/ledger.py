"""Every trial that was ever made on the lake, so that the best of many is not taken for skill. The same trial again counts once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pyiceberg.catalog import Catalog

from jobs.lake.reading import read_rows
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows

_SAME = ("grid_seconds", "symbols")


class Trial(NamedTuple):
    """One way of trading one set of data, and what it gave."""

    verb: str
    subject: str
    """What was tried: versions of models."""
    settings: Mapping[str, Any]
    """Everything that decides the result, as JSON values."""
    periods: int
    sharpe: float
    """Of one period, after costs."""

    @property
    def trial_id(self) -> str:
        """Names the trial by what decides it. 20 hexadecimal digits."""
        content = json.dumps([self.verb, self.subject, dict(self.settings)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:20]


def note(catalog: Catalog, trial: Trial) -> None:
    """Append a trial."""
    row = {
        "trial_id": trial.trial_id,
        "made_at": datetime.now(UTC),
        "verb": trial.verb,
        "subject": trial.subject,
        "settings": json.dumps(dict(trial.settings), sort_keys=True),
        "periods": trial.periods,
        "sharpe": trial.sharpe,
    }
    append_rows(catalog, NAMESPACE, "trials", [row])


def sharpes(catalog: Catalog, settings: Mapping[str, Any]) -> dict[str, float]:
    """Trial -> its Sharpe, of all trials of the same symbols and distance of valuations whose `range` overlaps that of these settings.

    The newest where one was made twice.
    """
    rows = [row for batch in read_rows(catalog, NAMESPACE, "trials") for row in batch.to_pylist()]
    rows.sort(key=lambda row: row["made_at"])
    return {row["trial_id"]: row["sharpe"] for row in rows if _comparable(json.loads(row["settings"]), settings)}


def _comparable(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether they chose among the same: as a range that grows overlaps what it was, more data alone does not begin the count anew."""
    first, last = one.get("range", (0, -1))
    return all(one.get(name) == other[name] for name in _SAME) and first <= other["range"][1] and other["range"][0] <= last
