"""`python -m jobs.gateway`: what it refuses before it sends anything, and what it hands to the gateway."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path

import pytest

from jobs.gateway.__main__ import main, running_source
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.market_event import MarketEvent, RejectedLine
from jobs.gateway.news.news_events import NewsMessage
from jobs.gateway.pacing import Pacer
from jobs.gateway.publisher import MemorySink
from jobs.gateway.running_source import PreparedSource
from jobs.settings import load_settings
from tests.support.registry_server import registry_server
from udfs.codecs.frames import decode_frame
from udfs.codecs.news import encode_news
from udfs.codecs.rejects import decode_rejected
from udfs.codecs.wire import PINNED, PINNED_IDS
from udfs.errors import Reason, SourceError
from udfs.kernels.events import EventKind
from udfs.kernels.kernel_settings import BAR_LENGTHS_SECONDS
from udfs.records import NewsItem

TRADES = "time,symbol,price,size\n2024-01-02T10:00:00,ABC,10.5,100\n2024-01-02T10:00:01,ABC,10.6,200\n"


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES)
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "missing"], "not found"),
        (["--source", "TRADES", "--speed", "0"], "speed"),
        (["--source", "TRADES", "--columns", "time=time"], "neither trades"),
        (["--source", "TRADES", "--settings", "missing.toml"], "missing.toml"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(
    arguments: list[str], words: str, trades: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(trades) if word == "TRADES" else word for word in arguments]) == 2
    assert words in capsys.readouterr().err


def test_moved_to_now_a_source_keeps_its_distances(trades: Path) -> None:
    before = time.time_ns()
    moved = [item for item in running_source(trades, None, shift_to_now=True) if isinstance(item, MarketEvent)]
    kept = [item for item in running_source(trades, None, shift_to_now=False) if isinstance(item, MarketEvent)]
    assert before <= moved[0].available_time <= time.time_ns()
    assert moved[1].event_time - moved[0].event_time == kept[1].event_time - kept[0].event_time == 1_000_000_000


def test_a_source_without_a_time_cannot_be_moved(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES.replace("2024-01-02T10:00:0", "never"))
    with pytest.raises(SourceError, match="no time to move"):
        running_source(path, None, shift_to_now=True)


def test_all_is_read_and_written_with_the_ids_of_the_registry() -> None:
    """The job reads no other: frames, rejected lines, and news of the topic with the frames made of it."""
    time, wrong = 1_700_000_000_000_000_000, RejectedLine("list", 1, b"x", "no number")
    trade = MarketEvent("A", EventKind.TRADE, time, time, 0, 0, (1.0, 2.0, 1.0))
    item = NewsItem("n", time, time, ("A", "B"), "Profit rises", "", "wire")
    with registry_server() as server:
        settings = GatewaySettings.of(load_settings(None, {"TICKFLOW_SCHEMA_REGISTRY_URL": server.url}))
    ids = settings.schema_ids
    assert not {*ids.written.values()} & {*PINNED_IDS.values()}
    told = [NewsMessage("news.items", 0, offset, encode_news(item, one.framing("NewsItem"))) for offset, one in enumerate((ids, PINNED))]
    sink = MemorySink()
    Gateway(sink, settings, news=deque(told)).run(PreparedSource("list", "TEST", (trade, wrong)))
    frames = [decode_frame(value, ids.framing("MarketFrame")) for topic, _, value, _ in sink.records if topic == "market.frames"]
    assert [text for frame in frames for text in frame.news_texts] == ["Profit rises"]
    rejects = [decode_rejected(value, ids.framing("Rejected")) for topic, _, value, _ in sink.records if topic == "rejects"]
    assert {reject.reason for reject in rejects} == {Reason.MALFORMED_INPUT_LINE, Reason.UNKNOWN_SYMBOL, Reason.UNKNOWN_SCHEMA}
    (unknown,) = [reject.raw for reject in rejects if reject.reason == Reason.UNKNOWN_SYMBOL]
    assert decode_frame(unknown, ids.framing("MarketFrame")).symbol == "B"


def test_a_registry_that_is_away_is_told(trades: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is sent, and before a broker is needed."""
    monkeypatch.setenv("TICKFLOW_SCHEMA_REGISTRY_URL", "http://127.0.0.1:1")
    assert main(["--source", str(trades)]) == 2
    assert "schema registry http://127.0.0.1:1" in capsys.readouterr().err


def test_gateway_and_job_agree(tmp_path: Path) -> None:
    file = tmp_path / "job.toml"
    kernel = "[kernel]\nout_of_order_milliseconds = 3000\nmaximum_clock_skew_milliseconds = 500\nbar_lengths_seconds = [60]\n"
    file.write_text(kernel + '[topics]\nframes = "f"\nrejects = "r"\n')
    found = GatewaySettings.of(load_settings(file, {}))
    assert (found.frames_topic, found.rejects_topic, found.out_of_order_nanoseconds) == ("f", "r", 3_000_000_000)
    packing = found.packing(Pacer())
    assert (packing.out_of_order_nanoseconds, packing.maximum_clock_skew_nanoseconds) == (3_000_000_000, 500_000_000)
    assert packing.bar_seconds == BAR_LENGTHS_SECONDS  # those that the job closes, whichever it publishes
