"""Live updates for many clients. A client that reads slowly loses what lay between, never more: it is told each symbol's newest value.

What waits for a client is at most one mark for each of its symbols and a hundred alerts, however long it does not read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from udfs.records import Alert, Signal

MOST_WAITING_ALERTS: Final = 100


class Subscriber:
    """One client: what it wants, and what waits for it."""

    def __init__(self, symbols: Iterable[str], sees_rule: Callable[[str], bool]) -> None:
        self.symbols = tuple(dict.fromkeys(symbols))
        self.sees_rule = sees_rule
        self.skipped = 0
        """Signals and alerts that were replaced before the client took them."""
        self._symbols: dict[str, None] = dict.fromkeys(self.symbols)
        self._alerts: deque[Alert] = deque(maxlen=MOST_WAITING_ALERTS)
        self._changed = asyncio.Event()
        self._changed.set()

    def tell(self, symbol: str) -> None:
        """There is something new of a symbol."""
        self.skipped += symbol in self._symbols
        self._symbols[symbol] = None
        self._changed.set()

    def alert(self, alert: Alert) -> None:
        """A rule fired."""
        self.skipped += len(self._alerts) == MOST_WAITING_ALERTS
        self._alerts.append(alert)
        self._changed.set()

    async def changes(self, seconds: float) -> tuple[list[str], list[Alert]]:
        """Symbols with something new, and alerts; empty when nothing came for so long. At first every symbol counts as new."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return [], []
        found = list(self._symbols), list(self._alerts)
        self._symbols.clear()
        self._alerts.clear()
        self._changed.clear()
        return found


class Hub:
    """Who wants what. The event loop's thread alone uses it."""

    def __init__(self) -> None:
        self._of_symbol: dict[str, set[Subscriber]] = {}
        self._all: set[Subscriber] = set()

    def __len__(self) -> int:
        """Clients that listen now."""
        return len(self._all)

    def add(self, subscriber: Subscriber) -> None:
        """Begin to tell a client."""
        self._all.add(subscriber)
        for symbol in subscriber.symbols:
            self._of_symbol.setdefault(symbol, set()).add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Tell it no more."""
        self._all.discard(subscriber)
        for symbol in subscriber.symbols:
            others = self._of_symbol.get(symbol, set())
            others.discard(subscriber)
            if not others:
                self._of_symbol.pop(symbol, None)

    def publish(self, signals: Iterable[Signal], alerts: Iterable[Alert]) -> None:
        """Tell everyone who wants it."""
        for signal in signals:
            for subscriber in self._of_symbol.get(signal.symbol, ()):
                subscriber.tell(signal.symbol)
        for alert in alerts:
            for subscriber in self._of_symbol.get(alert.symbol, ()):
                if subscriber.sees_rule(alert.rule_id):
                    subscriber.alert(alert)
