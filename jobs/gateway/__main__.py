"""`python -m jobs.gateway`: send a file or folder of market data into the log that a live job reads. Ctrl-C ends it without loss."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infra.local.console import print_json, say
from jobs.gateway.control_follower import ControlFollower, ControlLogUnreadable
from jobs.gateway.counts import GatewayCounts
from jobs.gateway.detect import open_source
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.known_facts import facts_of
from jobs.gateway.market_event import Item
from jobs.gateway.news.merging import WithNews
from jobs.gateway.news.news_file import parse_news_mapping, read_news_file
from jobs.gateway.news.news_follower import NewsFollower, NewsUnreadable
from jobs.gateway.pacing import Pacer, parse_speed
from jobs.gateway.publisher import KafkaPublisher, PublishError, PublisherSettings
from jobs.gateway.readers.column_mapping import parse_mapping
from jobs.gateway.running_source import RunningSource
from jobs.monitoring.programs import add_metrics_options, gateway_samples, metrics_served
from jobs.schema_registry import RegistryError
from jobs.settings import Settings, load_settings
from udfs.errors import InvalidSettings, SourceError


def main(arguments: list[str]) -> int:
    """Run the program; 0 everything acknowledged, 1 the broker did not take it, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(options.settings)
        pacer = Pacer(parse_speed(options.speed))
        news = read_news_file(options.news, parse_news_mapping(options.news_columns)) if options.news else []
        source = running_source(options.source, options.columns, options.shift_to_now, news)
        counts = send(source, settings, pacer, options)
    except (SourceError, InvalidSettings, ControlLogUnreadable, NewsUnreadable, RegistryError, OSError) as error:
        say(f"gateway: {error}")
        return 2
    except PublishError as error:
        say(f"gateway: {error}")
        return 1
    if options.json:
        print_json(counts.as_json())
    else:
        print(f"{counts.messages} messages in {counts.frames} frames, {counts.rejected} rejected, {counts.symbols} symbols")
    return 0


def running_source(path: Path, columns: str | None, shift_to_now: bool, news: Sequence[Item] = ()) -> RunningSource:
    """The source with news merged in, moved so that its first event is now when asked. Raises SourceError."""
    market = open_source(path, parse_mapping(columns) if columns else None)
    source = WithNews(market, tuple(news)) if news else market
    if not shift_to_now:
        return RunningSource(source)
    first = RunningSource(source).first_available_time()
    if first is None:
        raise SourceError(f"{path}: holds no event, so there is no time to move")
    return RunningSource(source, time.time_ns() - first)


def send(source: RunningSource, settings: Settings, pacer: Pacer, options: argparse.Namespace) -> GatewayCounts:
    """Send everything.

    Raises PublishError, ControlLogUnreadable, NewsUnreadable, RegistryError, and OSError where the port for metrics is taken.
    """
    gateway_settings, facts = GatewaySettings.of(settings), facts_of(settings.facts)
    client = settings.kafka.librdkafka_properties()
    sink = KafkaPublisher(PublisherSettings.of(settings.kafka))
    control = ControlFollower(settings.kafka.bootstrap_servers, settings.topics.control, client)
    news = NewsFollower(settings.kafka.bootstrap_servers, settings.topics.news, source.name, client)
    with control, news:
        gateway = Gateway(sink, gateway_settings, pacer, control.version, facts, news.items, news.settle)
        with metrics_served(options, lambda: gateway_samples(gateway.snapshot())):
            return gateway.run(source, close_bars=not options.keep_bars_open)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs.gateway", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, metavar="PATH", help="file or folder of market data")
    parser.add_argument("--columns", metavar="MAPPING", help="`time=ts,price=px,size=qty,symbol=ticker,time_unit=ms`, or a TOML file")
    parser.add_argument("--news", type=Path, metavar="FILE", help="news to merge in: CSV, Parquet or JSON lines")
    parser.add_argument("--news-columns", default="", metavar="MAPPING", help="`time=ts,symbols=ticker,headline=title`, or a TOML file")
    parser.add_argument("--speed", default="1", help="times real time, or max (default 1)")
    parser.add_argument("--shift-to-now", action="store_true", help="move all times so that the first event is now")
    parser.add_argument("--keep-bars-open", action="store_true", help="send no last CLOCK: more of these symbols will follow")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file; TICKFLOW_… variables override it")
    add_metrics_options(parser)
    parser.add_argument("--json", action="store_true", help="print the counters as one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
