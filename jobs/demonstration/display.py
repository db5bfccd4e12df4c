"""What a person sees while a demo runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from jobs.demonstration.watching import Seen, SignalWatcher
from udfs.records import Direction, Signal, SignalStatus

_ARROW = {Direction.UP: ("▲ up", "green"), Direction.DOWN: ("▼ down", "red"), Direction.NEUTRAL: ("• neutral", "white")}
_REFRESHES_PER_SECOND = 4
_MOST_SYMBOLS = 20


@contextmanager
def shown(watcher: SignalWatcher, title: str, enabled: bool) -> Iterator[None]:
    """Show the newest signals on standard error until the block ends."""
    if not enabled:
        yield
        return
    ended = threading.Event()
    with Live(console=Console(stderr=True), refresh_per_second=_REFRESHES_PER_SECOND) as live:
        thread = threading.Thread(target=_refresh, args=(live, watcher, title, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            live.update(picture(watcher.seen, title))


def _refresh(live: Live, watcher: SignalWatcher, title: str, ended: threading.Event) -> None:
    while not ended.wait(1 / _REFRESHES_PER_SECOND):
        live.update(picture(watcher.seen, title))


def picture(seen: Seen, title: str) -> Group:
    """The newest signal of each symbol, and the newest alerts."""
    table = Table(title=title, expand=True)
    for name, justify in (
        ("symbol", "left"),
        ("price", "right"),
        ("signal", "left"),
        ("conf.", "right"),
        ("ŷ bp", "right"),
        ("σ bp", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("reasons", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("age", justify="right")
    newest = max((signal.available_time for signal in seen.latest.values()), default=0)
    for symbol in sorted(seen.latest)[:_MOST_SYMBOLS]:
        table.add_row(*_cells(seen.latest[symbol], newest))
    lines = [
        Text(f"⚠ {_clock(alert.event_time)} {alert.symbol} {alert.rule_id}: {alert.measure} {alert.value:.4g}", "yellow")
        for alert in seen.last_alerts
    ]
    return Group(table, Text(f"{seen.signals} signals, {seen.alerts} alerts so far", "dim"), *lines)


def _cells(signal: Signal, newest: int) -> tuple[Text | str, ...]:
    age = f"{(newest - signal.available_time) / 1e9:.1f} s"
    price = f"{signal.price:.4f}" if signal.price == signal.price else "–"
    if signal.status is not SignalStatus.OK:
        state = Text(f"{signal.status.name.lower()}: {signal.code.name.lower().replace('_', ' ')}", "dim")
        return signal.symbol, price, state, _number(signal.confidence, 1, "{:.0%}"), "", "", "", age
    words, colour = _ARROW[signal.direction]
    reasons = "; ".join(reason.words for reason in signal.reasons)
    numbers = _number(signal.expected_return, 1e4, "{:+.2f}"), _number(signal.sigma, 1e4, "{:.2f}")
    return signal.symbol, price, Text(words, colour), f"{signal.confidence:.0%}", *numbers, reasons, age


def _number(value: float, factor: float, form: str) -> str:
    return form.format(value * factor) if value == value else "–"


def _clock(nanoseconds: int) -> str:
    return f"{datetime.fromtimestamp(nanoseconds / 1e9, UTC):%H:%M:%S}"
