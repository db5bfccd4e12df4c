"""News on its way into the logs of its symbols: from the topic at once, from a file at its time; nothing is lost silently."""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.news.merging import WithNews
from jobs.gateway.news.news_events import NewsMessage, news_events, read_message
from jobs.gateway.news.news_file import NewsMapping, parse_news_mapping, read_news_file
from jobs.gateway.pacing import Pacer
from jobs.gateway.publisher import MemorySink, PublishError
from jobs.gateway.running_source import PreparedSource
from tests.support.fake_broker import FakeClock
from tests.support.frame_events import events_of
from udfs.codecs.frames import decode_frame
from udfs.codecs.news import encode_news
from udfs.codecs.rejects import decode_rejected
from udfs.errors import Reason, SourceError
from udfs.kernels.events import EventKind
from udfs.records import NewsItem, Rejected

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
HEADER = "published,available_time,symbols,headline,id\n"


def trade(symbol: str, second: float) -> MarketEvent:
    time = START + round(second * SECOND)
    return MarketEvent(symbol, EventKind.TRADE, time, time, 0, 0, (1.0, 2.0, 1.0))


def item(*symbols: str, second: float = 0, headline: str = "Profit rises", news_id: str = "n1") -> NewsItem:
    time = START + round(second * SECOND)
    return NewsItem(news_id, time, time, symbols, headline, "", "wire")


def market(*events: MarketEvent) -> PreparedSource:
    return PreparedSource("list", "TEST", events)


def message(raw: bytes, offset: int = 0) -> NewsMessage:
    return NewsMessage("news.items", 0, offset, raw)


def sent(sink: MemorySink) -> list[MarketEvent]:
    frames = [decode_frame(value) for topic, _, value, _ in sink.records if topic == "market.frames"]
    return [event for frame in frames for event in events_of(frame.symbol, frame.columns, frame.news_texts)]


def news_in(sink: MemorySink) -> list[MarketEvent]:
    return [event for event in sent(sink) if event.kind == EventKind.NEWS]


def rejected(sink: MemorySink) -> list[Rejected]:
    return [decode_rejected(value) for topic, _, value, _ in sink.records if topic == "rejects"]


def ran(source: PreparedSource | WithNews, waiting: Sequence[NewsMessage] = ()) -> tuple[Gateway, MemorySink]:
    sink = MemorySink()
    gateway = Gateway(sink, news=deque(waiting))
    gateway.run(source)
    return gateway, sink


def test_an_item_of_the_topic_enters_the_log_of_each_symbol_once() -> None:
    """At the stream time at which the gateway had it, with the time of its publication."""
    source = market(trade("A", 10), trade("B", 11), trade("A", 12))
    waiting = deque[NewsMessage]()
    told = message(encode_news(item("A", "B", "A", second=9)))

    class Feeding(PreparedSource):
        def events(self):  # type: ignore[no-untyped-def]
            for event in self.items:
                if event == source.items[2]:
                    waiting.append(told)
                yield event

    sink = MemorySink()
    counts = Gateway(sink, news=waiting).run(Feeding("list", "TEST", source.items))
    found = news_in(sink)
    assert [(event.symbol, event.payload) for event in found] == [("A", "Profit rises"), ("B", "Profit rises")]
    assert {event.available_time for event in found} == {START + 11 * SECOND}
    assert {event.event_time for event in found} == {START + 9 * SECOND}
    assert len({event.sequence for event in found}) == 1
    assert counts.messages == 5
    assert counts.events_by_kind["news"] == 2


@pytest.mark.parametrize(
    ("raw", "reason", "symbol"),
    [
        (b"no news item", Reason.MALFORMED_FRAME, ""),
        (encode_news(item()), Reason.UNKNOWN_SYMBOL, ""),
        (encode_news(item(" ", "")), Reason.UNKNOWN_SYMBOL, ""),
        (encode_news(item("A", second=3600)), Reason.TIME_ABSURD, "A"),
    ],
    ids=["bytes", "no symbol", "blank symbols", "from the future"],
)
def test_an_item_that_reaches_nobody_is_kept_whole(raw: bytes, reason: Reason, symbol: str) -> None:
    (found,) = read_message(message(raw, 7), START)
    assert not isinstance(found, MarketEvent)
    assert (found.reason, found.symbol, found.raw, found.position.offset) == (reason, symbol, raw, 7)


def test_news_for_a_symbol_that_never_traded_is_rejected_with_its_text() -> None:
    file = WithNews(market(trade("A", 10), trade("A", 20)), tuple(news_events(item("A", "ZZZ", second=15), START + 15 * SECOND)))
    gateway, sink = ran(file)
    (found,) = rejected(sink)
    assert (found.reason, found.symbol) == (Reason.UNKNOWN_SYMBOL, "ZZZ")
    assert decode_frame(found.raw).news_texts == ("Profit rises",)
    assert [event.symbol for event in news_in(sink)] == ["A"]
    counts = gateway.snapshot()
    assert counts.rejected_by_reason == {"unknown_symbol": 1}
    assert counts.messages == 4
    assert counts.symbols == 1


def test_news_waits_for_the_first_event_and_none_is_left_behind() -> None:
    """What is there before there is a time waits for it; what comes with the last event is still sent."""
    gateway, sink = ran(market(trade("A", 10)), [message(encode_news(item("A", second=9)))])
    assert [event.symbol for event in news_in(sink)] == ["A"]
    assert not gateway.news


class Unacknowledging(MemorySink):
    """A broker that goes away before it has acknowledged anything."""

    def flush(self) -> None:
        raise PublishError("not delivered")


def test_an_item_is_settled_only_once_all_that_became_of_it_is_acknowledged() -> None:
    """A gateway that fails has settled nothing, so that the next one reads it again; one without any event has taken none."""
    told, settled = [message(encode_news(item("A", second=9)), 7), message(b"no news item", 8)], list[NewsMessage]()
    with pytest.raises(PublishError):
        Gateway(Unacknowledging(), news=deque(told), settled=settled.extend).run(market(trade("A", 10)))
    Gateway(MemorySink(), news=deque(told), settled=settled.extend).run(market())
    assert settled == []
    Gateway(MemorySink(), news=deque(told), settled=settled.extend).run(market(trade("A", 10)))
    assert settled == told


def test_a_gateway_that_runs_on_settles_what_it_has_sent() -> None:
    """Long before its end, for a gateway may be killed; what it settles has left, whatever else waits for a full frame."""
    sink, settled = MemorySink(), list[tuple[int, int]]()
    told = message(encode_news(item("A", second=9)))

    def note(items: Sequence[NewsMessage]) -> None:
        settled.append((len(items), len(news_in(sink))))

    gateway = Gateway(sink, pacer=Pacer(1.0, clock=FakeClock()), news=deque([told]), settled=note)

    class Ending(PreparedSource):
        def events(self):  # type: ignore[no-untyped-def]
            yield from self.items
            assert settled == [(1, 1)]

    gateway.run(Ending("list", "TEST", (trade("A", 10), trade("A", 12))))
    assert settled == [(1, 1)]


def test_a_symbol_of_the_universe_may_have_news_first() -> None:
    sink = MemorySink()
    gateway = Gateway(sink, GatewaySettings(universe=frozenset({"B"})), news=deque([message(encode_news(item("B", "C", second=9)))]))
    gateway.run(market(trade("A", 10), trade("A", 11)))
    assert [event.symbol for event in news_in(sink)] == ["B"]
    assert [found.symbol for found in rejected(sink)] == ["C"]


@given(st.lists(st.integers(0, 50), max_size=20), st.lists(st.integers(0, 50), max_size=20))
def test_merged_news_comes_after_what_was_known_and_nothing_is_lost(market_seconds: list[int], news_seconds: list[int]) -> None:
    events = [trade("A", second) for second in sorted(market_seconds)]
    news = [event for second in sorted(news_seconds) for event in news_events(item("A", second=second), START + second * SECOND)]
    merged = [one for one in WithNews(market(*events), tuple(news)).events() if isinstance(one, MarketEvent)]
    assert [event for event in merged if event.kind == EventKind.TRADE] == events
    assert [event for event in merged if event.kind == EventKind.NEWS] == news
    assert merged == sorted(merged, key=lambda event: (event.available_time, event.kind))


ROWS = [
    {"published": "2024-01-02T10:00:00", "available_time": "2024-01-02T10:00:05", "symbols": "A;B", "headline": 'Says "up", 5%', "id": "x"},
    {"published": "2024-01-02T09:00:00", "available_time": "", "symbols": "A", "headline": "two\nlines", "id": "y"},
]


def csv_file(folder: Path) -> Path:
    path = folder / "news.csv"
    lines = [",".join('"' + value.replace('"', '""') + '"' for value in row.values()) for row in ROWS]
    path.write_text(HEADER + "\n".join(lines))
    return path


def json_file(folder: Path) -> Path:
    path = folder / "news.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(row | {"symbols": row["symbols"].split(";")}) for row in ROWS).encode()))
    return path


def parquet_file(folder: Path) -> Path:
    path = folder / "news.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("written", [csv_file, json_file, parquet_file])
def test_a_file_of_news_is_read_by_available_time(written, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    found = [one for one in read_news_file(written(tmp_path)) if isinstance(one, MarketEvent)]
    assert [(event.symbol, event.payload) for event in found] == [("A", "two\nlines"), ("A", 'Says "up", 5%'), ("B", 'Says "up", 5%')]
    assert [event.available_time - event.event_time for event in found] == [0, 5 * SECOND, 5 * SECOND]
    assert found[1].sequence == found[2].sequence != found[0].sequence


def test_a_row_that_cannot_be_read_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_text(HEADER + "never,,A,text,1\n2024-01-02T10:00:00,,,text,2\n2024-01-02T10:00:00,,A,,3\n")
    found: list[Item] = read_news_file(path)
    bad = [one for one in found if isinstance(one, RejectedLine)]
    assert [line.line_number for line in bad] == [2, 3]
    assert "names no symbol" in bad[1].detail
    assert [one.payload for one in found if isinstance(one, MarketEvent)] == [""]


def test_columns_are_named_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "tweets.jsonl"
    path.write_text('{"when": 1388534400, "cash": "A|B", "words": "up"}\n{"broken\n')
    mapping = parse_news_mapping("time=when,symbols=cash,headline=words,separator=|,time_unit=s")
    found = read_news_file(path, mapping)
    assert [one.symbol for one in found if isinstance(one, MarketEvent)] == ["A", "B"]
    assert sum(isinstance(one, RejectedLine) for one in found) == 1


@pytest.mark.parametrize(
    ("text", "words"), [("headline,when\nx,1\n", "none for time, symbols"), ("", "holds no news"), (None, "No such file")]
)
def test_a_file_that_cannot_be_used_is_told(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SourceError, match=words):
        read_news_file(path)


def test_a_wrong_mapping_is_told_whole() -> None:
    with pytest.raises(SourceError, match=r"'colour' is not known.*time_unit: found 'week'"):
        parse_news_mapping("colour=red,time_unit=week")
    assert parse_news_mapping("") == NewsMapping()
