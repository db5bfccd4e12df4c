"""Whether times are times: in nanoseconds, all of one unit, there, and available when they say."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.training.analysis.findings import Findings

Times = npt.NDArray[np.int64]
_YEAR = 365.2425 * 86_400
_EARLIEST, _LATEST = 20 * _YEAR, 130 * _YEAR
"""Seconds since 1970 between which a market time lies: 1990 to 2100."""
UNITS: Final = {"nanoseconds": 10**9, "microseconds": 10**6, "milliseconds": 10**3, "seconds": 1}
"""Unit -> how many make a second. The ranges of the units do not overlap."""
MISSING, ABSURD = "missing", "no time at all"
LARGEST_SKEW = 3600 * 10**9
"""Nanoseconds that receiver and venue may disagree by."""
_EDGES = np.array([-(10**k) for k in range(12, 5, -1)] + [0] + [10**k for k in range(6, 13)] + [10**14])
"""Nanoseconds: edges of the histogram of skew, 1 ms to 1000 s on both sides, and a day."""


def units_of(times: Times) -> Counter[str]:
    """How many times are in which unit, told by their size; 0 and below are missing."""
    found = Counter({MISSING: int((times <= 0).sum())})
    for unit, per_second in UNITS.items():
        found[unit] = int(((times >= _EARLIEST * per_second) & (times < _LATEST * per_second)).sum())
    found[ABSURD] = int(times.shape[0] - found.total())
    return found


class TimeCheck:
    """One table's times, taken batch by batch."""

    def __init__(self, table: str, columns: tuple[str, str] = ("event_time_ns", "available_time_ns")) -> None:
        self.table, self._columns = table, columns
        self._units: dict[str, Counter[str]] = {name: Counter() for name in columns}
        self._skew = np.zeros(_EDGES.shape[0] + 1, np.int64)
        self._extremes = [np.iinfo(np.int64).max, np.iinfo(np.int64).min]
        self._disagree = 0
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch with the two columns, and `event_time` where the table has it."""
        event, available = (self._count(batch, name) for name in self._columns)
        usable = (event > 0) & (available > 0)
        skew = available[usable] - event[usable]
        self._rows += batch.num_rows
        if skew.size:
            self._skew += np.bincount(np.searchsorted(_EDGES, skew, "right"), minlength=self._skew.shape[0])
            self._extremes = [min(self._extremes[0], int(skew.min())), max(self._extremes[1], int(skew.max()))]
        if "event_time" in batch.schema.names:
            stored = batch.column("event_time").cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
            self._disagree += int((np.abs(stored - event // 1000) > 1000).sum())

    def _count(self, batch: pa.RecordBatch, name: str) -> Times:
        times = np.asarray(batch.column(name).fill_null(0).to_numpy(zero_copy_only=False), np.int64)
        self._units[name].update(units_of(times))
        return times

    def report(self, findings: Findings) -> None:
        """Say what was found."""
        for name, units in self._units.items():
            self._report_units(findings, name, units)
        words = f"{self.table}: event_time and event_time_ns tell of different moments in {self._disagree} rows"
        findings.problem_if(self._disagree > 0, words)
        if self._skew.sum():
            self._report_skew(findings)

    def _report_units(self, findings: Findings, name: str, units: Counter[str]) -> None:
        rows = f"of {self._rows} rows"
        findings.problem_if(units[MISSING] > 0, f"{self.table}: {name} is missing, zero or before 1970 in {units[MISSING]} {rows}")
        findings.problem_if(units[ABSURD] > 0, f"{self.table}: {name} lies in no unit between 1990 and 2100 in {units[ABSURD]} {rows}")
        wrong = {unit: count for unit, count in units.items() if count and unit in UNITS and unit != "nanoseconds"}
        said = ", ".join(f"{unit} in {count}" for unit, count in wrong.items())
        findings.problem_if(bool(wrong), f"{self.table}: {name} is to be in nanoseconds, and is in {said} {rows}")

    def _report_skew(self, findings: Findings) -> None:
        early, late = self._extremes
        figures = {"least": early / 1e9, "median_at_most": self._quantile(0.5), "p99_at_most": self._quantile(0.99), "most": late / 1e9}
        findings.figures.setdefault("available_after_event_seconds", {})[self.table] = figures
        before = int(self._skew[: int(np.searchsorted(_EDGES, 0)) + 1].sum())
        share = before / int(self._skew.sum())
        words = (
            f"{self.table}: {before} rows ({share:.1%}) were available before their event, by up to {-early / 1e9:.3f} s: a clock is behind"
        )
        findings.remark_if(before > 0, words)
        findings.problem_if(early < -LARGEST_SKEW, f"{self.table}: a row was available {-early / 1e9:.0f} s before it happened")

    def _quantile(self, share: float) -> float:
        """Seconds: the edge that at most this share lies above."""
        reached = int(np.searchsorted(np.cumsum(self._skew), share * self._skew.sum()))
        return float(min(_EDGES[reached], self._extremes[1]) if reached < _EDGES.shape[0] else self._extremes[1]) / 1e9
