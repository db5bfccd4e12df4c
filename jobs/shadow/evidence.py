"""Evidence for or against a challenger, at which one may look as often as one likes and stop when one likes.

A bet against "at no row can the challenger be expected to be better than the champion": a capital of 1 that each stretch of time multiplies
by 1 + stake * gain. If that sentence is true, the capital is a non-negative supermartingale, whatever rows and stretches depend on, and it
ever reaches 20 in at most one of 20 worlds (Ville 1939; Ramdas, Grünwald, Vovk, Shafer 2023, "Game-theoretic statistics and safe
anytime-valid inference"). The gain of a row is how much more of the log-probability of what happened the challenger gave (Henzi and Ziegel
2022, "Valid sequential inference on probability forecast performance").

What keeps the capital at or above 0, and the bet fair:

- Of one row the challenger can lose no more than the largest log ratio of the two forecasts, which is known before the outcome. Gains are
  divided by it, or by the median of it in earlier stretches where it is smaller, so that near agreements do not count as much.
- Outcomes overlap. A stretch is four horizons long and holds rows whose outcome ends in it, so nothing of it is known before it begins.
- Rows of a moment tell the same story. Each horizon counts the first row of each symbol, and only symbols that were there before, so the
  sum of a stretch is divided by a number that is known when it begins. A row without an outcome gains nothing.

The same bet the other way round is the evidence that the champion is better.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

STRETCH_HORIZONS: Final = 4
CELLS: Final = STRETCH_HORIZONS - 1
"""Horizons of a stretch in which a row may begin whose outcome ends in the stretch."""
STAKES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Shares of the capital that are bet, each with an equal part of it: how large the gain will be is not known."""
NO_OUTCOME: Final = -1
_SMALLEST: Final = 1e-6
"""No forecast counts as surer than that something does not happen."""
Column = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """Rows that both scored, in any order."""

    symbol: Codes
    """(rows,) number of the symbol."""
    start: Codes
    """(rows,) event time, nanoseconds."""
    champion: Column
    """(rows, 3) probabilities."""
    challenger: Column
    happened: Codes
    """(rows,) class, NO_OUTCOME where it is not known."""

    def take(self, chosen: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Pairs:
        """Some of the rows."""
        return Pairs(*(column[chosen] for column in self))  # type: ignore[arg-type]


class Evidence(NamedTuple):
    """What the rows say so far."""

    rows: int
    """With an outcome."""
    stretches: int
    """That were bet on."""
    mean_gain: float
    """By how much the challenger's log-loss is lower, over all rows with an outcome; 0 without any."""
    better: float
    """Largest capital so far of the bet that the challenger is better."""
    worse: float
    """The same that the champion is."""


def evidence_of(pairs: Pairs, horizon: int, tolerance: int) -> Evidence:
    """Both bets on all stretches that are over; times in nanoseconds, `tolerance` how much later than `horizon` an outcome may come."""
    ratio = log_ratio(pairs)
    known = pairs.happened != NO_OUTCOME
    gains = ratio[np.flatnonzero(known), pairs.happened[known]]
    stretches = list(stretches_of(pairs, horizon, tolerance))
    return Evidence(
        rows=int(known.sum()),
        stretches=max(0, len(stretches) - 1),
        mean_gain=float(gains.mean()) if gains.size else 0.0,
        better=capital(stretch_gains(pairs, ratio, stretches)),
        worse=capital(stretch_gains(pairs, -ratio, stretches)),
    )


def log_ratio(pairs: Pairs) -> Column:
    """(rows, 3) log of the challenger's probabilities over the champion's."""
    one, other = (np.maximum(forecast, _SMALLEST) for forecast in (pairs.champion, pairs.challenger))
    return np.asarray(np.log(other) - np.log(one), np.float64)


def stretches_of(pairs: Pairs, horizon: int, tolerance: int) -> list[npt.NDArray[np.intp]]:
    """Places of the rows that count, by stretch, of stretches that are over by the newest row."""
    if not pairs.start.size:
        return []
    length = STRETCH_HORIZONS * horizon
    stretch, within = np.divmod(pairs.start, length)
    counts = (within + horizon + tolerance <= length) & ((stretch + 1) * length <= pairs.start.max())
    rows = np.flatnonzero(counts)
    order = rows[np.lexsort((pairs.start[rows], pairs.symbol[rows], within[rows] // horizon, stretch[rows]))]
    keys = np.column_stack([stretch[order], within[order] // horizon, pairs.symbol[order]])
    first = order[np.flatnonzero(np.any(np.diff(keys, axis=0, prepend=keys[:1] - 1) != 0, axis=1))]
    edges = np.flatnonzero(np.diff(stretch[first])) + 1
    return np.split(first, edges) if first.size else []


def stretch_gains(pairs: Pairs, ratio: Column, stretches: list[npt.NDArray[np.intp]]) -> Column:
    """(stretches - 1,) what the side that `ratio` speaks for gained, at least -1; the first stretch only teaches."""
    gain = np.where(pairs.happened == NO_OUTCOME, 0.0, ratio[np.arange(ratio.shape[0]), np.maximum(pairs.happened, 0)])
    loses_at_most = np.maximum(-ratio.min(axis=1, initial=0.0), 0.0)
    seen, bounds, found = np.zeros(int(pairs.symbol.max(initial=-1)) + 1, np.bool_), np.zeros(0), []
    for rows in stretches:
        if bounds.size:
            counted = rows[seen[pairs.symbol[rows]]]
            unit = np.maximum(loses_at_most[counted], float(np.median(bounds)))
            share = np.divide(gain[counted], unit, out=np.zeros(counted.shape[0]), where=unit > 0)
            found.append(float(share.sum()) / (CELLS * int(seen.sum())))
        seen[pairs.symbol[rows]] = True
        bounds = np.concatenate([bounds, loses_at_most[rows]])
    return np.array(found)


def capital(gains: Column) -> float:
    """The largest capital on the way; 1 at the beginning."""
    if not gains.size:
        return 1.0
    by_stake = np.cumsum(np.log1p(np.outer(np.maximum(gains, -1.0), STAKES)), axis=0)
    return max(1.0, float(np.exp(by_stake).mean(axis=1).max()))
