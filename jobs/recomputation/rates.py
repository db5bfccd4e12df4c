"""Served rows against recomputed ones, feature by feature: how many values differ, are missing, or are there that should not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
_Key = npt.NDArray[np.void]
_KEY_TYPE = np.dtype([("number", np.int64), ("time", np.int64)])


class RowSet(NamedTuple):
    """Rows of one symbol, each once."""

    number: npt.NDArray[np.int64]
    """(rows,) event number."""
    time: npt.NDArray[np.int64]
    """(rows,) event time: with the number it names a row, also where numbering began again."""
    values: npt.NDArray[np.float32]
    """(rows, columns) NaN where not valid."""

    def keys(self) -> _Key:
        """(rows,) what names each row."""
        keys = np.empty(self.number.shape[0], _KEY_TYPE)
        keys["number"], keys["time"] = self.number, self.time
        return keys


@dataclass
class Rates:
    """Counts by column, over all rows that were compared."""

    served: Counts
    """Valid values among the served rows."""
    recomputed: Counts
    mismatched: Counts
    """Valid in both, with other bits."""
    missing: Counts
    """Valid when recomputed, and not served."""
    extra: Counts
    """Served as valid, and not when recomputed."""
    rows_served: int = 0
    rows_recomputed: int = 0
    rows_missing: int = 0
    rows_extra: int = 0

    @staticmethod
    def none(columns: int) -> Rates:
        """Nothing compared yet."""
        served, recomputed, mismatched, missing, extra = np.zeros((5, columns), np.int64)
        return Rates(served, recomputed, mismatched, missing, extra)

    @property
    def consistent(self) -> bool:
        """Whether everything that was recomputed was served, bit for bit, and nothing else."""
        wrong = int(self.mismatched.sum() + self.missing.sum() + self.extra.sum())
        return not (wrong or self.rows_missing or self.rows_extra)

    def add(self, served: RowSet, recomputed: RowSet) -> None:
        """Compare the rows of one symbol."""
        _, ours, theirs = np.intersect1d(served.keys(), recomputed.keys(), assume_unique=True, return_indices=True)
        self.rows_served += served.number.shape[0]
        self.rows_recomputed += recomputed.number.shape[0]
        self.rows_missing += recomputed.number.shape[0] - theirs.shape[0]
        self.rows_extra += served.number.shape[0] - ours.shape[0]
        served_valid, recomputed_valid = ~np.isnan(served.values), ~np.isnan(recomputed.values)
        both = served_valid[ours] & recomputed_valid[theirs]
        differs = served.values[ours].view(np.uint32) != recomputed.values[theirs].view(np.uint32)
        shared = both.sum(axis=0)
        self.served += served_valid.sum(axis=0)
        self.recomputed += recomputed_valid.sum(axis=0)
        self.mismatched += (both & differs).sum(axis=0)
        self.missing += recomputed_valid.sum(axis=0) - shared
        self.extra += served_valid.sum(axis=0) - shared

    def shares(self, counts: Counts) -> npt.NDArray[np.float64]:
        """(columns,) counts as shares of all values that were served or should have been; 0 where there was none."""
        whole = self.served + self.missing
        return np.divide(counts, whole, out=np.zeros(counts.shape[0]), where=whole > 0)
