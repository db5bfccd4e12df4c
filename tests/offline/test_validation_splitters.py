"""No training outcome touches a tested one, embargoes hold, every path is whole, and a splitter that leaks is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from jobs.training.validation.spans import InvalidSpans, LeakingSplit, Places, Spans, check_no_leak, parts_in_time
from jobs.training.validation.splitters import CombinatorialPurgedKFold, PurgedKFold, SpanSplitter, WalkForward
from tests.support.spans import spans_of_outcomes

EMBARGOES = st.integers(0, 15)


def splitters(spans: Spans, embargo: int) -> list[SpanSplitter]:
    return [
        WalkForward(*spans, n_splits=3, embargo=embargo),
        WalkForward(*spans, n_splits=4, embargo=embargo, train_parts=2),
        PurgedKFold(*spans, n_splits=4, embargo=embargo),
        CombinatorialPurgedKFold(*spans, n_parts=5, n_tested=2, embargo=embargo),
    ]


def pairs_of(splitter: SpanSplitter) -> list[tuple[Places, Places]]:
    try:
        return list(splitter.split(np.zeros(splitter.spans.rows)))
    except InvalidSpans:
        assume(False)
        raise


def overlaps(spans: Spans, some: Places, others: Places) -> bool:
    """Every pair compared."""
    begins_before_end = spans.start[some][:, None] <= spans.end[others][None, :]
    return bool(np.any(begins_before_end & (spans.start[others][None, :] <= spans.end[some][:, None])))


@given(spans_of_outcomes(most=70), EMBARGOES, st.integers(0, 3))
def test_no_training_outcome_touches_a_tested_one(spans: Spans, embargo: int, kind: int) -> None:
    """Law, by the slow comparison of every pair; and none starts within the embargo behind a tested part."""
    splitter = splitters(spans, embargo)[kind]
    for train, test in pairs_of(splitter):
        assert not overlaps(spans, train, test)
        for row in train[spans.start[train] > spans.start[test].min()]:
            before = spans.end[test][spans.start[test] < spans.start[row]]
            assert spans.start[row] > before.max() + embargo
        check_no_leak(spans, train, test, embargo)


@given(spans_of_outcomes(), EMBARGOES)
def test_walking_forward_never_trains_on_what_comes_later(spans: Spans, embargo: int) -> None:
    for train, test in pairs_of(WalkForward(*spans, n_splits=3, embargo=embargo)):
        assert spans.end[train].max() < spans.start[test].min() - embargo


@given(spans_of_outcomes())
def test_folds_test_every_row_once_and_train_on_all_that_is_allowed(spans: Spans) -> None:
    """Law: what is left out of training touches the tested stretch."""
    splitter = PurgedKFold(*spans, n_splits=4)
    tested = np.concatenate([test for _, test in pairs_of(splitter)])
    assert np.sort(tested).tolist() == list(range(spans.rows))
    for train, test in pairs_of(splitter):
        left_out = np.setdiff1d(np.arange(spans.rows), np.concatenate([train, test]))
        first, last = spans.start[test].min(), spans.end[test].max()
        assert all(spans.end[row] >= first and spans.start[row] <= last for row in left_out)


@given(spans_of_outcomes(), st.integers(3, 6), st.data())
def test_every_path_is_whole(spans: Spans, parts: int, data: st.DataObject) -> None:
    """Law: a path tests every row exactly once, by splits that really test it; all splits are used equally."""
    tested = data.draw(st.integers(1, parts - 1))
    splitter = CombinatorialPurgedKFold(*spans, n_parts=parts, n_tested=tested)
    try:
        paths = splitter.paths()
    except InvalidSpans:
        assume(False)
    assert len(paths) == splitter.n_paths
    chosen = splitter.tested_parts()
    assert len(chosen) == splitter.get_n_splits()
    in_time = parts_in_time(spans, parts)
    for path in paths:
        assert np.sort(np.concatenate([rows for _, rows in path])).tolist() == list(range(spans.rows))
        for number, (split, rows) in enumerate(path):
            assert number in chosen[split]
            assert rows.tolist() == in_time[number].rows.tolist()
    used = [split for path in paths for split, _ in path]
    assert sorted(used) == sorted(list(range(len(chosen))) * tested)


class Forgetful(SpanSplitter):
    """Leaves out the purge, as a plain K-fold does."""

    def _pairs(self) -> Iterator[tuple[Places, Places]]:
        for part in parts_in_time(self.spans, self.n_splits):
            yield np.setdiff1d(np.arange(self.spans.rows), part.rows), part.rows


def overlapping() -> Spans:
    start = np.arange(100) * 10
    return Spans(start, start + 25)


@pytest.mark.parametrize("splitter", [Forgetful(*overlapping(), n_splits=4), KFold(4), KFold(4, shuffle=True, random_state=1)])
def test_a_leaking_splitter_is_found(splitter: Any) -> None:
    for train, test in splitter.split(np.zeros(100)):
        with pytest.raises(LeakingSplit, match="training rows know of test outcomes"):
            check_no_leak(overlapping(), train, test)


def test_a_planted_overlap_is_found() -> None:
    """One training row whose outcome reaches into the test part by one nanosecond, and one that sits in the embargo."""
    train, test = next(pair for pair in PurgedKFold(*overlapping(), n_splits=4, embargo=30).split(np.zeros(100)) if pair[1][0] > 0)
    start, end = overlapping()
    check_no_leak(overlapping(), train, test, 30)
    end[train[0]] = start[test].min()
    with pytest.raises(LeakingSplit, match=f"row {train[0]} "):
        check_no_leak(Spans(start, end), train, test)
    with pytest.raises(LeakingSplit):
        check_no_leak(overlapping(), train, test, 60)
    with pytest.raises(LeakingSplit, match="both train and test"):
        check_no_leak(overlapping(), np.append(train, test[0]), test)


@given(spans_of_outcomes(), st.integers(0, 20))
def test_the_check_agrees_with_the_slow_comparison_of_every_pair(spans: Spans, seed: int) -> None:
    generator = np.random.default_rng(seed)
    test = np.flatnonzero(generator.random(spans.rows) < 0.1)
    train = np.setdiff1d(np.flatnonzero(generator.random(spans.rows) < 0.1), test)
    assume(test.size and train.size)
    leaks = overlaps(spans, train, test)
    try:
        check_no_leak(spans, train, test)
    except LeakingSplit:
        assert leaks
    else:
        assert not leaks


def test_scikit_learn_takes_them() -> None:
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(100, 2))
    target = inputs[:, 0] + generator.normal(size=100)
    for splitter in splitters(overlapping(), 10):
        scores = cross_val_score(Ridge(), inputs, target, cv=splitter)
        assert scores.shape == (splitter.get_n_splits(),)
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=PurgedKFold(*overlapping())).fit(inputs, target)
    assert search.best_params_["alpha"] in (0.1, 1.0)


def test_a_leak_shows_in_the_score_and_the_purge_takes_it_away() -> None:
    """A target that overlapping outcomes share and nothing predicts: neighbours in a shuffled fold know it, purged folds do not."""
    from sklearn.neighbors import KNeighborsRegressor

    generator = np.random.default_rng(11)
    shocks = generator.normal(size=425)
    target = np.convolve(shocks, np.ones(25), "valid")[:400]
    start = np.arange(400)
    moments = start[:, None].astype(np.float64)
    model = KNeighborsRegressor(3)
    leaking = cross_val_score(model, moments, target, cv=KFold(5, shuffle=True, random_state=0)).mean()
    honest = cross_val_score(model, moments, target, cv=PurgedKFold(start, start + 25, embargo=25)).mean()
    assert leaking > 0.7
    assert honest < 0.1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PurgedKFold(np.arange(5), np.arange(4)), "expected one of each"),
        (lambda: PurgedKFold(np.arange(5), np.arange(5) - 1), "end before they start"),
        (lambda: PurgedKFold(np.arange(5), np.arange(5), n_splits=1), "at least 2 splits"),
        (lambda: CombinatorialPurgedKFold(np.arange(9), np.arange(9), n_parts=3, n_tested=3), "1 to 2 of 3"),
        (lambda: list(PurgedKFold(np.arange(5), np.arange(5)).split(np.zeros(6))), "6 rows, but spans of 5"),
        (lambda: list(PurgedKFold(np.zeros(5, np.int64), np.zeros(5, np.int64)).split(np.zeros(5))), "1 moments cannot be cut"),
        (lambda: list(PurgedKFold(np.arange(9), np.full(9, 99), n_splits=3).split(np.zeros(9))), "no row to train on"),
    ],
)
def test_what_cannot_be_split_is_refused(make: Any, says: str) -> None:
    with pytest.raises(InvalidSpans, match=says):
        make()


def test_a_constant_guess_scores_alike_on_all_paths_of_a_constant_target() -> None:
    """The rows of a path stand together as one test series, as they are meant to be used."""
    splitter = CombinatorialPurgedKFold(*overlapping(), n_parts=4, n_tested=2)
    inputs, target = np.zeros((100, 1)), np.ones(100)
    said = [DummyRegressor().fit(inputs[train], target[train]).predict(inputs) for train, _ in splitter.split(inputs)]
    for path in splitter.paths():
        series = np.empty(100)
        for split, rows in path:
            series[rows] = said[split][rows]
        assert series.tolist() == target.tolist()
