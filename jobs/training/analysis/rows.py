"""Whether rows are what they claim: each once, of one symbol, with features that are there and say something."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.training.analysis.findings import Findings
from jobs.training.dataset import feature_values

COLUMNS = (
    *("symbol", "event_time_ns", "available_time_ns", "event_number", "feature_values", "feature_valid", "price"),
    *("topic", "kafka_partition"),
)
FLIP = 0.1
"""Log price change that counts as a leap, when the next row takes it back."""
MIXED_SHARE = 0.02
"""Share of rows with such leaps from which two instruments must be in one."""
_SHOWN = 8


class RowCheck:
    """Rows of one table, taken a piece at a time; all rows of one symbol and moment are in one piece."""

    def __init__(self, feature_names: tuple[str, ...]) -> None:
        self._names = feature_names
        self._valid = np.zeros(len(feature_names), np.int64)
        self._low = np.full(len(feature_names), np.inf)
        self._high = np.full(len(feature_names), -np.inf)
        self._repeated = self._conflicting = self._rows = 0
        self._leaps: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()
        self._partitions: dict[str, set[tuple[str, int]]] = {}

    def add(self, piece: pa.Table) -> None:
        """Take a piece: a table of COLUMNS."""
        if not piece.num_rows:
            return
        batch = piece.combine_chunks().to_batches()[0]
        values = feature_values(batch, len(self._names))
        self._add_features(values)
        self._add_partitions(batch)
        symbols = batch.column("symbol").to_numpy(zero_copy_only=False).astype(str)
        time, available, number = (batch.column(name).to_numpy() for name in ("event_time_ns", "available_time_ns", "event_number"))
        price = batch.column("price").to_numpy(zero_copy_only=False).astype(np.float64)
        content = np.column_stack([available, price.view(np.int64), values.view(np.int32)])
        for symbol in np.unique(symbols).tolist():
            rows = np.flatnonzero(symbols == symbol)
            rows = rows[np.lexsort((number[rows], time[rows]))]
            first = self._count_repeated(rows, time, number, content)
            self._count_leaps(symbol, price[rows[first]])
        self._rows += batch.num_rows

    def _add_features(self, values: npt.NDArray[np.float32]) -> None:
        there = ~np.isnan(values)
        self._valid += there.sum(axis=0)
        self._low = np.minimum(self._low, np.where(there, values, np.inf).min(axis=0))
        self._high = np.maximum(self._high, np.where(there, values, -np.inf).max(axis=0))

    def _add_partitions(self, batch: pa.RecordBatch) -> None:
        places = pa.Table.from_batches([batch.select(["symbol", "topic", "kafka_partition"])])
        for row in places.group_by(["symbol", "topic", "kafka_partition"]).aggregate([]).to_pylist():
            self._partitions.setdefault(row["symbol"], set()).add((row["topic"], row["kafka_partition"]))

    def _count_repeated(
        self, rows: npt.NDArray[np.intp], time: npt.NDArray[np.int64], number: npt.NDArray[np.int64], content: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """(rows,) which are the first of their identity; those that say something else than the one before it are conflicts."""
        again = (np.diff(time[rows]) == 0) & (np.diff(number[rows]) == 0)
        differs = np.any(content[rows[1:]] != content[rows[:-1]], axis=1)
        self._repeated += int(again.sum())
        self._conflicting += int((again & differs).sum())
        return np.concatenate([[True], ~again])

    def _count_leaps(self, symbol: str, price: npt.NDArray[np.float64]) -> None:
        change = np.diff(np.log(price[price > 0]))
        leaps = (np.abs(change[:-1]) > FLIP) & (np.abs(change[1:] + change[:-1]) < np.abs(change[:-1]) / 2)
        self._leaps[symbol] += int(leaps.sum())
        self._counted[symbol] += price.shape[0]

    def report(self, findings: Findings) -> None:
        """Say what was found."""
        alike, differ = self._repeated - self._conflicting, self._conflicting
        findings.figures |= {"repeated_rows": self._repeated, "conflicting_rows": differ}
        findings.remark_if(alike > 0, f"{alike} rows are there twice, alike; each counts once")
        findings.problem_if(differ > 0, f"{differ} rows are there twice and differ: two runs wrote them; train on the rows of one")
        for symbol, leaps in sorted(self._leaps.items()):
            mixed = leaps > MIXED_SHARE * self._counted[symbol] and leaps > 2
            words = f"{symbol}: the price leaps to and fro in {leaps} of {self._counted[symbol]} rows: two symbols' rows are mixed"
            findings.problem_if(mixed, words)
        for symbol, places in sorted(self._partitions.items()):
            partitions = sorted(partition for _, partition in places)
            several = len(places) > len({topic for topic, _ in places})
            findings.remark_if(several, f"{symbol}: rows come from partitions {partitions}; a symbol's order is that of one")
        self._report_features(findings)

    def _report_features(self, findings: Findings) -> None:
        share = self._valid / max(1, self._rows)
        missing = [name for name, count in zip(self._names, self._valid, strict=True) if count == 0]
        constant = [name for name, same in zip(self._names, (self._valid > 1) & (self._low == self._high), strict=True) if same]
        findings.figures |= {"missing_features": missing, "constant_features": constant}
        findings.figures["valid_share"] = dict(zip(self._names, share.tolist(), strict=True))
        findings.remark_if(bool(missing), f"{len(missing)} features have no value in any row: {_listed(missing)}")
        findings.remark_if(bool(constant), f"{len(constant)} features have one and the same value in every row: {_listed(constant)}")
        findings.problem_if(self._rows > 0 and not self._valid.any(), "no feature has a value in any row: nothing ever warmed up")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
