"""Statistics against known answers; a market that signals know is told from one that they do not; every trial is counted."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.backtest import main
from jobs.backtest.ledger import Trial
from jobs.backtest.performance import (
    bootstrap_interval,
    deflated_sharpe,
    expected_best,
    maximum_drawdown,
    performance,
    probabilistic_sharpe,
    sharpe,
    sortino,
)
from jobs.backtest.run import _add_symbol, _empty_book, backtest
from jobs.backtest.settings import BacktestSettings
from jobs.backtest.signal_quality import judge, signal_quality
from jobs.backtest.stored_signals import SignalRead
from jobs.backtest.trading import trade, wanted_positions
from jobs.lake.reading import EVERYTHING, Selection, read_rows
from jobs.lake.tables import NAMESPACE
from jobs.training.dataset import NotEnoughData
from tests.support.kernel_events import MIDNIGHT, SECOND
from tests.support.markets import market_lake, signals_of, tape_of

SETTINGS = BacktestSettings(fee_basis_points=0.01, impact=0.1, maximum_turnover=1e4)


def test_measures_of_a_series() -> None:
    gains = np.array([1.0, -2.0, 3.0, -1.0, 4.0])
    assert sharpe(gains) == pytest.approx(1.0 / np.std([1, -2, 3, -1, 4], ddof=1))
    assert sortino(gains) == pytest.approx(1.0 / 1.0)
    assert maximum_drawdown(gains) == 2.0
    assert maximum_drawdown(-np.ones(3)) == 3.0
    assert (sharpe(np.ones(5)), sortino(np.ones(5)), probabilistic_sharpe(np.ones(5))) == (0.0, 0.0, None)


def test_the_probabilistic_sharpe_is_a_probability_that_holds() -> None:
    """Law: without any edge it is spread evenly; a series with one is above it almost surely."""
    generator = np.random.default_rng(1)
    found = [probabilistic_sharpe(generator.standard_t(5, 400)) for _ in range(600)]
    shares = np.histogram(np.array(found, np.float64), bins=5, range=(0, 1))[0] / 600
    assert np.all(np.abs(shares - 0.2) < 0.06)
    sure = probabilistic_sharpe(generator.normal(0.2, 1, 400))
    assert sure is not None
    assert sure > 0.99


def test_the_luck_of_the_best_trial_is_what_simulation_says() -> None:
    """The expected best of N Sharpes without skill, against 2000 draws of N."""
    generator = np.random.default_rng(2)
    draws = generator.normal(size=(2000, 50))
    said = np.mean([expected_best(row.tolist(), 1000) for row in draws])
    assert said == pytest.approx(draws.max(axis=1).mean(), rel=0.03)
    assert expected_best([0.3], 1000) == 0.0


def test_trials_that_are_alike_do_not_make_luck_small() -> None:
    """Of skill-less Sharpes of 101 periods each, whose deviation is a tenth, the best of 50 is that far off at least."""
    alike = [0.1 + k * 1e-6 for k in range(50)]
    draws = np.random.default_rng(2).normal(0, 0.1, size=(2000, 50))
    assert expected_best(alike, 101) == pytest.approx(draws.max(axis=1).mean(), rel=0.03)


def test_the_best_of_many_trials_is_not_taken_for_skill() -> None:
    generator = np.random.default_rng(3)
    series = [generator.normal(size=500) for _ in range(100)]
    trials = [sharpe(one) for one in series]
    best = series[int(np.argmax(trials))]
    alone, among = deflated_sharpe(best, [sharpe(best)]), deflated_sharpe(best, trials)
    assert alone is not None
    assert among is not None
    assert alone > 0.98
    assert among < 0.9


def test_the_bootstrap_covers_the_truth() -> None:
    """Law: 95 % intervals of series with memory hold the true Sharpe at least nine times in ten."""
    generator = np.random.default_rng(4)
    inside = 0
    for _ in range(40):
        shocks = generator.normal(size=604)
        gains = 0.1 + np.convolve(shocks, np.ones(5), "valid") / np.sqrt(5)
        interval = bootstrap_interval(gains)
        assert interval is not None
        inside += interval[0] <= 0.1 <= interval[1]
    assert inside >= 34
    assert bootstrap_interval(np.ones(20)) is None


def test_a_year_has_as_many_periods_as_were_seen() -> None:
    gains = np.random.default_rng(5).normal(1, 10, 1440)
    found = performance(gains, 1000.0, 86_400.0, [])
    assert found["sharpe_yearly"] == pytest.approx(found["sharpe"] * np.sqrt(1440 * 365.25))
    assert found["gain"] == pytest.approx(1000 * found["return"])


def test_signals_are_judged_by_the_price_after_their_horizon() -> None:
    tape = tape_of([100.0 + second for second in range(60)], closed=(40,))
    judged = judge(signals_of((5, 1), (35, 1), (48, 1)), tape)
    after = {0.25: 2, 0.5: 5, 1.0: 10, 2.0: 20, 4.0: 40}
    expected = [np.log((105 + passed) / 105) for passed in after.values()]
    assert judged.realised[0, :4] == pytest.approx(expected[:4])
    assert np.isnan(judged.realised[0, 4])  # a halt lies between
    assert np.isfinite(judged.realised[1]).tolist() == [True, False, False, False, False]
    assert np.isfinite(judged.realised[2]).tolist() == [True, True, True, False, False]


def test_quality_of_signals_that_are_right() -> None:
    generator = np.random.default_rng(6)
    sides = generator.choice([-1, 1], 200)
    steps = np.repeat(sides, 10) * 0.01
    tape = tape_of((100 + np.cumsum(np.append(0.0, steps))).tolist())
    signals = signals_of(*((10.0 * k, int(side)) for k, side in enumerate(sides)))
    found = signal_quality(judge(signals, tape), 10 * SECOND)
    decay = {one["horizons"]: one["rank_information_coefficient"] for one in found["correlation"]}
    assert decay[1.0] > 0.85
    assert decay[4.0] < 0.7
    assert found["hit_rate_by_confidence"] == [{"claimed": pytest.approx(0.9), "hit_rate": 1.0, "signals": 200}]
    assert found["quantile_returns"][0]["realised"] < 0 < found["quantile_returns"][-1]["realised"]


def test_a_market_that_signals_know_pays_and_one_that_they_do_not_does_not(tmp_path: Path) -> None:
    known = backtest(market_lake(tmp_path / "known", 0.6, 1, 3600), SETTINGS, EVERYTHING)
    unknown = backtest(market_lake(tmp_path / "unknown", 0.0, 1, 3600), SETTINGS, EVERYTHING)
    assert known["edge_after_costs"]
    assert known["with_costs"]["sharpe_interval"][0] > 0
    assert known["signal_quality"]["correlation"][2]["rank_interval"][0] > 0.3
    assert not unknown["edge_after_costs"]
    low, high = unknown["signal_quality"]["correlation"][2]["rank_interval"]
    assert low < 0 < high
    for result in (known, unknown):
        lost = result["without_costs"]["gain"] - result["with_costs"]["gain"]
        assert lost == pytest.approx(result["costs"]["fees"] + result["costs"]["spread_and_impact"], rel=0.35)
        json.dumps(result)


def test_costs_eat_a_small_edge(tmp_path: Path) -> None:
    catalog = market_lake(tmp_path, 0.3, 2)
    dear = backtest(catalog, BacktestSettings(fee_basis_points=20.0), EVERYTHING)
    assert dear["without_costs"]["gain"] > 0 > dear["with_costs"]["gain"]
    assert not dear["edge_after_costs"]


def test_every_trial_is_in_the_ledger_once(tmp_path: Path) -> None:
    catalog = market_lake(tmp_path, 0.3, 3, seconds=1800, symbols=1)
    settings = [BacktestSettings(minimum_confidence=level) for level in (0.0, 0.1, 0.2, 0.0)]
    counts = [backtest(catalog, one, EVERYTHING)["trials"] for one in settings]
    assert counts == [1, 2, 3, 3]
    assert backtest(catalog, BacktestSettings(), Selection(symbols=("S0",)))["trials"] == 3
    assert backtest(catalog, BacktestSettings(), Selection(to_time=MIDNIGHT + 900 * SECOND))["trials"] == 4
    assert backtest(catalog, BacktestSettings(), Selection(to_time=MIDNIGHT + 86_400 * SECOND))["trials"] == 4  # the same data
    rows = [row for batch in read_rows(catalog, NAMESPACE, "trials") for row in batch.to_pylist()]
    assert len(rows) == 7
    assert {row["subject"] for row in rows} == {"m1"}
    assert Trial("a", "b", {"x": 1}, 1, 0.0).trial_id != Trial("a", "b", {"x": 2}, 1, 0.0).trial_id


def test_trials_on_other_data_do_not_count(tmp_path: Path) -> None:
    catalog = market_lake(tmp_path, 0.3, 3, seconds=1800, symbols=2)
    early, late = Selection(to_time=MIDNIGHT + 900 * SECOND), Selection(from_time=MIDNIGHT + 900 * SECOND)
    one_symbol = Selection(to_time=MIDNIGHT + 900 * SECOND, symbols=("S0",))
    assert [backtest(catalog, BacktestSettings(), which)["trials"] for which in (early, late, one_symbol, EVERYTHING)] == [1, 1, 1, 3]


def test_costs_after_the_last_quote_count(tmp_path: Path) -> None:
    """Law without latency: all that is paid is missing from the gain; the last position is sold when no quote comes any more."""
    at_once = dataclasses.replace(SETTINGS, feed_latency=0, order_latency=0)
    result = backtest(market_lake(tmp_path, 0.6, 1, 600, symbols=1), at_once, EVERYTHING)
    lost = result["without_costs"]["gain"] - result["with_costs"]["gain"]
    assert lost == pytest.approx(result["costs"]["fees"] + result["costs"]["spread_and_impact"], abs=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([-1, 0, 1])), min_size=1, max_size=8),
    st.sets(st.integers(0, 89), max_size=60),
    st.integers(0, 3),
)
def test_gains_are_what_was_paid_and_got(said: list[tuple[int, int]], closed: set[int], delay: int) -> None:
    """Law: cash of all fills and the position at the last price, whatever was halted, and however late an order filled."""
    settings = dataclasses.replace(SETTINGS, feed_latency=0, order_latency=delay * SECOND, grid_seconds=5)
    signals = signals_of(*sorted(said))
    generator = np.random.default_rng(7)
    tape = tape_of((100 * np.exp(np.cumsum(generator.normal(size=90) * 1e-3))).tolist(), closed=tuple(closed))
    book = _empty_book(SignalRead({"S": signals}, len(said), ("m",)), settings)
    _add_symbol(book, signals, tape, settings)
    fills = trade(wanted_positions(signals, 0.0), tape, settings).fills
    cash = sum(-fill.quantity * fill.price - fill.fee for fill in fills)
    last = sum(fill.quantity for fill in fills) * float(tape.bid[-1] + tape.ask[-1]) / 2
    assert float(book.net[book.live].sum()) == pytest.approx(cash + last, abs=1e-6)


def test_a_trader_has_a_signal_no_sooner_than_it_is_out() -> None:
    assert BacktestSettings().feed_latency == 60_000_000


def test_a_backtest_gives_the_same_again(tmp_path: Path) -> None:
    catalog = market_lake(tmp_path, 0.3, 4, seconds=1800, symbols=1)
    assert backtest(catalog, SETTINGS, EVERYTHING) == backtest(catalog, SETTINGS, EVERYTHING)


def test_nothing_to_trade_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog = market_lake(tmp_path, 0.3, 5, seconds=600, symbols=1)
    with pytest.raises(NotEnoughData, match="among 0 stored"):
        backtest(catalog, SETTINGS, Selection(symbols=("NOBODY",)))
    lake = ["--lake", str(tmp_path)]
    assert main([*lake, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["symbols"] == 1
    assert main(lake) == 0
    assert "no edge after costs is shown" in capsys.readouterr().out
    assert main([*lake, "--symbols", "NOBODY"]) == 1
    assert main([*lake, "--notional", "0"]) == 2
    assert main(["--lake", str(tmp_path / "empty")]) == 2
    assert "no signals yet" in capsys.readouterr().err
