"""The readers on recorded market data, where that is there: counts, the venue's own best bid and ask, and the tape's own bars."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import MarketEvent, RejectedLine
from jobs.inspect_source import inspect_source
from udfs.kernels.events import EventFlag, EventKind

MINUTE = 60 * 1_000_000_000


@pytest.mark.parametrize(
    ("file", "messages", "updates"),
    [("usdm_btcusdt", 93_954, 6545), ("spot_ethusdt", 33_618, 3432), ("spot_btcusdt", 41_249, 3448)],
)
def test_rebuilt_books_equal_the_best_bid_and_ask_of_the_venue(market_data: Path, file: str, messages: int, updates: int) -> None:
    report = inspect_source(open_source(market_data / "binance_capture_20240808" / f"{file}_20240808.gz"))
    (check,) = report["book_check"].values()
    assert (report["messages"], report["rejected"], report["duplicates"]) == (messages, 0, 0)
    assert (check["compared"], check["equal"], check["crossed"]) == (updates, updates, 0)


def test_forgetting_the_updates_before_the_snapshot_crosses_the_spot_book(market_data: Path) -> None:
    report = inspect_source(open_source(market_data / "binance_capture_20240808" / "spot_btcusdt_20240808.gz"))
    assert report["book_check"]["BTCUSDT.SPOT"]["without_buffering"]["crossed"] == 2573


Bar = tuple[float, float, float, float]


def bars_of(path: Path) -> tuple[dict[int, Bar], Counter[int]]:
    """Prices and volume of minute bars by their end, made from the trades of a tick file."""
    prices: dict[int, Bar] = {}
    volumes: Counter[int] = Counter()
    for event in open_source(path).events():
        assert isinstance(event, MarketEvent)
        end = (event.event_time // MINUTE + 1) * MINUTE
        price, size = event.payload[0], event.payload[1]
        volumes[end] += int(size)
        if not event.flags & EventFlag.VOLUME_ONLY:
            opened, high, low, _ = prices.get(end, (price, price, price, price))
            prices[end] = (opened, max(high, price), min(low, price), price)
    return prices, volumes


def test_minute_bars_from_ticks_equal_the_bars_of_the_tape(market_data: Path) -> None:
    """Measured over three symbol days: prices 1984 of 1996, volume 1987 of 1996."""
    equal_prices = equal_volumes = count = 0
    for day in ("bac_20131007", "bac_20131008", "spy_20131007"):
        prices, volumes = bars_of(market_data / "us_tape_2013" / "tick" / f"{day}_trade.zip")
        for bar in open_source(market_data / "us_tape_2013" / "minute" / f"{day}_trade.zip").events():
            assert isinstance(bar, MarketEvent)
            count += 1
            equal_prices += prices.get(bar.event_time) == tuple(bar.payload[:4])
            equal_volumes += volumes[bar.event_time] == bar.payload[4]
    assert count == 1996
    assert equal_prices / count >= 0.99
    assert equal_volumes / count >= 0.995


def test_quotes_of_the_tape_equal_its_second_quote_bars(market_data: Path) -> None:
    closing: dict[int, tuple[float, ...]] = {}
    for event in open_source(market_data / "us_tape_2013" / "tick" / "bac_20131007_quote.zip").events():
        assert isinstance(event, MarketEvent)
        closing[event.event_time // 1_000_000_000 + 1] = tuple(event.payload)
    bars = list(open_source(market_data / "us_tape_2013" / "second" / "bac_20131007_quote.zip").events())
    differing = [bar for bar in bars if isinstance(bar, MarketEvent) and closing[bar.event_time // 1_000_000_000] != tuple(bar.payload)]
    assert len(bars) == 18_817
    assert not differing


@pytest.mark.parametrize(
    ("folder", "messages"),
    [("fixtures", 13_023), ("lean_daily", 70_025), ("daily_and_tweets_2012_2017/price_raw", 108_592), ("us_tape_2013/minute", 8088)],
)
def test_every_row_is_accounted_for(market_data: Path, folder: str, messages: int) -> None:
    items = list(open_source(market_data / folder).events())
    assert len(items) == messages
    assert sum(isinstance(item, RejectedLine) for item in items) <= 3


def test_an_indian_day_keeps_its_volume_and_its_disorder(market_data: Path) -> None:
    events = list(open_source(market_data / "nse_ticks_2021" / "01-June-2021" / "LT2021-06-01_.csv.gz").events())
    trades = [event for event in events if isinstance(event, MarketEvent) and event.kind == EventKind.TRADE]
    assert (len(events), len(trades)) == (20_250, 20_250)
    assert sum(trade.payload[1] for trade in trades) == 2_077_742
    assert sum(bool(trade.flags & EventFlag.VOLUME_ONLY) for trade in trades) == 119
