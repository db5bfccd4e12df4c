"""Which of two models finds the symbols that are about to move: their rankings are interleaved, and each is credited with its own picks.

Team-draft interleaving (Radlinski, Kurup, Joachims 2008): at each moment both rank all symbols by how likely they are to move; by turns
each picks the best that is left, a fair coin deciding who begins, and the one whose picks moved more often wins the moment. What both see
alike falls to either by the coin, so a model wins only by what it sees otherwise. The coin is the moment's own hash: a second look tosses
it the same. Moments are APART horizons from each other, so all of one is known before the next begins, and the bet on who wins is as fair
as that of `evidence`, however often one looks. It says nothing of how sure a model may be: it is shown beside the evidence, and decides
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.shadow.evidence import NO_OUTCOME, Pairs, capital

NEUTRAL: Final = 1
APART: Final = 3
MOST_PICKS: Final = 5
"""Of each model at a moment; no more than half of the symbols."""
Places = npt.NDArray[np.intp]


class Interleaved(NamedTuple):
    """What the moments say."""

    moments: int
    """With at least two symbols whose outcome is known."""
    won: int
    """By the challenger."""
    lost: int
    better: float
    """Largest capital of a bet on the challenger in each moment that somebody won."""


def interleaved(pairs: Pairs, horizon: int) -> Interleaved:
    """Every third stretch of `horizon` nanoseconds is a moment, with the first row of each symbol in it."""
    gains = np.array([_gain(pairs, rows, moment) for moment, rows in _moments(pairs, horizon)], np.int64)
    won, lost = int((gains > 0).sum()), int((gains < 0).sum())
    return Interleaved(gains.size, won, lost, capital(np.sign(gains[gains != 0]).astype(np.float64)))


def _moments(pairs: Pairs, horizon: int) -> Iterator[tuple[int, Places]]:
    rows = np.flatnonzero((pairs.happened != NO_OUTCOME) & (pairs.start // horizon % APART == 0))
    order = rows[np.lexsort((pairs.start[rows], pairs.symbol[rows], pairs.start[rows] // horizon))]
    keys = np.column_stack([pairs.start[order] // horizon, pairs.symbol[order]])
    first = order[np.flatnonzero(np.any(np.diff(keys, axis=0, prepend=keys[:1] - 1) != 0, axis=1))]
    moment = pairs.start[first] // horizon
    for found in np.split(first, np.flatnonzero(np.diff(moment)) + 1):
        if found.size >= 2:
            yield int(pairs.start[found[0]] // horizon), found


def _gain(pairs: Pairs, rows: Places, moment: int) -> int:
    """How many more of the challenger's picks moved than of the champion's."""
    begins = hashlib.sha256(str(moment).encode()).digest()[0] % 2
    picks = drafted((pairs.champion[rows, NEUTRAL], pairs.challenger[rows, NEUTRAL]), begins, min(MOST_PICKS, rows.size // 2))
    champion, challenger = (int((pairs.happened[rows[picked]] != NEUTRAL).sum()) for picked in picks)
    return challenger - champion


def drafted(stays: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], begins: int, most: int) -> tuple[list[int], list[int]]:
    """Places that each of two picks by turns, `begins` first, of what it thinks least likely to stay where it is."""
    rankings = [np.argsort(found, kind="stable").tolist() for found in stays]
    taken: set[int] = set()
    picks: tuple[list[int], list[int]] = ([], [])
    for turn in range(2 * most):
        side = (begins + turn) % 2
        place = next(place for place in rankings[side] if place not in taken)
        taken.add(place)
        picks[side].append(place)
    return picks
