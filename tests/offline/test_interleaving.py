"""Interleaved rankings: fair between equals, won by the one that sees what moves, and the same at a second look."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.shadow.evidence import NO_OUTCOME, Pairs
from jobs.shadow.interleaving import Interleaved, drafted, interleaved
from tests.offline.test_shadow_evidence import HORIZON, market

RANKINGS = st.integers(2, 12).flatmap(lambda size: st.tuples(st.permutations(range(size)), st.permutations(range(size))))


@given(RANKINGS, st.integers(0, 1))
def test_by_turns_each_picks_the_best_that_is_left(rankings: tuple[list[int], list[int]], begins: int) -> None:
    most = len(rankings[0]) // 2
    stays = np.argsort(rankings[0]).astype(float), np.argsort(rankings[1]).astype(float)
    picks = drafted(stays, begins, most)
    taken: set[int] = set()
    for turn in range(2 * most):
        side = (begins + turn) % 2
        place = picks[side][turn // 2]
        assert place == next(one for one in rankings[side] if one not in taken)
        taken.add(place)
    assert [len(one) for one in picks] == [most, most]


def test_who_sees_what_moves_wins() -> None:
    found = interleaved(market(3, 600, 2.0, 0.05), HORIZON)
    assert found.won > 1.3 * found.lost
    assert found.better > 20
    assert interleaved(market(3, 600, 0.05, 2.0), HORIZON).better < 5


def test_equals_hardly_ever_win() -> None:
    found = [interleaved(market(seed, 60, 0.4, 0.4), HORIZON).better for seed in range(60)]
    assert sum(capital >= 20 for capital in found) <= 3


def test_a_second_look_sees_the_same_in_any_order() -> None:
    pairs = market(5, 30, 0.6, 0.1)
    shuffled = pairs.take(np.random.default_rng(1).permutation(pairs.start.size))
    assert interleaved(pairs, HORIZON) == interleaved(shuffled, HORIZON)


@pytest.mark.parametrize("symbols", [0, 1])
def test_where_there_is_nothing_to_rank_nobody_wins(symbols: int) -> None:
    pairs = market(5, 10, 0.6, 0.1)
    few: Pairs = pairs.take(pairs.symbol < symbols)
    assert interleaved(few, HORIZON) == Interleaved(0, 0, 0, 1.0)
    assert interleaved(pairs._replace(happened=np.full(pairs.start.size, NO_OUTCOME)), HORIZON).moments == 0
