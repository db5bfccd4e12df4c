"""`infra/tickflow watch SYMBOL…`: the newest signal of each symbol on a full screen, from the topics and the online store."""

from __future__ import annotations

import argparse
import queue
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from redis import RedisError
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from infra.local.console import print_json, say
from jobs.control_verbs import control_settings
from jobs.schema_registry import RegistryError
from jobs.serving.api.cache import Batch, Cache
from jobs.serving.api.clock import StreamClock
from jobs.serving.api.feed import Feed
from jobs.serving.api.views import signal_view
from jobs.serving.latest import read_latest
from jobs.serving.redis_writer import connect
from udfs.errors import InvalidSettings
from udfs.records import Direction, SignalStatus

USAGE: Final = 2
REFRESHES_PER_SECOND: Final = 4
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_SHOWN_PRICES, _SHOWN_ALERTS = 24, 5
_ARROWS: Final = {Direction.UP: ("▲ up", "green"), Direction.DOWN: ("▼ down", "red"), Direction.NEUTRAL: ("• neutral", "default")}


class Watched:
    """What is on the screen: the newest of each symbol, its last prices, and alerts."""

    def __init__(self, symbols: Sequence[str], stale_seconds: float, clock: StreamClock) -> None:
        self.symbols, self.cache, self.clock = tuple(dict.fromkeys(symbols)), Cache(clock), clock
        self.prices: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_SHOWN_PRICES))
        self._stale_seconds = stale_seconds

    def take(self, batch: Batch) -> None:
        """Keep what concerns these symbols."""
        wanted = set(self.symbols)
        ours = Batch(
            [found for found in batch.signals if found.symbol in wanted], [], [found for found in batch.alerts if found.symbol in wanted]
        )
        for signal in self.cache.take(ours)[0]:
            if signal.price == signal.price:
                self.prices[signal.symbol].append(signal.price)

    def picture(self, is_fed: bool) -> Group:
        """The whole screen."""
        table = Table(expand=True, title="Tickflow")
        for name, right in (("symbol", 0), ("price", 1), ("", 0), ("signal", 0), ("conf.", 1), ("ŷ bp", 1), ("σ bp", 1)):
            table.add_column(name, justify="right" if right else "left", no_wrap=True)
        table.add_column("reasons", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("age", justify="right", no_wrap=True)
        now = self.clock.now()
        for symbol in self.symbols:
            table.add_row(*self._cells(symbol, now))
        words = "Ctrl-C ends" if is_fed else "the stream is not being read: these are the last values that were seen"
        recent = list(self.cache.alerts)[-_SHOWN_ALERTS:][::-1]
        alerts = [Text(f"⚠ {alert.symbol} {alert.rule_id}: {alert.measure} {alert.value:.4g}", "yellow") for alert in recent]
        return Group(table, *([Panel(Group(*alerts), title="alerts")] if alerts else []), Text(words, "dim" if is_fed else "bold red"))

    def as_json(self) -> dict[str, Any]:
        """The same for a machine."""
        known = {symbol: self.cache.signals.get(symbol) for symbol in self.symbols}
        return {"signals": {symbol: None if kept is None else signal_view(kept.record) for symbol, kept in known.items()}}

    def _cells(self, symbol: str, now: int) -> Iterable[str | Text]:
        kept = self.cache.signals.get(symbol)
        if kept is None:
            return symbol, "–", "", Text("unknown", "dim"), "", "", "", "", ""
        signal = kept.record
        age = (now - signal.event_time) / 1e9
        style = "bold red" if age > self._stale_seconds else "default"
        words, colour = _ARROWS[signal.direction]
        if signal.status not in (SignalStatus.OK, SignalStatus.REDUCING):
            words, colour = f"{signal.status.name.lower()}: {signal.code.name.lower().replace('_', ' ')}", "dim"
        reasons = "; ".join(reason.words for reason in signal.reasons)
        numbers = (
            _number(signal.confidence, 1, "{:.0%}"),
            _number(signal.expected_return, 1e4, "{:+.2f}"),
            _number(signal.sigma, 1e4, "{:.2f}"),
        )
        line = sparkline(self.prices[symbol])
        return symbol, _number(signal.price, 1, "{:.4f}"), line, Text(words, colour), *numbers, reasons, Text(f"{age:.1f} s", style)


def sparkline(prices: Sequence[float]) -> str:
    """Prices as blocks from their least to their greatest."""
    low, high = min(prices, default=0.0), max(prices, default=0.0)
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(steps * (price - low) / (high - low)) if high > low else steps // 2] for price in prices)


def _number(value: float, factor: float, form: str) -> str:
    return form.format(value * factor) if value == value else "–"


def main(arguments: list[str]) -> int:
    """Show until interrupted, or for `--seconds`; 2 when it cannot begin."""
    options = _parser().parse_args(arguments)
    try:
        settings = control_settings(options.settings, options.data)
        watched = Watched(options.symbols, options.stale_seconds, StreamClock(options.clock == "stream"))
        batches: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        feed = Feed(settings, batches.put)
    except (InvalidSettings, RegistryError) as error:
        say(f"tickflow watch: {error}")
        return USAGE
    _seed(watched, settings.online.redis_url)
    feed.start()
    try:
        _show(watched, feed, batches, options)
    except KeyboardInterrupt:
        pass
    finally:
        feed.close()
    if options.json:
        print_json(watched.as_json())
    return 0


def _seed(watched: Watched, redis_url: str) -> None:
    """What the online store has; without it, one waits for the stream."""
    client = connect(redis_url)
    try:
        for latest in read_latest(client, watched.symbols).values():
            watched.cache.learn(latest)
    except (RedisError, KeyError, ValueError) as error:
        say(f"watch: the online store says nothing ({type(error).__name__}); waiting for the stream")
    finally:
        client.close()


def _show(watched: Watched, feed: Feed, batches: queue.SimpleQueue[Batch], options: argparse.Namespace) -> None:
    ends_at = time.monotonic() + options.seconds
    console = Console(stderr=options.json)
    with Live(watched.picture(True), console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while time.monotonic() < ends_at:
            time.sleep(1 / REFRESHES_PER_SECOND)
            while not batches.empty():
                watched.take(batches.get())
            if console.is_terminal:
                live.update(watched.picture(feed.healthy), refresh=True)
        live.update(watched.picture(feed.healthy), refresh=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow watch", description="Watch the newest signals of symbols in this terminal.")
    parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="symbols to watch")
    parser.add_argument("--seconds", type=float, default=float("inf"), metavar="S", help="end after so long (default: at Ctrl-C)")
    parser.add_argument(
        "--stale-seconds", type=float, default=60.0, metavar="S", help="age from which a signal is shown as old (default 60)"
    )
    parser.add_argument("--clock", choices=("wall", "stream"), default="wall", help="what ages refer to; `stream` for a recorded market")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data directory of the services (default .tickflow/data)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file; TICKFLOW_… variables override it")
    parser.add_argument("--json", action="store_true", help="print what was seen last as one JSON object at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
