"""How many rows there are for each day and symbol, and which days a symbol is missing on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pyarrow as pa

from jobs.training.analysis.findings import Findings

DAY = 86_400 * 10**9
_SHOWN = 5


class Coverage:
    """Rows by day and symbol."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[int, str]] = Counter()
        self._feature_sets: Counter[str] = Counter()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of `symbol`, `event_time_ns`, `feature_set`."""
        day = pa.array(batch.column("event_time_ns").to_numpy() // DAY)
        found = pa.table({"day": day, "symbol": batch.column("symbol"), "set": batch.column("feature_set")})
        for row in found.group_by(["day", "symbol", "set"]).aggregate([([], "count_all")]).to_pylist():
            self._rows[row["day"], row["symbol"]] += row["count_all"]
            self._feature_sets[row["set"]] += row["count_all"]

    def report(self, findings: Findings, expected: str = "") -> None:
        """Say what was found; `expected` is the only feature set that can be used."""
        days, symbols = sorted({day for day, _ in self._rows}), sorted({symbol for _, symbol in self._rows})
        findings.figures |= {"rows": self._rows.total(), "symbols": len(symbols), "days": len(days)}
        by_day = {_name(day): {symbol: self._rows[day, symbol] for symbol in symbols if self._rows[day, symbol]} for day in days}
        findings.figures["coverage"] = by_day
        absent = [f"{symbol} on {_name(day)}" for day in days for symbol in symbols if not self._rows[day, symbol]]
        findings.remark_if(bool(absent), f"no rows of {', '.join(absent[:_SHOWN])}{_more(len(absent))}")
        sets = self._feature_sets
        words = "no feature rows in the chosen range; run `infra/tickflow demo` or `live` with a lake first, or widen it"
        findings.problem_if(not self._rows, words)
        findings.problem_if(len(sets) > 1, f"rows of {len(sets)} feature sets ({', '.join(sorted(sets))}); choose a range with one")
        words = f"the stored rows have feature set {', '.join(sets)}, this code computes {expected}; replay the range first"
        findings.problem_if(bool(expected) and len(sets) == 1 and expected not in sets, words)


def _name(day: int) -> str:
    """The day's date; its number where it is no date at all."""
    try:
        return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return f"day {day}"


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
