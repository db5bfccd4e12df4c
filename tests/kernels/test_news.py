"""What news does to a symbol, on examples that a person can check; the laws and the slow oracle hold for it as for everything else."""

from __future__ import annotations

import math

import pytest

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, trade
from tests.support.kernel_runs import run
from tests.support.news_streams import news
from udfs.errors import Reason
from udfs.kernels.advance import Advance
from udfs.kernels.feature_vector import Feature
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.news.layout import GREATEST_COUNT, KEPT_ITEMS, NEWS_MEMORY

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
TEXT = 0xA5A5A5A5F00F1234


def trades(count: int, step: int = MINUTE, start: int = MIDNIGHT) -> list[Event]:
    return [trade(start + place * step, 100.0) for place in range(count)]


def last(result: Advance, feature: Feature) -> float:
    return float(result.row_values[-1, feature])


def in_order(*events: Event) -> list[Event]:
    return sorted(events, key=lambda event: event.available_time)


def test_sentiment_halves_in_its_half_life_and_adds_up() -> None:
    start = [trade(MIDNIGHT, 100.0), news(MIDNIGHT, 1.0, TEXT), news(MIDNIGHT, -0.5, TEXT + 1)]
    after = run([*start, trade(MIDNIGHT + 5 * MINUTE, 100.0), trade(MIDNIGHT + 30 * MINUTE, 100.0)])
    assert last(after, Feature.NEWS_SENTIMENT_30_MINUTES) == pytest.approx(0.25, rel=1e-6)
    assert float(after.row_values[1, Feature.NEWS_SENTIMENT_5_MINUTES]) == pytest.approx(0.25, rel=1e-6)


def test_without_a_model_all_but_the_sentiment_is_there() -> None:
    items = [news(MIDNIGHT + DAY + place * MINUTE, math.nan, TEXT ^ place) for place in range(3)]
    result = run(in_order(*trades(26, 3600 * SECOND), *items, trade(MIDNIGHT + DAY + 30 * MINUTE, 100.0)))
    shown = {feature.name: last(result, feature) for feature in Feature if "NEWS" in feature.name}
    assert math.isnan(shown["NEWS_SENTIMENT_5_MINUTES"])
    assert math.isnan(shown["NEWS_SENTIMENT_30_MINUTES"])
    assert shown["NEWS_COUNT_24_HOURS"] == shown["NEWS_COUNT_1_HOUR"] == 3
    assert shown["NEWS_NOVELTY"] == pytest.approx(1 / 32)
    assert shown["SECONDS_SINCE_NEWS"] == 3600 - 120


def test_an_item_that_comes_again_is_rejected_until_it_is_forgotten() -> None:
    items = [news(MIDNIGHT + place * SECOND, 0.1, TEXT, identity=1 + place % (KEPT_ITEMS + 1)) for place in range(KEPT_ITEMS + 2)]
    again = news(MIDNIGHT + 60 * SECOND, 0.1, TEXT, identity=3)
    verdicts = run([trade(MIDNIGHT, 100.0), *items, again]).verdicts.tolist()
    assert verdicts == [Reason.ACCEPTED] * (KEPT_ITEMS + 3) + [Reason.DUPLICATE]


def test_items_without_identity_are_never_duplicates() -> None:
    assert not run([trade(MIDNIGHT, 100.0), *[news(MIDNIGHT, 0.1, TEXT)] * 5]).verdicts.any()


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (news(MIDNIGHT + 120 * SECOND, 0.1, TEXT)._replace(delay=-61 * SECOND), Reason.TIME_ABSURD),
        (news(MIDNIGHT - DAY, 0.1, TEXT)._replace(delay=DAY + 1), Reason.LATE),
        (news(MIDNIGHT, 1.5, TEXT), Reason.NOT_A_NUMBER),
        (news(MIDNIGHT, math.inf, TEXT), Reason.NOT_A_NUMBER),
        (news(MIDNIGHT, math.nan)._replace(numbers=(math.nan, math.nan, math.nan, 0.0, *[math.nan] * 4)), Reason.EMPTY_NEWS),
    ],
    ids=["from the future", "a day old", "no probability", "infinite", "empty"],
)
def test_what_is_not_believed_changes_nothing(event: Event, reason: Reason) -> None:
    plain, spoilt = [trade(MIDNIGHT, 100.0), *trades(3, start=MIDNIGHT + MINUTE)], None
    spoilt = [plain[0], event, *plain[1:]]
    assert run(spoilt).verdicts.tolist() == [0, reason, 0, 0, 0]
    assert run(spoilt).row_values.tobytes() == run(plain).row_values.tobytes()


def test_news_makes_no_event_of_a_delayed_feed_late() -> None:
    """The market's events come 15 min after they happened; news is known at once. It counts from the moment it was known."""
    delay = 15 * MINUTE
    market = [event._replace(delay=delay) for event in trades(30)]
    item = news(MIDNIGHT + 20 * MINUTE + SECOND, 1.0, TEXT)
    result = run(in_order(*market, item))
    assert not result.verdicts.any()
    since = result.row_values[:, Feature.SECONDS_SINCE_NEWS]
    assert since[~(since != since)].tolist()[:3] == pytest.approx([59 - 1e-6, 119 - 1e-6, 179 - 1e-6])


@pytest.mark.parametrize("hours", [-1, 1, 9])
def test_an_event_of_long_ago_or_of_the_future_does_not_move_the_time_of_news(hours: int) -> None:
    """A feed that begins with the last trade of the day before is not one that is a day behind."""
    far, early = KernelSettings(maximum_clock_skew_nanoseconds=DAY), [trade(MIDNIGHT, 100.0)._replace(delay=hours * 3600 * SECOND)]
    item = news(MIDNIGHT + 9 * 3600 * SECOND, 1.0, TEXT)
    result = run([*early * 8, item, trade(item.event_time + MINUTE, 100.0)], far)
    assert last(result, Feature.SECONDS_SINCE_NEWS) == pytest.approx(60)


def test_a_quiet_symbols_news_is_as_old_as_it_is() -> None:
    result = run([trade(MIDNIGHT, 100.0), news(MIDNIGHT + 9 * MINUTE, 1.0, TEXT), trade(MIDNIGHT + 10 * MINUTE, 100.0)])
    assert last(result, Feature.SECONDS_SINCE_NEWS) == pytest.approx(60)


def test_a_flood_of_news_is_counted_up_to_what_a_tile_holds() -> None:
    flood = [news(MIDNIGHT + DAY + place * 1_000_000, 0.01, TEXT ^ place) for place in range(2 * GREATEST_COUNT)]
    result = run(in_order(*trades(25, 3600 * SECOND, MIDNIGHT - 3600 * SECOND), *flood, trade(MIDNIGHT + DAY + MINUTE, 100.0)))
    assert last(result, Feature.NEWS_COUNT_1_HOUR) == last(result, Feature.NEWS_COUNT_24_HOURS) == GREATEST_COUNT
    assert last(result, Feature.NEWS_SENTIMENT_5_MINUTES) == pytest.approx(5.10 * 2 ** (-60 / 300), rel=2e-3)


def test_novelty_is_not_told_before_it_can_be_known() -> None:
    """Before eight items or a day were seen, an item like this may have been just before the log began."""
    items = [news(MIDNIGHT + place * MINUTE, 0.0, TEXT ^ (place << 20)) for place in range(KEPT_ITEMS + 1)]
    events = [event for item in items for event in (item, trade(item.event_time + SECOND, 100.0))]
    assert run([trade(MIDNIGHT, 100.0), *events]).row_valid[1:, Feature.NEWS_NOVELTY].tolist() == [False] * KEPT_ITEMS + [True]


def test_the_memory_of_news_is_small() -> None:
    assert NEWS_MEMORY.itemsize == 200
