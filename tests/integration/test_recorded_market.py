"""Recorded markets through the whole job: every message accounted for, the tape's own bars, and the same bits when replayed."""

from __future__ import annotations

from pathlib import Path

from infra.local.endpoints import Endpoints
from jobs.demonstration.stretches import recorded
from jobs.prove import prove
from tests.support.streaming import streamed_market
from tests.support.tape_answers import agreement

WITHIN_SECONDS = 600.0


def test_the_jobs_bars_are_those_of_the_tape(services: Endpoints, market_data: Path, tmp_path: Path) -> None:
    tape = market_data / "us_tape_2013"
    stretches = recorded(tape / "tick" / "bac_20131007_trade.zip", None, 1.0)
    with streamed_market(services, tmp_path, "tape", stretches) as streamed:
        assert streamed.counts["accounted"], streamed.counts
        found = agreement(streamed.session.catalog, [tape / "minute" / "bac_20131007_trade.zip"])
        assert found.minutes > 500
        assert found.equal_prices / found.minutes >= 0.99
        assert found.equal_volumes / found.minutes >= 0.99  # 592 of 595 on this day; 0.995 over all days of the tape
        proof = prove(streamed.session, WITHIN_SECONDS)
        assert proof["identical"], proof
        assert proof["features"] == streamed.counts["features_out"] > 10_000


def test_a_rebuilt_book_is_replayed_to_the_same_bits(services: Endpoints, market_data: Path, tmp_path: Path) -> None:
    stretches = recorded(market_data / "binance_capture_20240808" / "spot_ethusdt_20240808.gz", None, 1.0)
    with streamed_market(services, tmp_path, "book", stretches) as streamed:
        assert streamed.counts["ticks_in"] == 33_618
        assert streamed.counts["accounted"], streamed.counts
        proof = prove(streamed.session, WITHIN_SECONDS)
        assert proof["identical"], proof
        assert proof["signals"] == streamed.counts["signals_out"] > 0
